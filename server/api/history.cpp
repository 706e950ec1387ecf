#include "api/evaluate.hpp"
#include "api/event_text.hpp"
#include "api/services.hpp"
#include "api/slice.hpp"
#include "api/task_lookup.hpp"
#include "base/error_code.hpp"
#include "base/json_parse.hpp"
#include "engine/codec.hpp"
#include "engine/retry.hpp"
#include "engine/scope.hpp"
#include "runtime/execution_view.hpp"

#include <fmt/format.h>

#include <charconv>

namespace fp::api {

namespace {

using Response = net::Response;
namespace ev = model::event;

Error no_execution(const ExecutionId& id) {
  return Error(codes::not_found, fmt::format("there is no execution {}", to_string(id)));
}

Result<Response> list_events(Services& s, const Call& call) {
  const auto id = call.id<ExecutionId>();
  const auto after = call.number("after");
  const auto page = s.runtime.journal().page(id, after, call.number("limit"));
  if (!page) return no_execution(id);
  JsonArray results;
  for (const auto& recorded : page->events) results.push_back(to_resource(recorded, *page->workflow));
  const auto last = after + results.size();
  return json_response(200, JsonObject{{"count", page->total},
                                       {"next", last < page->total ? Json(last) : Json(nullptr)},
                                       {"results", std::move(results)}});
}

/// The attempts of one task, as the journal tells them.
class Attempts {
 public:
  explicit Attempts(model::TaskRef task) : task_(task) {}

  void take(const runtime::RecordedEvent& recorded) {
    if (const auto* e = std::get_if<ev::AttemptScheduled>(&recorded.event); e != nullptr && e->task == task_)
      rows_.push_back(row(e->attempt, recorded.at));
    if (const auto* e = std::get_if<ev::AttemptFailed>(&recorded.event); e != nullptr && e->task == task_)
      end(e->attempt, "failed", recorded.at, {}, e->error);
    if (const auto* e = std::get_if<ev::AttemptLost>(&recorded.event); e != nullptr && e->task == task_)
      end(e->attempt, "lost", recorded.at, {}, nullptr);
    if (const auto* e = std::get_if<ev::TaskCompleted>(&recorded.event); e != nullptr && e->task == task_)
      end(e->attempt, "completed", recorded.at, e->started_at, nullptr);
    if (const auto* e = std::get_if<ev::TaskFailed>(&recorded.event); e != nullptr && e->task == task_)
      end(e->attempt, "failed", recorded.at, e->started_at, e->error);
    if (const auto* e = std::get_if<ev::TaskCancelled>(&recorded.event);
        e != nullptr && e->task == task_ && !rows_.empty())
      end(static_cast<std::uint32_t>(rows_.size()), "cancelled", recorded.at, {}, nullptr);
    if (const auto* e = std::get_if<ev::LateResult>(&recorded.event); e != nullptr && e->task == task_)
      end(e->attempt, "late", recorded.at, {}, nullptr);
  }
  JsonArray take_rows() { return std::move(rows_); }

 private:
  static Json row(std::uint32_t attempt, TimePoint at) {
    return JsonObject{{"attempt", attempt},    {"status", "running"}, {"scheduled_at", to_rfc3339(at)},
                      {"started_at", nullptr}, {"ended_at", nullptr}, {"error", nullptr}};
  }
  void end(std::uint32_t attempt, const char* status, TimePoint at, const std::optional<TimePoint>& started,
           const model::ErrorPtr& error) {
    for (auto it = rows_.rbegin(); it != rows_.rend(); ++it) {
      auto& found = it->get_object();
      if (found["attempt"].to_number<std::uint32_t>() != attempt) continue;
      found["status"] = status;
      found["ended_at"] = to_rfc3339(at);
      if (started) found["started_at"] = to_rfc3339(*started);
      if (error) found["error"] = to_problem(*error);
      return;
    }
  }

  model::TaskRef task_;
  JsonArray rows_;
};

/// The config with its expressions filled in from what is recorded; null when that fails or is not yet
/// possible.
Json render_config(Services& s, const engine::ExecutionState& state, model::TaskRef ref) {
  const auto& step = state.workflow->steps[ref.step];
  if (step.constant_config) return *step.constant_config;
  const engine::TaskScope scope(state, ref);
  const auto& javascript = step.config.javascript();
  std::vector<Result<Json>> answers;
  if (!javascript.empty()) {
    ports::EvaluationRequest request;
    request.scope = scope.collect(javascript, false);
    for (const auto* expression : javascript) request.expressions.push_back(expression->source);
    request.now = state.task(ref).ready_at;
    request.seed = engine::draw(state.seed, ref, 0);
    answers = evaluate_now(s.expressions, std::move(request));
  }
  auto rendered = step.config.render(scope, answers);
  return rendered ? std::move(*rendered) : Json(nullptr);
}

Result<Response> get_task(Services& s, const Call& call) {
  const auto id = call.id<ExecutionId>();
  const auto loaded = s.runtime.journal().load(id);
  const auto history = s.runtime.journal().history(id);
  if (!loaded || !history) return no_execution(id);
  const auto& state = loaded->state;
  const auto ref = find_task(state, call.text("task"));
  if (!ref) return ref.error();
  Attempts attempts(*ref);
  for (const auto& recorded : history->events) attempts.take(recorded);
  const auto& task = state.task(*ref);
  auto out = runtime::to_resource(state, *ref, runtime::kShownBytes);
  auto& members = out.get_object();
  members["attempts"] = attempts.take_rows();
  members["config"] = runtime::shorten(render_config(s, state, *ref), runtime::kShownBytes);
  members["idempotency_key"] = engine::idempotency_key(state, *ref);
  members["child"] = task.child ? Json(to_string(*task.child)) : Json(nullptr);
  members["wait"] = task.status != model::TaskStatus::waiting
                        ? Json(nullptr)
                        : Json(JsonObject{{"kind", to_string(task.wait)},
                                          {"name", task.wait_name},
                                          {"due", task.due ? Json(to_rfc3339(*task.due)) : Json(nullptr)},
                                          {"data", task.wait_data ? *task.wait_data : Json(nullptr)}});
  return json_response(200, out);
}

void shorten_members(Json& value, std::size_t most_bytes) {
  if (value.is_array()) {
    for (auto& element : value.get_array()) element = runtime::shorten(element, most_bytes);
  }
  if (value.is_object()) {
    for (auto& member : value.get_object()) member.value() = runtime::shorten(member.value(), most_bytes);
  }
}

Result<Response> get_result(Services& s, const Call& call) {
  const auto id = call.id<ExecutionId>();
  const auto loaded = s.runtime.journal().load(id);
  if (!loaded) return no_execution(id);
  const auto ref = find_task(loaded->state, call.text("task"));
  if (!ref) return ref.error();
  const auto& output = loaded->state.task(*ref).output;
  auto slice = slice_value(output ? *output : Json(nullptr), call.text("path"), call.number("offset"),
                           call.number("limit"));
  if (!slice) return slice.error();
  if (call.has("shorten")) shorten_members(slice->at("value"), call.number("shorten"));
  return json_response(200, *slice);
}

}  // namespace

Result<model::TaskRef> find_task(const model::ExecutionState& state, const std::string& name) {
  const auto dot = name.rfind('.');
  const auto* step = state.workflow->find_step(name.substr(0, dot));
  model::TaskRef ref;
  if (step != nullptr) {
    ref.step = step->index;
    if (dot != std::string::npos) {
      const auto [end, ec] = std::from_chars(name.data() + dot + 1, name.data() + name.size(), ref.item);
      if (ec != std::errc() || end != name.data() + name.size()) step = nullptr;
    }
    if (step != nullptr && state.has_task(ref)) return ref;
  }
  for (model::StepIndex i = 0; i < state.steps.size(); ++i) {
    if (runtime::task_id(state, {i, model::kNoItem}) == name) return model::TaskRef{i, model::kNoItem};
    const auto& fan = state.steps[i].fan;
    for (std::uint32_t item = 0; fan && item < fan->tasks.size(); ++item) {
      if (runtime::task_id(state, {i, item}) == name) return model::TaskRef{i, item};
    }
  }
  return Error(codes::not_found, "there is no such task in this execution");
}

void install_history(Router& router, Services& s) {
  router.add_blocking(Operation::list_events, [&s](Call& call) { return list_events(s, call); });
  router.add_blocking(Operation::get_task, [&s](Call& call) { return get_task(s, call); });
  router.add_blocking(Operation::get_task_result, [&s](Call& call) { return get_result(s, call); });
}

}  // namespace fp::api
