#include "simulated_workers.hpp"

#include <fmt/format.h>

namespace fp::simulation {

namespace {
constexpr Milliseconds kBeat{3'000};
constexpr std::size_t kSlots = 5;
/// Leases and time-outs are looked at twice a second.
constexpr Milliseconds kCoarse{1'000};
}  // namespace

/// Nothing is carried out that is not on disk, twice at once, under another key, or again after it was
/// recorded.
void SimulatedWorkers::check(const ports::AttemptRequest& request) const {
  const auto what = fmt::format("attempt {} of {}{}", request.attempt, request.step,
                                request.index ? fmt::format("[{}]", *request.index) : "");
  const auto fail = [&](const std::string& why) {
    throw Violation(fmt::format("execution {}: {} {}", to_string(request.execution), what, why));
  };
  const auto* seen = w_.auditor.find(request.execution);
  if (seen == nullptr) return fail("was handed out, but the execution is not on disk");
  const auto* step = seen->state.workflow->find_step(request.step);
  const model::TaskRef ref{step->index, request.index.value_or(model::kNoItem)};
  if (!seen->state.has_task(ref)) return fail("was handed out, but its items are not on disk");
  const auto& task = seen->state.task(ref);
  if (task.attempt < request.attempt) return fail("was handed out before it was on disk");
  const auto index = request.index ? fmt::format("-{}", *request.index) : "";
  if (request.idempotency_key != fmt::format("{}-{}{}", to_string(request.execution), request.step, index))
    return fail("has another idempotency key: " + request.idempotency_key);
  for (const auto& [key, held] : held_) {
    if (!held->ended && held->key == request.idempotency_key)
      return fail("was handed out beside an earlier one");
  }
  if (w_.zombie) return;  // it can not know what its successor has recorded
  if (task.attempt > request.attempt) return fail("was handed out after a later one was recorded");
  if (task.status == model::TaskStatus::completed)
    return fail("was handed out after its result was recorded");
}

ports::Dispatched SimulatedWorkers::dispatch(ports::LeaseId lease, ports::AttemptRequest request,
                                             Sink& sink) {
  const auto busy =
      std::count_if(held_.begin(), held_.end(), [](const auto& entry) { return !entry.second->ended; });
  if (static_cast<std::size_t>(busy) >= kSlots || (!w_.calm && w_.dice.one_in(15))) {
    w_.tally.count("fault slot refused");
    return ports::Dispatched::refused;
  }
  check(request);
  w_.tally.count("command dispatch");
  auto held = std::make_shared<Held>();
  held->key = request.idempotency_key;
  held->since = w_.clock.steady_now();
  held->timeout = request.timeout;
  held_[{&sink, lease}] = held;
  if (!w_.dice.one_in(20)) w_.sink.record(request.idempotency_key, request.execution, request.attempt);
  if (w_.dice.one_in(4)) {
    queue(held, lease, std::move(request), sink);
    return ports::Dispatched::queued;
  }
  behave(held, lease, request, sink);
  return ports::Dispatched::running;
}

/// Nobody takes it for a while, at times for longer than a lease lives.
void SimulatedWorkers::queue(const std::shared_ptr<Held>& held, ports::LeaseId lease,
                             ports::AttemptRequest request, Sink& sink) {
  w_.tally.count("attempt queued");
  held->queued = true;
  const Milliseconds wait(w_.dice.below(static_cast<std::uint32_t>(w_.lease_ttl.count() * 2)));
  w_.loop.post_after(wait, [this, held, lease, request = std::move(request), &sink] {
    if (held->ended) return;
    held->queued = false;
    held->since = w_.clock.steady_now();
    sink.on_started(lease);
    if (!w_.calm && w_.dice.one_in(10)) {
      w_.tally.count("fault worker gone");
      held->ended = true;
      return sink.on_lost(lease);
    }
    behave(held, lease, request, sink);
  });
}

void SimulatedWorkers::behave(const std::shared_ptr<Held>& held, ports::LeaseId lease,
                              const ports::AttemptRequest& request, Sink& sink) {
  auto& dice = w_.dice;
  const auto soon =
      dice.one_in(3) ? Milliseconds(0) : dice.up_to(Milliseconds(dice.one_in(4) ? 20'000 : 2'000));
  const Json output = dice.one_in(40)
                          ? Json(std::string(70'000, 'x'))
                          : Json(JsonObject{{"by", request.idempotency_key}, {"attempt", request.attempt}});
  const auto choice = w_.calm ? 99 : dice.below(40);
  if (choice != 3) beat(held, lease, sink);
  switch (choice) {
    case 0: {
      w_.tally.count("fault attempt fails for good");
      return report_after(soon, held, lease, Error("work.broken", "planned", false), sink, false);
    }
    case 1:
    case 2:
    case 7:
    case 8: {
      w_.tally.count("fault attempt fails, may be tried again");
      return report_after(soon, held, lease, Error("work.busy", "planned", true), sink, false);
    }
    case 3: {
      w_.tally.count("fault worker vanishes");
      held->silent = true;
      return;
    }
    case 4: {
      w_.tally.count("fault attempt hangs");
      return;
    }
    case 5: {
      w_.tally.count("fault result twice");
      report_after(soon, held, lease, output, sink, true);
      return report_after(soon + dice.up_to(Milliseconds(5'000)), held, lease, output, sink, true);
    }
    case 6: {
      w_.tally.count("fault result late");
      return report_after(request.timeout + dice.up_to(Milliseconds(30'000)), held, lease, output, sink,
                          true);
    }
    default:
      return report_after(soon, held, lease, output, sink, false);
  }
}

void SimulatedWorkers::report_after(Milliseconds delay, const std::shared_ptr<Held>& held,
                                    ports::LeaseId lease, Result<Json> outcome, Sink& sink,
                                    bool even_if_cancelled) {
  auto report = [this, held, lease, outcome = std::move(outcome), sink = &sink, even_if_cancelled]() mutable {
    if (held->ended && !even_if_cancelled) return;
    held->ended = true;
    held_.erase({sink, lease});
    ports::AttemptReport out;
    out.lease = lease;
    out.outcome = std::move(outcome);
    out.started_at = w_.clock.now();
    if (w_.dice.one_in(10)) out.log_lines.push_back({w_.clock.now(), "info", "line"});
    sink->on_report(std::move(out));
  };
  if (delay == Milliseconds(0) && w_.dice.one_in(2)) return report();  // before dispatch() has returned
  w_.loop.post_after(delay, std::move(report));
}

void SimulatedWorkers::beat(const std::shared_ptr<Held>& held, ports::LeaseId lease, Sink& sink) {
  w_.loop.post_after(kBeat, [this, held, lease, &sink] {
    if (held->ended) return;
    sink.on_heartbeat({lease});
    beat(held, lease, sink);
  });
}

void SimulatedWorkers::cancel(ports::LeaseId lease, Sink& sink) {
  w_.tally.count("command cancel attempt");
  const auto found = held_.find({&sink, lease});
  if (found == held_.end()) return;
  const auto age = std::chrono::duration_cast<Milliseconds>(w_.clock.steady_now() - found->second->since);
  const auto limit = found->second->silent ? std::min(w_.lease_ttl, found->second->timeout + w_.timeout_grace)
                                           : found->second->timeout + w_.timeout_grace;
  if (!found->second->queued && age > limit + kCoarse)
    throw Violation(fmt::format("an attempt was given up after {}, {} late", to_display_text(age),
                                to_display_text(age - limit)));
  found->second->ended = true;
  held_.erase(found);
}

}  // namespace fp::simulation
