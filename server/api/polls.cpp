#include "api/poller.hpp"
#include "base/error_code.hpp"
#include "model/task_type.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fp::api {

namespace {

constexpr std::size_t kMostShown = 10;

Json to_json(const Poller::View& view) {
  return JsonObject{{"workflow", to_string(view.workflow)},
                    {"workflow_name", view.workflow_name},
                    {"version", view.version},
                    {"trigger", view.trigger.id},
                    {"trigger_type", view.trigger.type},
                    {"every_seconds", static_cast<double>(view.trigger.every.count()) / 1000},
                    {"last_at", view.last_at ? Json(to_rfc3339(*view.last_at)) : Json(nullptr)},
                    {"next_at", to_rfc3339(view.next_at)},
                    {"error", view.error ? to_problem(*view.error) : Json(nullptr)},
                    {"items", view.items},
                    {"started", view.started}};
}

Result<net::Response> list(const Poller& poller, const Call& call) {
  std::optional<WorkflowId> wanted;
  if (call.has("workflow")) {
    const auto id = parse_uuid<WorkflowId>(call.text("workflow"));
    if (!id) return id.error();
    wanted = *id;
  }
  JsonArray results;
  for (const auto& view : poller.list()) {
    if (!wanted || view.workflow == *wanted) results.push_back(to_json(view));
  }
  const auto count = results.size();
  return json_response(200, JsonObject{{"count", count}, {"next", nullptr}, {"results", std::move(results)}});
}

/// Checked as a part of a document, so that the mistakes are those that saving it would find.
Result<void> check(const Services& s, const Call& call) {
  const Json document = JsonObject{
      {"name", "preview"},
      {"triggers", JsonArray{JsonObject{{"id", "preview"},
                                        {"trigger_type", call.body.at("trigger_type")},
                                        {"trigger_config", call.body.at("trigger_config")}}}},
      {"steps", JsonArray{JsonObject{
                    {"id", "a"}, {"step_type", "set"}, {"config", JsonObject{{"values", JsonObject()}}}}}}};
  auto read = model::read_workflow(document, s.types, s.check_syntax);
  if (read) return {};
  auto error = read.error();
  for (auto& issue : error.issues) {
    constexpr std::string_view kAbove = "/triggers/0";
    if (issue.pointer.starts_with(kAbove)) issue.pointer.erase(0, kAbove.size());
  }
  return error;
}

Result<net::Response> preview(Services& s, Poller& poller, const Call& call) {
  if (const auto right = check(s, call); !right) return right.error();
  const auto trigger = triggers::read_poll_trigger("preview", json_string(call.body, "trigger_type"),
                                                   call.body.at("trigger_config"), false);
  // The source may fail; the question about it was right all the same.
  auto looked = poller.look(trigger);
  auto items = looked ? std::move(*looked) : std::vector<Json>();
  const auto count = items.size();
  items.resize(std::min(count, kMostShown));
  return json_response(200, JsonObject{{"count", count},
                                       {"results", JsonArray(items.begin(), items.end())},
                                       {"error", looked ? Json(nullptr) : to_problem(looked.error())}});
}

}  // namespace

void install_polls(Router& router, Services& s, Poller& poller) {
  router.add_blocking(Operation::list_polls, [&poller](const Call& call) { return list(poller, call); });
  router.add_blocking(Operation::preview_poll,
                      [&s, &poller](const Call& call) { return preview(s, poller, call); });
}

}  // namespace fp::api
