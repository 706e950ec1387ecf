#include "api/live/frames.hpp"

#include "runtime/execution_view.hpp"

#include <optional>
#include <type_traits>

namespace fp::api {

namespace ev = model::event;

namespace {

/// The task an event is about; nullopt for one about the execution as a whole.
std::optional<model::TaskRef> task_of(const engine::Event& event) {
  return std::visit(
      [](const auto& e) -> std::optional<model::TaskRef> {
        using E = std::decay_t<decltype(e)>;
        if constexpr (requires { e.task; })
          return e.task;
        else if constexpr (std::is_same_v<E, ev::ItemsExpanded> || std::is_same_v<E, ev::TaskSkipped> ||
                           std::is_same_v<E, ev::ItemsEnded>)
          return model::TaskRef{e.step, model::kNoItem};
        else
          return std::nullopt;
      },
      event);
}

Frame to_frame(std::uint64_t seq, const char* type, Json body) {
  auto& members = body.get_object();
  members["type"] = type;
  members["seq"] = seq;
  return {seq, std::make_shared<const std::string>(to_text(body))};
}

}  // namespace

Frame make_snapshot(std::uint64_t seq, const engine::ExecutionState& state) {
  return to_frame(seq, "snapshot", runtime::to_resource(state, runtime::kShownBytes));
}

Frame make_frame(std::uint64_t seq, const engine::ExecutionState& state, const engine::Event& event) {
  // These change many tasks at once.
  if (std::holds_alternative<ev::ExecutionStarted>(event) ||
      std::holds_alternative<ev::ExecutionReopened>(event))
    return make_snapshot(seq, state);
  if (const auto task = task_of(event)) {
    auto body = runtime::to_resource(state, *task, runtime::kShownBytes);
    auto& members = body.get_object();
    members["task_id"] = std::move(members["id"]);
    for (const char* name : {"id", "workflow_execution", "step_type", "worker"}) members.erase(name);
    return to_frame(seq, "task_update", std::move(body));
  }
  return to_frame(seq, "execution_update", runtime::to_status(state));
}

Frame make_log_frame(std::uint64_t seq, const ports::LogBatch& batch) {
  JsonArray lines;
  for (const auto& line : batch.lines)
    lines.push_back(
        JsonObject{{"at", to_rfc3339(line.line.at)}, {"level", line.line.level}, {"text", line.line.text}});
  JsonObject body{{"lines", std::move(lines)}};
  if (!batch.lines.empty()) {
    const auto& first = batch.lines.front();
    body["step"] = first.step;
    body["index"] = first.index < 0 ? Json(nullptr) : Json(first.index);
    body["attempt"] = first.attempt;
  }
  return to_frame(seq, "log", std::move(body));
}

}  // namespace fp::api
