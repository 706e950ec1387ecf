#include "base/error_code.hpp"
#include "base/failpoint.hpp"
#include "runtime/shard.hpp"

#include <fmt/format.h>

namespace fp::runtime {

void ExecutionShard::set_alarm(const ActivePtr& active) {
  const auto wake = engine::next_wake(active->state);
  if (!wake || (active->alarm && *active->alarm <= *wake)) return;
  active->alarm = wake;
  p_.loop.post_at(*wake, [this, id = active->state.id, at = *wake] { on_alarm(id, at); });
}

void ExecutionShard::on_alarm(const ExecutionId& id, TimePoint at) {
  const auto active = find_active(id);
  if (!active || active->alarm != at) return;
  active->alarm.reset();
  Step step;
  step.input = engine::input::TimeReached{};
  take(active, std::move(step));
}

void ExecutionShard::on_report(ports::AttemptReport report) {
  p_.loop.post([this, report = std::move(report)]() mutable { take_report(std::move(report)); });
}

void ExecutionShard::on_heartbeat(const std::vector<ports::LeaseId>& leases) {
  p_.loop.post([this, leases] { leases_.renew(leases, p_.clock.steady_now()); });
}

/// Posted like the report that may follow it at once, so that both keep their order.
void ExecutionShard::on_started(ports::LeaseId id) {
  p_.loop.post([this, id] {
    const auto* lease = leases_.begin(id, p_.clock.steady_now());
    if (lease == nullptr) return;
    const auto active = find_active(lease->execution);
    if (active && p_.observer != nullptr) p_.observer->on_started(active->state, lease->task, p_.clock.now());
    watch_leases();
  });
}

void ExecutionShard::on_lost(ports::LeaseId id) {
  p_.loop.post([this, id] {
    take_loss(id);
    dispatch_waiting();
  });
}

void ExecutionShard::take_loss(ports::LeaseId id) {
  const auto lease = leases_.give_up(id);
  const auto active = lease ? find_active(lease->execution) : nullptr;
  if (!active) return;
  --active->attempts;
  Step step;
  step.input = engine::input::AttemptLost{lease->task, lease->attempt, "worker_lost"};
  take(active, std::move(step));
}

void ExecutionShard::on_lines(ports::LeaseId id, std::vector<ports::LogLine> lines) {
  p_.loop.post([this, id, lines = std::move(lines)]() mutable {
    const auto* lease = leases_.get(id);
    const auto active = lease == nullptr ? nullptr : find_active(lease->execution);
    if (!active || closed_) return;
    Step step;
    step.log_lines = to_stored(*active, *lease, std::move(lines));
    try {
      commit(active, {}, p_.clock.now(), std::move(step));
    } catch (const Unavailable& failed) {
      p_.commits.fail(failed.error());
    }
  });
}

std::vector<ports::StoredLogLine> ExecutionShard::to_stored(const Active& active, const Lease& lease,
                                                            std::vector<ports::LogLine> lines) const {
  std::vector<ports::StoredLogLine> out;
  out.reserve(lines.size());
  const auto index = lease.task.item == model::kNoItem ? -1 : std::int64_t(lease.task.item);
  for (auto& line : lines)
    out.push_back(
        {0, active.state.workflow->steps[lease.task.step].id, index, lease.attempt, std::move(line)});
  return out;
}

void ExecutionShard::take_report(ports::AttemptReport report) {
  FP_FAILPOINT("effect-before-result");
  const auto lease = leases_.release(report.lease);
  if (!lease) return take_late_report(std::move(report));
  const auto active = find_active(lease->execution);
  if (!active) {
    if (report.settled) report.settled(ports::ReportFate::late);
    return dispatch_waiting();
  }
  --active->attempts;
  Step step;
  step.settled = std::move(report.settled);
  step.log_lines = to_stored(*active, *lease, std::move(report.log_lines));
  auto outcome = report.outcome ? Result<Value>(make_value(std::move(*report.outcome)))
                                : Result<Value>(report.outcome.error());
  step.input =
      engine::input::AttemptEnded{lease->task, lease->attempt, std::move(outcome), report.started_at};
  take(active, std::move(step));
  dispatch_waiting();
}

void ExecutionShard::watch_leases() {
  if (std::exchange(lease_watch_, true)) return;
  // Coarse on purpose: a lease or time-out is noticed within a quarter of the lease's life, half a second at
  // least.
  const auto pause =
      std::max<Milliseconds>(Milliseconds(100), std::min(options_.lease_ttl / 4, Milliseconds(500)));
  p_.loop.post_after(pause, [this] { check_leases(); });
}

/// Decided without it, and never applied. A success is evidence all the same: the work was done.
void ExecutionShard::take_late_report(ports::AttemptReport report) {
  const auto lease = leases_.take_given_up(report.lease);
  if (lease && report.outcome) {
    auto output = make_value(std::move(*report.outcome));
    deliver(lease->execution,
            engine::input::AttemptEnded{lease->task, lease->attempt, std::move(output), report.started_at},
            {});
  }
  if (report.settled) report.settled(ports::ReportFate::late);
  dispatch_waiting();
}

void ExecutionShard::check_leases() {
  lease_watch_ = false;
  for (const auto& overdue : leases_.list_overdue(p_.clock.steady_now())) {
    p_.workers.cancel(overdue.id, *this);
    if (!overdue.out_of_time) {
      take_loss(overdue.id);
      continue;
    }
    const auto lease = leases_.give_up(overdue.id);
    const auto active = lease ? find_active(lease->execution) : nullptr;
    if (!active) continue;
    --active->attempts;
    Step step;
    const auto limit = active->state.workflow->steps[lease->task.step].timeout;
    Error error(codes::task_timeout, fmt::format("the attempt took longer than {}", to_display_text(limit)));
    step.input = engine::input::AttemptEnded{lease->task, lease->attempt, std::move(error), {}};
    take(active, std::move(step));
  }
  dispatch_waiting();
  if (leases_.count_begun() > 0 || !waiting_.empty()) watch_leases();
}

}  // namespace fp::runtime
