#include "triggers/schedule_trigger.hpp"

#include "base/hash.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace fp::triggers {

namespace {

constexpr std::array<std::string_view, 5> kOverlaps{"skip", "queue_one", "queue_all", "cancel_running",
                                                    "allow"};
constexpr std::array<std::string_view, 3> kCatchUps{"skip", "latest", "all"};
constexpr Milliseconds kOnTime{60'000};
constexpr std::uint64_t kMostCounted = 10'000;

template <class Enum, std::size_t N>
Enum choose(const std::array<std::string_view, N>& names, std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  return static_cast<Enum>(found == names.end() ? 0 : found - names.begin());
}

}  // namespace

std::vector<ScheduleTrigger> read_schedule_triggers(const Json& document) {
  std::vector<ScheduleTrigger> out;
  const auto* triggers = json_find(document, "triggers");
  if (triggers == nullptr || !triggers->is_array()) return out;
  for (const auto& one : triggers->get_array()) {
    const auto* enabled = json_find(one, "enabled");
    const bool is_on = enabled == nullptr || !enabled->is_bool() || enabled->get_bool();
    const auto* config = json_find(one, "trigger_config");
    if (!is_on || json_string(one, "trigger_type") != "schedule" || config == nullptr) continue;
    auto schedule = read_schedule(*config);
    if (!schedule) continue;  // it was checked when it was published; the tz database may have changed since
    ScheduleTrigger trigger;
    trigger.id = json_string(one, "id");
    trigger.schedule = *schedule;
    trigger.overlap = choose<Overlap>(kOverlaps, json_string(*config, "overlap"));
    trigger.catch_up = choose<CatchUp>(kCatchUps, json_string(*config, "catch_up"));
    // The only tick there is should not be lost to a restart.
    if (schedule->once && json_string(*config, "catch_up").empty()) trigger.catch_up = CatchUp::latest;
    if (const auto most = json_int(*config, "pause_after_failures"))
      trigger.pause_after = static_cast<std::size_t>(*most);
    if (const auto most = json_int(*config, "catch_up_max"))
      trigger.catch_up_max = static_cast<std::size_t>(*most);
    if (const auto* window = json_find(*config, "catch_up_window_seconds");
        window != nullptr && window->is_number())
      trigger.catch_up_window = Milliseconds(static_cast<std::int64_t>(window->to_number<double>() * 1000));
    if (const auto* jitter = json_find(*config, "jitter_seconds"); jitter != nullptr && jitter->is_number())
      trigger.jitter = Milliseconds(static_cast<std::int64_t>(jitter->to_number<double>() * 1000));
    if (const auto* input = json_find(*config, "input")) trigger.input = *input;
    out.push_back(std::move(trigger));
  }
  return out;
}

TimePoint with_jitter(const ScheduleTrigger& trigger, std::string_view workflow, TimePoint tick) {
  if (trigger.jitter.count() <= 0) return tick;
  const auto hash = hash_128(fmt::format("{} {} {}", workflow, trigger.id, tick.time_since_epoch().count()));
  std::uint64_t number = 0;
  std::memcpy(&number, hash.data(), sizeof number);
  return tick + Milliseconds(number % static_cast<std::uint64_t>(trigger.jitter.count()));
}

CatchUpPlan plan_due(const ScheduleTrigger& trigger, Tick first, TimePoint now) {
  CatchUpPlan out;
  const auto& schedule = trigger.schedule;
  std::size_t keep = 0;
  if (trigger.catch_up == CatchUp::latest) keep = 1;
  if (trigger.catch_up == CatchUp::all) keep = trigger.catch_up_max;
  // Backwards from now: what is kept, and the newest when it is on time, whatever the policy.
  for (auto tick = find_previous(schedule, now + Milliseconds(1)); tick && tick->at >= first.at;
       tick = find_previous(schedule, tick->at)) {
    const std::size_t on_time = now - tick->at <= kOnTime ? 1 : 0;
    if (out.fire.size() >= std::max(keep, on_time)) break;
    if (on_time == 0 && trigger.catch_up_window && now - tick->at > *trigger.catch_up_window) break;
    out.fire.push_back(*tick);
  }
  std::ranges::reverse(out.fire);
  const auto until = out.fire.empty() ? now + Milliseconds(1) : out.fire.front().at;
  for (std::optional<Tick> tick = first; tick && tick->at < until; tick = find_next(schedule, tick->at)) {
    if (++out.missed > kMostCounted) {
      out.is_more = true;
      if (const auto last = find_previous(schedule, until)) out.last_missed = last->at;
      break;
    }
    out.last_missed = tick->at;
  }
  return out;
}

std::string_view to_text(Overlap overlap) {
  return kOverlaps[static_cast<std::size_t>(overlap)];
}

std::optional<Overlap> find_overlap(std::string_view word) {
  const auto found = std::ranges::find(kOverlaps, word);
  if (found == kOverlaps.end()) return std::nullopt;
  return static_cast<Overlap>(found - kOverlaps.begin());
}

JsonObject make_tick_input(const ScheduleTrigger& trigger, TimePoint tick) {
  const auto time_or_null = [](const std::optional<Tick>& one) {
    return one ? Json(to_rfc3339(one->at)) : Json(nullptr);
  };
  JsonObject input;
  if (trigger.input.is_object()) input = trigger.input.get_object();
  input["scheduled_at"] = to_rfc3339(tick);
  input["previous_at"] = time_or_null(find_previous(trigger.schedule, tick));
  input["next_at"] = time_or_null(find_next(trigger.schedule, tick));
  return input;
}

}  // namespace fp::triggers
