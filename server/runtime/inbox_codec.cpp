#include "runtime/inbox_codec.hpp"

#include "base/assert.hpp"
#include "base/error_code.hpp"
#include "base/json_parse.hpp"

namespace fp::runtime {

namespace in = engine::input;

std::string encode_input(const engine::Input& input) {
  if (const auto* ended = std::get_if<in::ChildEnded>(&input)) {
    JsonObject out{{"type", "child_ended"},
                   {"step", ended->task.step},
                   {"round", ended->round},
                   {"child", to_string(ended->child)},
                   {"status", to_string(ended->status)}};
    if (ended->task.item != model::kNoItem) out["item"] = ended->task.item;
    if (ended->output) out["output"] = *ended->output;
    if (ended->error) out["error"] = to_json(*ended->error);
    return to_text(Json(std::move(out)));
  }
  if (const auto* cancel = std::get_if<in::Cancel>(&input))
    return to_text(Json(JsonObject{{"type", "cancel"}, {"reason", cancel->reason}}));
  if (const auto* event = std::get_if<in::EventArrived>(&input)) {
    return to_text(Json(JsonObject{{"type", "event"},
                                   {"number", event->number},
                                   {"name", event->name},
                                   {"key", event->key},
                                   {"event", *event->event}}));
  }
  const auto* signal = std::get_if<in::Signal>(&input);
  FP_ASSERT(signal != nullptr, "only these inputs travel between executions");
  return to_text(Json(JsonObject{{"type", "signal"}, {"name", signal->name}, {"payload", *signal->payload}}));
}

engine::Input decode_input(std::string_view text) {
  const auto json = parse_trusted_json(text);
  const auto type = json_string(json, "type");
  if (type == "cancel") return in::Cancel{json_string(json, "reason")};
  if (type == "signal") return in::Signal{json_string(json, "name"), make_value(json.at("payload"))};
  if (type == "event") {
    return in::EventArrived{static_cast<std::uint64_t>(json_int(json, "number").value_or(0)),
                            json_string(json, "name"), json_string(json, "key"),
                            make_value(json.at("event"))};
  }
  const auto child = parse_uuid<ExecutionId>(json_string(json, "child"));
  const auto status = model::parse_execution_status(json_string(json, "status"));
  if (type != "child_ended" || !child || !status)
    throw Unavailable(Error(codes::storage_corrupt, "an inbox entry is not readable"));
  in::ChildEnded out;
  out.task.step = static_cast<model::StepIndex>(json_int(json, "step").value_or(0));
  out.task.item = static_cast<std::uint32_t>(json_int(json, "item").value_or(model::kNoItem));
  out.round = static_cast<std::uint32_t>(json_int(json, "round").value_or(0));
  out.child = *child;
  out.status = *status;
  if (const auto* output = json_find(json, "output")) out.output = make_value(*output);
  if (const auto* error = json_find(json, "error")) out.error = model::make_error(error_from_json(*error));
  return out;
}

}  // namespace fp::runtime
