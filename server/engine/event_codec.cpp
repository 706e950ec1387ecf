#include "base/json_parse.hpp"
#include "engine/json_fields.hpp"

#include <array>

namespace fp::engine {

using namespace model;
namespace ev = model::event;

namespace {

/// In the order of the variant's alternatives.
constexpr std::array<std::string_view, std::variant_size_v<Event>> kTypes = {
    "execution_started", "items_expanded",    "attempt_scheduled",    "attempt_failed",
    "attempt_lost",      "task_waiting",      "task_completed",       "task_failed",
    "task_skipped",      "task_cancelled",    "items_ended",          "signal_buffered",
    "signal_taken",      "execution_failing", "cancel_requested",     "execution_paused",
    "execution_resumed", "process_died",      "compensation_started", "execution_reopened",
    "late_result",       "execution_ended",   "event_taken"};

struct Writing {
  FieldWriter& f;
  const Workflow& workflow;

  void operator()(const ev::ExecutionStarted& e) const {
    f.text("workflow", e.workflow_name);
    f.text("version", e.version_hash);
    if (e.workflow_id) f.plain("workflow_id", to_string(*e.workflow_id));
    f.number_if("workflow_version", e.workflow_version);
    f.value("input", e.input);
    f.value("vars", e.vars);
    f.number("seed", e.seed);
    f.text("trigger", e.trigger);
    f.value("labels", e.labels);
    // A child's link names a step of the parent's workflow, so it is written by position, not by id.
    write_parent(f, e.parent);
    if (e.retry_of) f.plain("retry_of", to_string(*e.retry_of));
    f.number_if("depth", e.depth);
    if (e.cause) f.plain("cause", to_string(*e.cause));
    if (e.reused_from) f.plain("reused_from", to_string(*e.reused_from));
    if (!e.reused.empty()) f.value("reused", make_value(list_reused(e)));
    if (!e.pins.empty()) {
      JsonObject pins;
      for (const auto& pin : e.pins) pins[workflow.steps[pin.step].id] = *pin.output;
      f.value("pins", make_value(std::move(pins)));
    }
    if (!e.left_out.empty()) f.value("left_out", make_value(list_ids(e.left_out)));
  }
  JsonArray list_reused(const ev::ExecutionStarted& e) const {
    JsonArray reused;
    for (const auto& step : e.reused) {
      JsonObject entry{{"step", workflow.steps[step.step].id},
                       {"output", step.output ? *step.output : Json(nullptr)},
                       {"port", step.port},
                       {"plain", step.plain_taken}};
      if (step.pinned) entry["pinned"] = true;
      reused.push_back(std::move(entry));
    }
    return reused;
  }
  JsonArray list_ids(const std::vector<StepIndex>& steps) const {
    JsonArray out;
    for (const auto index : steps) out.push_back(Json(workflow.steps[index].id));
    return out;
  }
  void operator()(const ev::ItemsExpanded& e) const {
    f.step("step", e.step);
    f.value("items", e.items);
  }
  void operator()(const ev::AttemptScheduled& e) const {
    f.task(e.task);
    f.number("attempt", e.attempt);
  }
  void operator()(const ev::AttemptFailed& e) const {
    f.task(e.task);
    f.number("attempt", e.attempt);
    f.error("error", e.error);
    f.time("retry_at", e.retry_at);
  }
  void operator()(const ev::AttemptLost& e) const {
    f.task(e.task);
    f.number("attempt", e.attempt);
    f.text("reason", e.reason);
  }
  void operator()(const ev::TaskWaiting& e) const {
    f.task(e.task);
    f.plain("kind", to_string(e.kind));
    f.time("due", e.due);
    f.text("name", e.name);
    if (e.child) f.plain("child", to_string(*e.child));
    f.value("data", e.data);
  }
  void operator()(const ev::TaskCompleted& e) const {
    f.task(e.task);
    f.number_if("attempt", e.attempt);
    f.value("output", e.output);
    f.text("port", e.port);
    if (!e.plain_taken) f.flag("plain", false);
    f.time("started_at", e.started_at);
    f.flag_if("pinned", e.pinned);
  }
  void operator()(const ev::TaskFailed& e) const {
    f.task(e.task);
    f.number_if("attempt", e.attempt);
    f.error("error", e.error);
    f.time("started_at", e.started_at);
  }
  void operator()(const ev::TaskSkipped& e) const { f.step("step", e.step); }
  void operator()(const ev::TaskCancelled& e) const { f.task(e.task); }
  void operator()(const ev::ItemsEnded& e) const {
    f.step("step", e.step);
    f.plain("status", to_string(e.status));
    f.error("error", e.error);
  }
  void operator()(const ev::SignalBuffered& e) const {
    f.text("name", e.name);
    f.value("payload", e.payload);
  }
  void operator()(const ev::SignalTaken& e) const { f.text("name", e.name); }
  void operator()(const ev::EventTaken& e) const { f.number("number", e.number); }
  void operator()(const ev::ExecutionFailing& e) const {
    f.step("step", e.step);
    f.error("error", e.error);
  }
  void operator()(const ev::CancelRequested& e) const {
    f.text("reason", e.reason);
    f.flag_if("force", e.force);
  }
  void operator()(const ev::ExecutionPaused& e) const {
    f.text("reason", e.reason);
    f.error("error", e.error);
  }
  void operator()(const ev::ExecutionResumed&) const {}
  void operator()(const ev::ProcessDied&) const {}
  void operator()(const ev::CompensationStarted&) const {}
  void operator()(const ev::ExecutionReopened& e) const { f.value("steps", make_value(list_ids(e.steps))); }
  void operator()(const ev::LateResult& e) const {
    f.task(e.task);
    f.number("attempt", e.attempt);
    f.flag("succeeded", e.succeeded);
  }
  void operator()(const ev::ExecutionEnded& e) const {
    f.plain("status", to_string(e.status));
    f.value("output", e.output);
    f.error("error", e.error);
  }
};

StepIndex find_step(std::string_view id, const Workflow& workflow) {
  const auto* step = workflow.find_step(id);
  if (step == nullptr) FieldReader::corrupt("a step of this workflow");
  return step->index;
}

std::vector<StepIndex> read_ids(const Json& ids, const Workflow& workflow) {
  if (!ids.is_array()) FieldReader::corrupt("its steps");
  std::vector<StepIndex> out;
  for (const auto& id : ids.get_array()) out.push_back(find_step(to_display_text(id), workflow));
  return out;
}

ev::ExecutionStarted read_started(const FieldReader& f, const Workflow& workflow) {
  ev::ExecutionStarted e;
  e.workflow_name = f.text("workflow");
  e.version_hash = f.text("version");
  e.workflow_id = f.find_id<WorkflowId>("workflow_id");
  e.workflow_version = f.small("workflow_version");
  e.input = f.value("input");
  e.vars = f.value("vars");
  e.seed = f.number("seed");
  e.trigger = f.text("trigger");
  e.labels = f.value("labels");
  e.parent = read_parent(f);
  e.retry_of = f.find_id<ExecutionId>("retry_of");
  e.depth = f.small("depth");
  e.cause = f.find_id<EventId>("cause");
  if (const auto reused = f.value("reused")) {
    for (const auto& entry : reused->as_array()) {
      const auto inner = f.inner(entry);
      e.reused.push_back({inner.step("step"), inner.value("output"), inner.text("port"), inner.flag("plain"),
                          inner.flag("pinned")});
    }
  }
  e.reused_from = f.find_id<ExecutionId>("reused_from");
  if (const auto pins = f.value("pins")) {
    for (const auto& [id, output] : pins->as_object())
      e.pins.push_back({find_step(id, workflow), make_value(output)});
  }
  if (const auto left_out = f.value("left_out")) e.left_out = read_ids(*left_out, workflow);
  return e;
}

ev::ExecutionReopened read_reopened(const FieldReader& f, const Workflow& workflow) {
  const auto steps = f.value("steps");
  if (!steps) FieldReader::corrupt("its steps");
  return {read_ids(*steps, workflow)};
}

Event read_event(const FieldReader& f, std::string_view type, const Workflow& workflow) {
  if (type == "attempt_scheduled") return ev::AttemptScheduled{f.task(), f.small("attempt")};
  if (type == "task_completed") {
    const bool plain = f.find("plain") == nullptr || f.flag("plain");
    return ev::TaskCompleted{f.task(), f.small("attempt"),        f.value("output"), f.text("port"),
                             plain,    f.find_time("started_at"), f.flag("pinned")};
  }
  if (type == "execution_started") return read_started(f, workflow);
  if (type == "items_expanded") return ev::ItemsExpanded{f.step("step"), f.value("items")};
  if (type == "attempt_failed")
    return ev::AttemptFailed{f.task(), f.small("attempt"), f.error("error"), f.time("retry_at")};
  if (type == "attempt_lost") return ev::AttemptLost{f.task(), f.small("attempt"), f.text("reason")};
  if (type == "task_waiting") {
    return ev::TaskWaiting{f.task(),       f.choice("kind", parse_wait_kind), f.find_time("due"),
                           f.text("name"), f.find_id<ExecutionId>("child"),   f.value("data")};
  }
  if (type == "task_failed")
    return ev::TaskFailed{f.task(), f.small("attempt"), f.error("error"), f.find_time("started_at")};
  if (type == "task_skipped") return ev::TaskSkipped{f.step("step")};
  if (type == "task_cancelled") return ev::TaskCancelled{f.task()};
  if (type == "items_ended")
    return ev::ItemsEnded{f.step("step"), f.choice("status", parse_task_status), f.error("error")};
  if (type == "signal_buffered") return ev::SignalBuffered{f.text("name"), f.value("payload")};
  if (type == "signal_taken") return ev::SignalTaken{f.text("name")};
  if (type == "event_taken") return ev::EventTaken{f.number("number")};
  if (type == "execution_failing") return ev::ExecutionFailing{f.error("error"), f.step("step")};
  if (type == "cancel_requested") return ev::CancelRequested{f.text("reason"), f.flag("force")};
  if (type == "execution_paused") return ev::ExecutionPaused{f.text("reason"), f.error("error")};
  if (type == "execution_resumed") return ev::ExecutionResumed{};
  if (type == "process_died") return ev::ProcessDied{};
  if (type == "compensation_started") return ev::CompensationStarted{};
  if (type == "execution_reopened") return read_reopened(f, workflow);
  if (type == "late_result") return ev::LateResult{f.task(), f.small("attempt"), f.flag("succeeded")};
  if (type == "execution_ended")
    return ev::ExecutionEnded{f.choice("status", parse_execution_status), f.value("output"),
                              f.error("error")};
  FieldReader::corrupt("a known type");
}

}  // namespace

void write_parent(FieldWriter& fields, const std::optional<ParentLink>& parent) {
  if (!parent) return;
  fields.plain("parent", to_string(parent->execution));
  fields.number("parent_step", parent->task.step);
  if (parent->task.item != kNoItem) fields.number("parent_item", parent->task.item);
  fields.number_if("parent_round", parent->round);
}

std::optional<ParentLink> read_parent(const FieldReader& fields) {
  const auto id = fields.find_id<ExecutionId>("parent");
  if (!id) return std::nullopt;
  return ParentLink{
      *id, {fields.small("parent_step"), fields.small("parent_item", kNoItem)}, fields.small("parent_round")};
}

std::string encode_events(std::span<const Event> events, const Workflow& workflow, const BlobWriter& spill) {
  std::string out = "[";
  for (const auto& event : events) {
    if (out.size() > 1) out += ',';
    FieldWriter fields(out, workflow, spill);
    fields.plain("type", kTypes[event.index()]);
    std::visit(Writing{fields, workflow}, event);
    fields.close();
  }
  out += ']';
  return out;
}

std::vector<Event> decode_events(std::string_view text, const Workflow& workflow, const BlobReader& load) {
  const auto json = parse_trusted_json(text);
  if (!json.is_array()) FieldReader::corrupt("its list of events");
  std::vector<Event> out;
  out.reserve(json.get_array().size());
  for (const auto& entry : json.get_array()) {
    const FieldReader fields(entry, workflow, load);
    out.push_back(read_event(fields, fields.text("type"), workflow));
  }
  return out;
}

std::string peek_version_hash(std::string_view first_row) {
  const auto json = parse_trusted_json(first_row);
  if (!json.is_array() || json.get_array().empty()) FieldReader::corrupt("its first event");
  return json_string(json.get_array().front(), "version");
}

}  // namespace fp::engine
