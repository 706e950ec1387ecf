#include "client.hpp"

#include "base/error_code.hpp"
#include "random_workflow.hpp"

#include <fmt/format.h>

namespace fp::simulation {

namespace in = engine::input;

namespace {
std::string text_of(const Value& value) {
  return value ? to_text(*value) : "";
}
}  // namespace

void Client::start_something(Process& process) {
  const bool again = !keys_.empty() && m_.dice.one_in(4);
  if (!again) {
    keys_.push_back({fmt::format("key-{}", keys_.size()), {}, m_.dice.below(workflows_.size()), {}, {}});
    return start(process, keys_.size() - 1);
  }
  m_.tally.count("input start again with the same key");
  start(process, m_.dice.below(keys_.size()));
}

void Client::start(Process& process, std::size_t key) {
  m_.tally.count("input start");
  auto& wanted = keys_[key];
  const auto& workflow = workflows_[wanted.workflow];
  runtime::StartRequest request;
  request.id = process.runtime().make_id();
  request.workflow = workflow;
  request.started.workflow_name = workflow->name;
  request.started.version_hash = workflow->hash;
  request.started.input = make_value(make_random_input(m_.dice));
  request.started.seed = process.runtime().draw_seed();
  request.started.trigger = "manual";
  request.idempotency =
      ports::IdempotencyEntry{wanted.text, wanted.request, request.id.bytes, m_.world.clock().now()};
  wanted.tried.push_back(request.id);
  const auto id = request.id;
  process.runtime().start_execution(std::move(request),
                                    [this, &process, key, id](Result<const engine::ExecutionState*> started) {
                                      on_started(process, key, id, started);
                                    });
}

void Client::on_started(Process& process, std::size_t key, const ExecutionId& id,
                        const Result<const engine::ExecutionState*>& started) {
  auto& wanted = keys_[key];
  if (started) {
    m_.tally.count("acknowledged start");
    if (m_.auditor.find(id) == nullptr) throw Violation("a start was acknowledged before it was on disk");
    if (wanted.acknowledged && *wanted.acknowledged != id)
      throw Violation("one idempotency key started two executions");
    wanted.acknowledged = id;
    return watch(process, *m_.auditor.find(id));
  }
  m_.tally.count("refused " + started.error().code);
  if (started.error().code != codes::execution_duplicate.id) return;
  const auto taken = process.store().find_idempotency(wanted.text);
  if (!taken || m_.auditor.find(ExecutionId{taken->subject}) == nullptr)
    throw Violation("a start was called a duplicate, but its first one is not there");
}

void Client::watch(Process& process, const Seen& seen) {
  process.runtime().watch_end(
      seen.state.id,
      [this](const engine::ExecutionState& state) {
        m_.tally.count("watched end");
        const auto* durable = m_.auditor.find(state.id);
        const bool same = durable != nullptr && durable->state.status == state.status &&
                          text_of(durable->state.output) == text_of(state.output);
        if (!same) throw Violation("an end was told before it was on disk");
      },
      [] { throw Violation("an acknowledged execution is missing"); });
}

void Client::send(Process& process, const Seen& seen, engine::Input input, const std::string& what,
                  Check check) {
  m_.tally.count("input " + what);
  const auto id = seen.state.id;
  const auto before = seen.last_terminal_seq;
  process.runtime().deliver(
      id, std::move(input), [this, id, what, before, check = std::move(check)](Result<void> taken) {
        const auto* now = m_.auditor.find(id);
        if (now == nullptr) throw Violation("an execution is gone");
        if (taken) {
          m_.tally.count("acknowledged " + what);
          return check(*now);
        }
        m_.tally.count("refused " + taken.error().code);
        const bool ended = model::is_terminal(now->state.status) || now->last_terminal_seq > before;
        if (taken.error().code == codes::execution_ended.id && !ended)
          throw Violation("somebody was told of an end that is not on disk");
      });
}

void Client::send_signal(Process& process, const Seen& seen, const std::string& name) {
  const Json payload = JsonObject{{"token", ++tokens_}};
  const auto text = to_text(payload);
  send(process, seen, in::Signal{name, make_value(payload)}, "signal", [this, text](const Seen& now) {
    if (!now.tokens.contains(text)) throw Violation("a signal was acknowledged before it was on disk");
    acknowledged_tokens_.emplace_back(now.state.id, text);
  });
}

void Client::decide(Process& process, const Seen& seen, model::TaskRef task) {
  const bool approved = !m_.dice.one_in(3);
  const auto round = seen.state.round;
  in::ApprovalDecided decided{task, approved, make_value(JsonObject{{"approved", approved}})};
  send(process, seen, std::move(decided), "approval", [task, round](const Seen& now) {
    const bool waits = now.state.round == round && now.state.task(task).status == model::TaskStatus::waiting;
    if (waits) throw Violation("an approval was acknowledged before it was on disk");
  });
}

std::optional<model::TaskRef> Client::find_waiting(const Seen& seen, model::WaitKind kind) const {
  const auto& steps = seen.state.steps;
  for (model::StepIndex i = 0; i < steps.size(); ++i) {
    const model::TaskRef ref{i, model::kNoItem};
    const auto& task = seen.state.task(ref);
    if (task.status == model::TaskStatus::waiting && task.wait == kind) return ref;
  }
  return std::nullopt;
}

void Client::disturb_something(Process& process) {
  const auto& all = m_.auditor.all();
  if (all.empty()) return;
  const auto& seen = std::next(all.begin(), static_cast<std::ptrdiff_t>(m_.dice.below(all.size())))->second;
  const auto since = seen.state.last_seq;
  const auto times = m_.dice.one_in(4) ? 2 : 1;
  const auto choice = m_.dice.below(16);
  for (int i = 0; i < times; ++i) {
    if (choice <= 5) {
      send_signal(process, seen, m_.dice.pick(std::vector<std::string>{"go", "stop", "a", "b"}));
    } else if (choice <= 8) {
      if (const auto task = find_waiting(seen, model::WaitKind::approval)) decide(process, seen, *task);
    } else if (choice <= 9) {
      send(process, seen, in::Cancel{"planned"}, "cancel", [since](const Seen& now) {
        if (!now.state.cancelling && now.last_cancelled_seq <= since)
          throw Violation("a cancel was acknowledged before it was on disk");
      });
    } else if (choice <= 11) {
      send(process, seen, in::Pause{"planned"}, "pause", [since](const Seen& now) {
        if (!now.state.paused && now.last_paused_seq < since)
          throw Violation("a pause was acknowledged before it was on disk");
      });
    } else if (choice <= 13) {
      send(process, seen, in::Resume{}, "resume", [](const Seen&) {});
    } else if (seen.state.status == model::ExecutionStatus::failed) {
      const auto round = seen.state.round;
      send(process, seen, in::RetryFailed{}, "retry", [round](const Seen& now) {
        if (now.state.round <= round) throw Violation("a retry was acknowledged before it was on disk");
      });
    }
  }
}

bool Client::settle_everything(Process& process) {
  bool all_ended = true;
  for (const auto& [id, seen] : m_.auditor.all()) {
    if (model::is_terminal(seen.state.status)) continue;
    all_ended = false;
    if (seen.state.paused) send(process, seen, in::Resume{}, "resume", [](const Seen&) {});
    if (const auto task = find_waiting(seen, model::WaitKind::approval)) decide(process, seen, *task);
    if (const auto task = find_waiting(seen, model::WaitKind::signal)) {
      const auto& name = seen.state.task(*task).wait_name;
      const auto kept = seen.state.signals.find(name);
      if (kept != seen.state.signals.end() && !kept->second.empty())
        throw Violation("a step waits for a signal that is there");
      send_signal(process, seen, name);
    }
  }
  return all_ended;
}

void Client::check_acknowledged(Process& process) const {
  for (const auto& key : keys_) {
    std::size_t started = 0;
    for (const auto& id : key.tried) started += m_.auditor.find(id) != nullptr ? 1 : 0;
    if (started > 1) throw Violation("one idempotency key started two executions");
    if (key.acknowledged && !process.store().find_execution(*key.acknowledged))
      throw Violation("an acknowledged start is gone");
  }
  for (const auto& [id, token] : acknowledged_tokens_) {
    if (!m_.auditor.find(id)->tokens.contains(token)) throw Violation("an acknowledged signal is gone");
  }
}

}  // namespace fp::simulation
