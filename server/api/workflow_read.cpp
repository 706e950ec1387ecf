#include "api/cursor.hpp"
#include "api/diff.hpp"
#include "api/schedule_limits.hpp"
#include "api/services.hpp"
#include "api/views.hpp"
#include "base/error_code.hpp"
#include "base/json_parse.hpp"
#include "model/yaml_text.hpp"

#include <fmt/format.h>

namespace fp::api {

namespace {

using Response = net::Response;

/// What keeps a draft from being published.
std::vector<Issue> issues_of(Services& services, const KnownWorkflow& known) {
  if (known.draft) return {};
  const auto read = read_document(services, parse_trusted_json(known.record.draft));
  return read ? std::vector<Issue>() : read.error().issues;
}

/// The newest executions of one workflow: a walk of `count` rows along an index, however many there are.
Json list_recent(Services& services, const WorkflowId& id, std::size_t count) {
  ports::ExecutionFilter filter;
  filter.workflow = to_string(id);
  JsonArray out;
  for (const auto& summary : services.store.list_executions(filter, std::nullopt, count).items)
    out.push_back(to_brief(summary));
  return out;
}

Result<Response> list(Services& services, const Call& call) {
  std::optional<WorkflowId> after;
  if (call.has("cursor")) {
    const auto position = decode_cursor("workflows", call.text("cursor"));
    if (!position) return position.error();
    after = *parse_uuid<WorkflowId>(*position);
  }
  const auto page = services.store.list_workflows(
      {call.text("search"), call.text("tag"), call.text("status")}, after, call.number("limit"));
  const auto recent = call.number("recent");
  JsonArray results;
  for (const auto& record : page.items) {
    results.push_back(to_summary(record));
    if (recent > 0) results.back().get_object()["recent"] = list_recent(services, record.id, recent);
  }
  return json_response(
      200, JsonObject{
               {"count", page.count},
               {"next", page.next ? Json(encode_cursor("workflows", to_string(*page.next))) : Json(nullptr)},
               {"results", std::move(results)}});
}

Result<Response> get(Services& services, const Call& call) {
  const auto known = services.directory.load(call.id<WorkflowId>());
  if (!known) return known.error();
  auto out = json_response(200, to_resource((*known)->record, issues_of(services, **known)),
                           (*known)->record.revision);
  const auto* seen = net::find_field(call.request.headers, "If-None-Match");
  if (seen != nullptr && *seen == out.headers.back().second) {
    out.status = 304;
    out.body.clear();
  }
  return out;
}

Result<Response> list_versions(Services& services, const Call& call) {
  const auto known = services.directory.load(call.id<WorkflowId>());
  if (!known) return known.error();
  const auto& record = (*known)->record;
  std::optional<std::uint32_t> below;
  if (call.has("cursor")) {
    const auto position = decode_cursor("versions", call.text("cursor"));
    if (!position) return position.error();
    below = static_cast<std::uint32_t>(std::stoul(*position));
  }
  const auto limit = call.number("limit");
  const auto versions = services.store.list_published(record.id, below, limit);
  JsonArray results;
  for (const auto& version : versions) results.push_back(to_resource(version, record));
  const bool more = versions.size() == limit && versions.back().number > 1;
  return json_response(
      200, JsonObject{{"count", record.newest_version},
                      {"next", more ? Json(encode_cursor("versions", std::to_string(versions.back().number)))
                                    : Json(nullptr)},
                      {"results", std::move(results)}});
}

/// The document of a published version by its number, or of the draft.
Result<Json> load_document(Services& services, const KnownWorkflow& known, const std::string& which) {
  if (which == "draft") return parse_trusted_json(known.record.draft);
  const auto version =
      services.store.find_published(known.record.id, static_cast<std::uint32_t>(std::stoul(which)));
  const auto stored = version ? services.store.find_version(version->hash) : std::nullopt;
  if (!stored) return Error(codes::not_found, fmt::format("there is no version {} of this workflow", which));
  return parse_trusted_json(stored->document);
}

Result<Response> get_version(Services& services, const Call& call) {
  const auto known = services.directory.load(call.id<WorkflowId>());
  if (!known) return known.error();
  const auto number = static_cast<std::uint32_t>(call.number("number"));
  const auto version = services.store.find_published((*known)->record.id, number);
  if (!version)
    return Error(codes::not_found, fmt::format("there is no version {} of this workflow", number));
  auto document = load_document(services, **known, std::to_string(number));
  if (!document) return document.error();
  auto out = to_resource(*version, (*known)->record);
  out.get_object()["document"] = std::move(*document);
  return json_response(200, out);
}

Result<Response> diff(Services& services, const Call& call) {
  const auto known = services.directory.load(call.id<WorkflowId>());
  if (!known) return known.error();
  const auto published = (*known)->record.version;
  const auto from = call.has("from") ? call.text("from")
                    : published == 0 ? "draft"
                                     : std::to_string(published);
  const auto to = call.has("to") ? call.text("to") : "draft";
  const auto before = load_document(services, **known, from);
  if (!before) return before.error();
  const auto after = load_document(services, **known, to);
  if (!after) return after.error();
  auto out = diff_documents(*before, *after);
  out["from"] = from;
  out["to"] = to;
  return json_response(200, out);
}

std::string file_name(const std::string& name) {
  std::string out;
  for (const char c : name)
    out += std::isalnum(static_cast<unsigned char>(c)) != 0
               ? static_cast<char>(std::tolower(static_cast<unsigned char>(c)))
               : '-';
  return out.empty() ? "workflow" : out.substr(0, 60);
}

Result<Response> export_document(Services& services, const Call& call) {
  const auto known = services.directory.load(call.id<WorkflowId>());
  if (!known) return known.error();
  const auto document =
      load_document(services, **known, call.has("version") ? call.text("version") : "draft");
  if (!document) return document.error();
  const bool as_yaml = call.text("format") == "yaml";
  Response out;
  out.content_type = as_yaml ? "application/yaml" : "application/json";
  out.body = as_yaml ? model::to_yaml_text(*document) : to_pretty_text(*document) + "\n";
  out.headers.emplace_back("Content-Disposition",
                           fmt::format("attachment; filename=\"{}.{}\"", file_name((*known)->record.name),
                                       as_yaml ? "yaml" : "json"));
  return out;
}

Result<Response> validate(Services& services, const Call& call) {
  auto document = strip_resource(call.body);
  const auto read = read_document(services, document);
  return json_response(200, JsonObject{{"valid", read.has_value()},
                                       {"errors", read ? Json(JsonArray()) : to_json(read.error().issues)},
                                       {"document", std::move(document)}});
}

}  // namespace

void install_workflow_reads(Router& router, Services& services) {
  const auto add = [&](Operation operation, Result<Response> (*handler)(Services&, const Call&)) {
    router.add_blocking(operation, [&services, handler](Call& call) { return handler(services, call); });
  };
  add(Operation::list_workflows, list);
  add(Operation::get_workflow, get);
  add(Operation::list_versions, list_versions);
  add(Operation::get_version, get_version);
  add(Operation::diff_versions, diff);
  add(Operation::export_workflow, export_document);
  add(Operation::validate_workflow, validate);
}

}  // namespace fp::api
