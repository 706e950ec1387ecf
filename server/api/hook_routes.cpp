#include "api/hooks.hpp"
#include "base/error_code.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fp::api {

bool lacks_secret(const Services& s, const triggers::Webhook& hook) {
  return hook.scheme != triggers::Scheme::none && std::ranges::none_of(hook.secrets, [&](const auto& name) {
           return s.options.secrets.contains(name);
         });
}

namespace {

Json or_null(const std::optional<ExecutionId>& id) {
  return id ? Json(to_string(*id)) : Json(nullptr);
}

Json to_json(const HookRecord& record) {
  return JsonObject{{"number", record.number},
                    {"at", to_rfc3339(record.at)},
                    {"method", record.method},
                    {"path", record.path},
                    {"peer", record.peer},
                    {"status", record.status},
                    {"outcome", record.outcome},
                    {"signature", record.signature},
                    {"body_bytes", record.body_bytes},
                    {"request", record.request ? *record.request : Json(nullptr)},
                    {"test", record.is_test},
                    {"execution_id", or_null(record.execution)}};
}

/// What keeps it from firing, or null: the published ones are enabled.
Json problem_of(const Services& s, const triggers::Webhook& hook) {
  return lacks_secret(s, hook) ? Json(codes::webhook_secret_missing.id) : Json(nullptr);
}

Json list_texts(const std::vector<std::string>& texts) {
  JsonArray out;
  for (const auto& text : texts) out.emplace_back(text);
  return out;
}

Json to_json(const Services& s, const triggers::WebhookRoute& route, HookLog& log) {
  const auto last = log.find_last(route.workflow, route.hook.trigger);
  return JsonObject{{"workflow", to_string(route.workflow)},
                    {"workflow_name", route.workflow_name},
                    {"version", route.version},
                    {"trigger", route.hook.trigger},
                    {"path", "/hooks/" + route.hook.path},
                    {"methods", list_texts(route.hook.methods)},
                    {"respond", std::string(triggers::to_text(route.hook.answer))},
                    {"signature", std::string(triggers::to_text(route.hook.scheme))},
                    {"problem", problem_of(s, route.hook)},
                    {"last_request_at", last ? Json(to_rfc3339(last->at)) : Json(nullptr)},
                    {"last_status", last ? Json(last->status) : Json(nullptr)}};
}

HookTests::Armed read_listener(const Json& body, TimePoint now) {
  HookTests::Armed out{now + std::chrono::minutes(10), false};
  if (const auto seconds = json_int(body, "seconds")) out.until = now + std::chrono::seconds(*seconds);
  if (const auto* run = json_find(body, "run")) out.runs = run->get_bool();
  return out;
}

}  // namespace

void install_hooks(Router& router, Services& s, triggers::WebhookRoutes& routes, HookLog& log, Hooks& hooks) {
  router.add_blocking(
      Operation::list_webhooks, [&s, &routes, &log](const Call& call) -> Result<net::Response> {
        std::optional<WorkflowId> wanted;
        if (call.has("workflow")) {
          const auto id = parse_uuid<WorkflowId>(call.text("workflow"));
          if (!id) return id.error();
          wanted = *id;
        }
        JsonArray results;
        for (const auto& route : routes.list()) {
          if (!wanted || route->workflow == *wanted) results.push_back(to_json(s, *route, log));
        }
        const auto count = results.size();
        return json_response(
            200, JsonObject{{"count", count}, {"next", nullptr}, {"results", std::move(results)}});
      });
  router.add_blocking(Operation::list_webhook_requests, [&log](const Call& call) -> Result<net::Response> {
    JsonArray results;
    for (const auto& record : log.list(call.id<WorkflowId>(), call.text("trigger")))
      results.push_back(to_json(*record));
    const auto count = results.size();
    return json_response(200,
                         JsonObject{{"count", count}, {"next", nullptr}, {"results", std::move(results)}});
  });
  router.add_blocking(Operation::get_webhook_listener, [&hooks](const Call& call) -> Result<net::Response> {
    auto shown = hooks.listen_for_test(call.id<WorkflowId>(), call.text("trigger"), std::nullopt);
    if (!shown) return shown.error();
    return json_response(200, *shown);
  });
  router.add_blocking(Operation::listen_for_webhook_test,
                      [&s, &hooks](const Call& call) -> Result<net::Response> {
                        auto shown = hooks.listen_for_test(call.id<WorkflowId>(), call.text("trigger"),
                                                           read_listener(call.body, s.clock.now()));
                        if (!shown) return shown.error();
                        return json_response(200, *shown);
                      });
  router.add(Operation::replay_webhook_request, [&s, &log, &hooks](const CallPtr& call, Reply& reply) {
    // The log may have to look on disk.
    post(s, std::move(reply), [&log, &hooks, call](Reply& later) {
      const auto workflow = call->id<WorkflowId>();
      const auto record = log.find(workflow, call->text("trigger"), call->number("number"));
      if (!record)
        return later(Error(codes::not_found, "there is no such request any more: the last 100 are kept"));
      if (!record->is_whole)
        return later(
            Error(codes::not_found, "this request was not kept whole: it was refused, or its body is large"));
      hooks.replay(call, std::move(later), workflow, call->text("trigger"), *record);
    });
  });
}

}  // namespace fp::api
