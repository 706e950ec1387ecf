#include "api/retry.hpp"

#include "api/part.hpp"
#include "api/run_reply.hpp"
#include "base/error_code.hpp"

#include <fmt/format.h>

namespace fp::api {

namespace {

using Response = net::Response;

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

/// Pins and parts are for drafts: a published version runs as it is.
void drop_part(model::event::ExecutionStarted& started) {
  started.pins.clear();
  started.left_out.clear();
  std::erase_if(started.reused, [](const model::ReusedStep& step) { return step.pinned; });
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
  if (chosen->number != 0) drop_part(plan.request.started);
  return plan;
}

namespace {

/// Steps that had a try before and whose type does not promise that a second one does no harm.
JsonArray list_repeats(const engine::ExecutionState& earlier, const model::Workflow& workflow,
                       const std::vector<model::StepIndex>& run) {
  JsonArray out;
  for (const auto index : run) {
    const auto& step = workflow.steps[index];
    const auto* before = earlier.workflow->find_step(step.id);
    if (step.type->idempotent || before == nullptr) continue;
    const auto& state = earlier.steps[before->index];
    std::uint64_t attempts = state.task.attempt;
    for (std::size_t item = 0; state.fan && item < state.fan->tasks.size(); ++item)
      attempts += state.fan->tasks[item].attempt;
    if (attempts == 0) continue;
    out.push_back(JsonObject{
        {"step", step.id},
        {"reason", fmt::format("{} was attempted before ({} in all), and what {} does may then happen twice",
                               step.id, attempts, step.type->type)}});
  }
  return out;
}

/// The plan of a retry, which starts nothing.
Result<Response> foresee_retry(Services& s, const ExecutionId& id, const RetryOrder& order) {
  const auto plan = plan_retry(s, id, order);
  if (!plan) return plan.error();
  const auto loaded = s.runtime.journal().load(id);
  if (!loaded) return Error(codes::not_found, fmt::format("there is no execution {}", to_string(id)));
  const auto& earlier = loaded->state;
  engine::RunPlan foreseen;
  if (plan->continues) {
    const auto decision = engine::decide(earlier, engine::input::RetryFailed{}, s.clock.now());
    if (decision.refusal) return *decision.refusal;
    foreseen = engine::foresee(earlier, std::get<model::event::ExecutionReopened>(decision.events.front()));
  } else {
    foreseen = engine::foresee(*plan->request.workflow, plan->request.started);
  }
  const auto& workflow = plan->continues ? *earlier.workflow : *plan->request.workflow;
  auto out = to_json(foreseen, workflow);
  out["repeats"] = list_repeats(earlier, workflow, foreseen.run);
  out["in_place"] = plan->continues;
  return json_response(200, out);
}

RetryOrder read_order(const Json& body) {
  RetryOrder order;
  if (const auto from = json_string(body, "from"); !from.empty()) order.from = from;
  if (const auto version = json_string(body, "version"); !version.empty()) order.version = version;
  if (const auto* input = json_find(body, "input")) order.input = make_value(*input);
  return order;
}

}  // namespace

void install_retry(Router& router, Services& s) {
  router.add(Operation::retry_execution, [&s](const CallPtr& call, Reply& reply) {
    const auto id = call->id<ExecutionId>();
    const auto order = read_order(call->body);
    const auto* dry = json_find(call->body, "dry_run");
    if (dry != nullptr && dry->get_bool()) return reply(foresee_retry(s, id, order));
    if (const auto earlier = find_repeated<ExecutionId>(s, *call); !earlier)
      return reply(earlier.error());
    else if (*earlier)
      return reply_with(s, 202, **earlier, std::move(reply));
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
