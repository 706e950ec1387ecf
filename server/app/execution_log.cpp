#include "app/execution_log.hpp"

#include "base/log.hpp"

namespace fp::app {

namespace ev = model::event;

namespace {

JsonObject fields_of(const engine::ExecutionState& state) {
  return {{"execution", to_string(state.id)}, {"workflow", state.workflow->name}};
}

JsonObject fields_of(const engine::ExecutionState& state, model::TaskRef task, std::uint32_t attempt) {
  auto out = fields_of(state);
  out["step"] = state.workflow->steps[task.step].id;
  if (task.item != model::kNoItem) out["item"] = task.item;
  out["attempt"] = attempt;
  return out;
}

}  // namespace

void ExecutionLog::on_recorded(const runtime::Recorded& recorded) {
  const auto& state = recorded.state;
  for (const auto& event : recorded.events) {
    if (const auto* failed = std::get_if<ev::AttemptFailed>(&event)) {
      auto fields = fields_of(state, failed->task, failed->attempt);
      fields["code"] = failed->error->code;
      log(LogLevel::debug, "attempt failed", std::move(fields));
    } else if (const auto* lost = std::get_if<ev::AttemptLost>(&event)) {
      auto fields = fields_of(state, lost->task, lost->attempt);
      fields["reason"] = lost->reason;
      log(LogLevel::debug, "attempt lost", std::move(fields));
    } else if (const auto* ended = std::get_if<ev::ExecutionEnded>(&event)) {
      if (ended->status != model::ExecutionStatus::failed) continue;
      auto fields = fields_of(state);
      fields["code"] = ended->error ? ended->error->code : "";
      if (state.failed_step != model::kNoStep) fields["step"] = state.workflow->steps[state.failed_step].id;
      log(LogLevel::info, "execution failed", std::move(fields));
    } else if (const auto* paused = std::get_if<ev::ExecutionPaused>(&event);
               paused != nullptr && paused->error) {
      auto fields = fields_of(state);
      fields["code"] = paused->error->code;
      log(LogLevel::warning, "execution set aside", std::move(fields));
    }
  }
}

}  // namespace fp::app
