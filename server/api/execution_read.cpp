#include "api/cursor.hpp"
#include "api/filter.hpp"
#include "api/services.hpp"
#include "api/views.hpp"
#include "base/error_code.hpp"
#include "base/json_parse.hpp"
#include "runtime/execution_view.hpp"

#include <fmt/format.h>

#include <charconv>

namespace fp::api {

namespace {

using Response = net::Response;

/// How many matching rows a count looks for when it is not kept as it is written.
constexpr std::uint64_t kCountAtMost = 1000;

Result<Response> list(Services& s, const Call& call) {
  const auto filter = read_filter([&](std::string_view name) { return call.text(name); });
  if (!filter) return filter.error();
  std::optional<std::uint64_t> before;
  if (call.has("cursor")) {
    const auto position = decode_cursor("executions", call.text("cursor"));
    if (!position) return position.error();
    std::uint64_t number = 0;
    std::from_chars(position->data(), position->data() + position->size(), number);
    before = number;
  }
  const auto page = s.store.list_executions(*filter, before, call.number("limit"));
  const auto count = s.store.count_executions(*filter, kCountAtMost);
  JsonArray results;
  for (const auto& summary : page.items) results.push_back(to_summary(summary));
  return json_response(
      200, JsonObject{{"count", count.count},
                      {"count_is_exact", count.is_exact},
                      {"next", page.next ? Json(encode_cursor("executions", std::to_string(*page.next)))
                                         : Json(nullptr)},
                      {"results", std::move(results)}});
}

Result<Response> get(Services& s, const Call& call) {
  auto resource = load_resource(s, call.id<ExecutionId>());
  if (!resource) return resource.error();
  return json_response(200, *resource);
}

/// Versions are kept by their hash, a draft that ran like any other.
Result<Response> get_workflow(Services& s, const Call& call) {
  const auto id = call.id<ExecutionId>();
  const auto summary = s.store.find_execution(id);
  const auto version = summary ? s.store.find_version(summary->version_hash) : std::nullopt;
  if (!version) return Error(codes::not_found, fmt::format("there is no execution {}", to_string(id)));
  return json_response(
      200, JsonObject{{"workflow", summary->workflow ? Json(to_string(*summary->workflow)) : Json(nullptr)},
                      {"workflow_name", summary->workflow_name},
                      {"workflow_version",
                       summary->workflow_version == 0 ? Json(nullptr) : Json(summary->workflow_version)},
                      {"workflow_hash", summary->version_hash},
                      {"document", parse_trusted_json(version->document)}});
}

Json to_json(const ports::StoredLogLine& line) {
  return JsonObject{{"number", line.number},
                    {"at", to_rfc3339(line.line.at)},
                    {"level", line.line.level},
                    {"step", line.step},
                    {"index", line.index < 0 ? Json(nullptr) : Json(line.index)},
                    {"attempt", line.attempt},
                    {"text", line.line.text}};
}

Result<Response> list_logs(Services& s, const Call& call) {
  const auto id = call.id<ExecutionId>();
  if (!s.store.find_execution(id))
    return Error(codes::not_found, fmt::format("there is no execution {}", to_string(id)));
  ports::LogFilter filter;
  filter.step = call.text("step");
  if (call.has("index")) filter.index = static_cast<std::int64_t>(call.number("index"));
  if (call.has("attempt")) filter.attempt = static_cast<std::uint32_t>(call.number("attempt"));
  filter.lowest_level = call.text("level");
  filter.search = call.text("search");
  filter.after = call.number("after");
  filter.newest = call.has("tail");
  const auto page = s.store.list_log(id, filter, call.number(filter.newest ? "tail" : "limit"));
  JsonArray results;
  for (const auto& line : page.lines) results.push_back(to_json(line));
  const bool more = page.more && !filter.newest;
  return json_response(200, JsonObject{{"next", more ? Json(page.lines.back().number) : Json(nullptr)},
                                       {"results", std::move(results)}});
}

}  // namespace

Result<ports::ExecutionFilter> read_filter(const std::function<std::string(std::string_view)>& text) {
  ports::ExecutionFilter out;
  out.workflow = text("workflow");
  out.trigger = text("trigger");
  out.label = text("label");
  out.search = text("search");
  const auto status = text("status");
  for (std::size_t from = 0; from < status.size();) {
    const auto to = std::min(status.find(',', from), status.size());
    out.status.push_back(status.substr(from, to - from));
    from = to + 1;
  }
  const auto read_time = [&](std::string_view name) -> std::optional<TimePoint> {
    const auto time = parse_rfc3339(text(name));
    return time ? std::optional(*time) : std::nullopt;  // the schema has checked its format
  };
  out.since = read_time("since");
  out.until = read_time("until");
  const auto read_id = [&](std::string_view name) -> std::optional<ExecutionId> {
    const auto id = parse_uuid<ExecutionId>(text(name));
    return id ? std::optional(*id) : std::nullopt;
  };
  out.parent = read_id("parent");
  out.retry_of = read_id("retry_of");
  return out;
}

void install_execution_reads(Router& router, Services& s) {
  router.add_blocking(Operation::list_executions, [&s](Call& call) { return list(s, call); });
  router.add_blocking(Operation::get_execution, [&s](Call& call) { return get(s, call); });
  router.add_blocking(Operation::get_execution_workflow, [&s](Call& call) { return get_workflow(s, call); });
  router.add_blocking(Operation::list_logs, [&s](Call& call) { return list_logs(s, call); });
}

}  // namespace fp::api
