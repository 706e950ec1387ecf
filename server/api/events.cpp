#include "api/cursor.hpp"
#include "api/event_hub.hpp"
#include "base/error_code.hpp"
#include "base/json_parse.hpp"

#include <fmt/format.h>

#include <charconv>

namespace fp::api {

namespace {

constexpr std::size_t kMostDataBytes = 256u << 10;
constexpr const char* kCursor = "events";

Json to_json(const ports::PublishedEvent& event) {
  auto out = to_input(event);
  out["handled_at"] = event.handled_at ? Json(to_rfc3339(*event.handled_at)) : Json(nullptr);
  out["started"] = event.started;
  out["outcome"] = event.outcome.empty() ? Json(JsonArray()) : parse_trusted_json(event.outcome);
  return out;
}

Result<net::Response> list(const Services& s, const Call& call) {
  std::optional<std::uint64_t> before;
  if (call.has("cursor")) {
    const auto position = decode_cursor(kCursor, call.text("cursor"));
    if (!position) return position.error();
    std::uint64_t number = 0;
    std::from_chars(position->data(), position->data() + position->size(), number);
    before = number;
  }
  const auto page =
      s.store.events().list({call.text("name"), call.text("key")}, before, call.number("limit"));
  JsonArray results;
  for (const auto& event : page.items) results.push_back(to_json(event));
  const auto count = results.size();
  const auto next = page.next ? Json(encode_cursor(kCursor, std::to_string(*page.next))) : Json(nullptr);
  return json_response(200, JsonObject{{"count", count}, {"next", next}, {"results", std::move(results)}});
}

Result<net::Response> get(const Services& s, const EventId& id) {
  const auto event = s.store.events().find(id);
  if (!event) return Error(codes::not_found, fmt::format("there is no event {}", to_string(id)));
  return json_response(200, to_json(*event));
}

void answer_as_before(Services& s, const CallPtr& call, Reply reply) {
  post(s, std::move(reply), [&s, call](Reply& later) {
    const auto earlier = find_repeated<EventId>(s, *call);
    if (!earlier) return later(earlier.error());
    if (!*earlier) return later(Error(codes::not_found, "the event of this key is gone"));
    auto answer = get(s, **earlier);
    if (answer) answer->status = 202;
    later(std::move(answer));
  });
}

void publish(Services& s, const CallPtr& call, Reply& reply) {
  ports::PublishedEvent event;
  event.id = s.runtime.make_id<EventId>();
  event.name = json_string(call->body, "name");
  event.key = json_string(call->body, "key");
  const auto* data = json_find(call->body, "data");
  event.data = to_text(data == nullptr ? Json(nullptr) : *data);
  if (event.data.size() > kMostDataBytes) {
    Error error(codes::event_too_large,
                fmt::format("the data of an event has at most {} KiB", kMostDataBytes >> 10));
    error.issues.push_back({"/data", error.code, error.message});
    return reply(error);
  }
  event.source = R"({"type":"api"})";
  event.root = event.id;
  event.at = s.clock.now();
  const auto answer = to_json(event);
  auto shared = std::make_shared<Reply>(std::move(reply));
  auto entry = call->entry_for(event.id, event.at);
  s.runtime.publish(std::move(event), std::move(entry),
                    [&s, call, shared, answer](ports::WriteOutcome outcome) {
                      if (outcome == ports::WriteOutcome::committed)
                        return (*shared)(json_response(202, answer));
                      answer_as_before(s, call, std::move(*shared));
                    });
}

Result<net::Response> list_subscriptions(const EventHub& hub, const Call& call) {
  std::optional<WorkflowId> wanted;
  if (call.has("workflow")) {
    const auto id = parse_uuid<WorkflowId>(call.text("workflow"));
    if (!id) return id.error();
    wanted = *id;
  }
  JsonArray results;
  for (const auto& one : hub.list()) {
    if (wanted && one->workflow != *wanted) continue;
    results.push_back(JsonObject{{"workflow", to_string(one->workflow)},
                                 {"workflow_name", one->workflow_name},
                                 {"version", one->version},
                                 {"trigger", one->trigger.id},
                                 {"name", one->trigger.name},
                                 {"has_filter", one->trigger.filter.has_value()}});
  }
  const auto count = results.size();
  return json_response(200, JsonObject{{"count", count}, {"next", nullptr}, {"results", std::move(results)}});
}

}  // namespace

void install_events(Router& router, Services& s, EventHub& hub) {
  router.add_blocking(Operation::list_published_events, [&s](const Call& call) { return list(s, call); });
  router.add_blocking(Operation::get_published_event,
                      [&s](const Call& call) { return get(s, call.id<EventId>()); });
  router.add(Operation::publish_event, [&s](const CallPtr& call, Reply& reply) { publish(s, call, reply); });
  router.add_blocking(Operation::list_subscriptions,
                      [&hub](const Call& call) { return list_subscriptions(hub, call); });
}

}  // namespace fp::api
