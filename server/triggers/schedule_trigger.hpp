#pragma once

#include "base/json.hpp"
#include "triggers/schedule.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fp::triggers {

/// What happens when an execution of the same schedule is still under way.
enum class Overlap : std::uint8_t { skip, queue_one, queue_all, cancel_running, allow };
/// What becomes of ticks that nobody was there for.
enum class CatchUp : std::uint8_t { skip, latest, all };

/// A schedule of a published document.
struct ScheduleTrigger {
  std::string id;
  Schedule schedule;
  Overlap overlap = Overlap::skip;
  CatchUp catch_up = CatchUp::skip;
  std::size_t catch_up_max = 100;               // of `all`
  std::optional<Milliseconds> catch_up_window;  // older ticks are missed, whatever the policy
  Milliseconds jitter{0};
  std::size_t pause_after = 0;  // failures in a row; 0: never
  Json input;                   // fixed members of the execution's input
};

/// Those of a checked document that are enabled.
std::vector<ScheduleTrigger> read_schedule_triggers(const Json& document);

/// When the tick starts: up to `jitter` after it, the same for the same tick of the same schedule.
TimePoint with_jitter(const ScheduleTrigger& trigger, std::string_view workflow, TimePoint tick);

/// What to do about all ticks from `first` to `now`.
struct CatchUpPlan {
  std::vector<Tick> fire;  // in their order
  std::uint64_t missed = 0;
  bool is_more = false;  // than were counted
  TimePoint last_missed{};
};
/// The newest tick fires when it is at most a minute old. Costs no more than the ticks it keeps and a bounded
/// count of those it does not.
CatchUpPlan plan_due(const ScheduleTrigger& trigger, Tick first, TimePoint now);

std::string_view to_text(Overlap overlap);
/// Nothing for a word that is none of them.
std::optional<Overlap> find_overlap(std::string_view word);

/// What the executions of a tick get besides the fixed members.
JsonObject make_tick_input(const ScheduleTrigger& trigger, TimePoint tick);

}  // namespace fp::triggers
