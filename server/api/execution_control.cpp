#include "api/run_reply.hpp"
#include "api/task_lookup.hpp"
#include "base/error_code.hpp"

namespace fp::api {

namespace {

/// Has the runtime decide on `input`; answers once it is on disk.
void deliver(Services& s, const CallPtr& call, engine::Input input, Reply& reply) {
  const auto id = call->id<ExecutionId>();
  // What came before must not be decided on twice: a signal sent again is another signal.
  if (!call->idempotency_key.empty()) {
    const auto earlier = find_repeated<ExecutionId>(s, *call);
    if (!earlier) return reply(earlier.error());
    if (*earlier) return reply_with(s, 202, **earlier, std::move(reply));
  }
  auto shared = std::make_shared<Reply>(std::move(reply));
  s.runtime.deliver(
      id, std::move(input),
      [&s, call, id, shared](Result<void> taken) {
        if (taken) return reply_with(s, 202, id, std::move(*shared));
        if (taken.error().code == codes::execution_duplicate.id)
          return reply_as_before(s, call, std::move(*shared));
        (*shared)(taken.error().code == codes::execution_unknown.id
                      ? Error(codes::not_found, taken.error().message)
                      : taken.error());
      },
      call->entry_for(id, s.clock.now()));
}

std::string reason_of(const Call& call) {
  auto reason = json_string(call.body, "reason");
  return reason.empty() ? "by hand" : reason;
}

void decide(Services& s, const CallPtr& call, Reply& reply) {
  const auto loaded = s.runtime.journal().load(call->id<ExecutionId>());
  if (!loaded) return reply(Error(codes::not_found, "there is no such execution"));
  const auto task = find_task(loaded->state, call->text("task"));
  if (!task) return reply(task.error());
  const auto& state = loaded->state.task(*task);
  if (state.status != model::TaskStatus::waiting || state.wait != model::WaitKind::approval)
    return reply(Error(codes::execution_not_waiting, "this task waits for no decision"));
  const bool approved = call->body.at("approved").get_bool();
  const auto* data = json_find(call->body, "data");
  Json output = JsonObject{{"approved", approved},
                           {"by", call->subject.name},
                           {"comment", json_string(call->body, "comment")},
                           {"data", data == nullptr ? Json(nullptr) : *data}};
  deliver(s, call, engine::input::ApprovalDecided{*task, approved, make_value(std::move(output))}, reply);
}

}  // namespace

void install_execution_control(Router& router, Services& s) {
  router.add(Operation::cancel_execution, [&s](const CallPtr& call, Reply& reply) {
    deliver(s, call, engine::input::Cancel{reason_of(*call)}, reply);
  });
  router.add(Operation::pause_execution, [&s](const CallPtr& call, Reply& reply) {
    deliver(s, call, engine::input::Pause{reason_of(*call)}, reply);
  });
  router.add(Operation::resume_execution,
             [&s](const CallPtr& call, Reply& reply) { deliver(s, call, engine::input::Resume{}, reply); });
  router.add(Operation::send_signal, [&s](const CallPtr& call, Reply& reply) {
    deliver(s, call, engine::input::Signal{call->text("name"), make_value(std::move(call->body))}, reply);
  });
  router.add(Operation::decide_approval, [&s](const CallPtr& call, Reply& reply) { decide(s, call, reply); });
}

}  // namespace fp::api
