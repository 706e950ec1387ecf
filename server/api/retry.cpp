#include "api/retry.hpp"

#include "api/run_reply.hpp"
#include "base/error_code.hpp"

#include <fmt/format.h>

namespace fp::api {

namespace {

/// The version that a retry runs, and its number (0 for a draft).
struct Chosen {
  std::shared_ptr<const model::Workflow> workflow;
  std::uint32_t number = 0;
};

Result<Chosen> choose(Services& s, const engine::ExecutionState& earlier, const std::string& version) {
  if (version == "same") return Chosen{earlier.workflow, earlier.workflow_version};
  if (!earlier.workflow_id)
    return Error(codes::retry_not_possible,
                 "this execution ran from a file: it has no published version or draft");
  const auto known = s.directory.load(*earlier.workflow_id);
  if (!known) return known.error();
  const bool published = version == "published";
  const auto& workflow = published ? (*known)->published : (*known)->draft;
  if (!workflow)
    return Error(codes::retry_not_possible, published ? "nothing is published of this workflow"
                                                      : "the draft has mistakes and can not run");
  return Chosen{workflow, published ? (*known)->record.version : 0};
}

std::string first_failed(const engine::ExecutionState& earlier) {
  if (earlier.failed_step != model::kNoStep) return earlier.workflow->steps[earlier.failed_step].id;
  for (const auto& step : earlier.workflow->steps) {
    if (earlier.steps[step.index].task.status == model::TaskStatus::failed) return step.id;
  }
  return "";
}

}  // namespace

Result<RetryPlan> plan_retry(Services& s, const ExecutionId& id, const RetryOrder& order) {
  const auto loaded = s.runtime.journal().load(id);
  if (!loaded) return Error(codes::not_found, fmt::format("there is no execution {}", to_string(id)));
  const auto& earlier = loaded->state;
  if (!model::is_terminal(earlier.status))
    return Error(codes::execution_running, "the execution has not ended yet");
  if (order.input && order.from != "start")
    return Error(codes::retry_not_possible,
                 "another input needs a run from the start: recorded results rest on the old one");
  RetryPlan plan;
  plan.continues =
      order.from == "failed" && order.version == "same" && earlier.status == model::ExecutionStatus::failed;
  if (plan.continues) return plan;
  const auto chosen = choose(s, earlier, order.version);
  if (!chosen) return chosen.error();
  auto from = order.from == "failed"  ? first_failed(earlier)
              : order.from == "start" ? std::string()
                                      : order.from;
  if (order.from == "failed" && from.empty())
    return Error(codes::retry_not_possible,
                 "nothing has failed in this execution; choose a step or the start");
  auto started = engine::plan_retry(earlier, *chosen->workflow, from);
  if (!started) return started.error();
  if (order.input) started->input = order.input;
  if (const auto fits = model::check_input(*chosen->workflow, *started->input); !fits) return fits.error();
  plan.request.id = s.runtime.make_id();
  plan.request.workflow = chosen->workflow;
  plan.request.started = std::move(*started);
  plan.request.started.workflow_id = earlier.workflow_id;
  plan.request.started.workflow_version = chosen->number;
  plan.request.started.seed = s.runtime.draw_seed();
  plan.request.started.trigger = "retry";
  return plan;
}

void install_retry(Router& router, Services& s) {
  router.add(Operation::retry_execution, [&s](const CallPtr& call, Reply& reply) {
    const auto id = call->id<ExecutionId>();
    if (const auto earlier = find_repeated<ExecutionId>(s, *call); !earlier)
      return reply(earlier.error());
    else if (*earlier)
      return reply_with(s, 202, **earlier, std::move(reply));
    RetryOrder order;
    if (const auto from = json_string(call->body, "from"); !from.empty()) order.from = from;
    if (const auto version = json_string(call->body, "version"); !version.empty()) order.version = version;
    if (const auto* input = json_find(call->body, "input")) order.input = make_value(*input);
    auto plan = plan_retry(s, id, order);
    if (!plan) return reply(plan.error());
    if (!plan->continues) {
      plan->request.idempotency = call->entry_for(plan->request.id, s.clock.now());
      return start_and_reply(s, call, std::move(plan->request), Milliseconds(0), std::move(reply));
    }
    auto shared = std::make_shared<Reply>(std::move(reply));
    s.runtime.deliver(
        id, engine::input::RetryFailed{},
        [&s, id, shared](Result<void> taken) {
          if (taken) return reply_with(s, 202, id, std::move(*shared));
          (*shared)(taken.error());
        },
        call->entry_for(id, s.clock.now()));
  });
}

}  // namespace fp::api
