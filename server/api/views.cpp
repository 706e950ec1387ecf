#include "api/views.hpp"

#include "base/json_parse.hpp"

namespace fp::api {

namespace {

constexpr std::string_view kAdded[] = {"id",       "version",    "is_draft",   "published_version", "enabled",
                                       "revision", "created_by", "created_at", "updated_at",        "issues"};

Json maybe(const std::optional<TimePoint>& time) {
  return time ? Json(to_rfc3339(*time)) : Json(nullptr);
}
template <class Id>
Json maybe_id(const std::optional<Id>& id) {
  return id ? Json(to_string(*id)) : Json(nullptr);
}
Json maybe_text(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

JsonObject head_of(const ports::WorkflowRecord& record) {
  const bool is_draft = record.version == 0 || record.draft_hash != record.version_hash;
  return {{"id", to_string(record.id)},
          {"version", is_draft ? record.newest_version + 1 : record.version},
          {"is_draft", is_draft},
          {"published_version", record.version == 0 ? Json(nullptr) : Json(record.version)},
          {"enabled", record.enabled},
          {"revision", record.revision},
          {"created_by", record.created_by},
          {"created_at", to_rfc3339(record.created_at)},
          {"updated_at", to_rfc3339(record.updated_at)}};
}

}  // namespace

Json to_json(const std::vector<Issue>& issues) {
  JsonArray out;
  for (const auto& issue : issues)
    out.push_back(JsonObject{{"pointer", issue.pointer}, {"code", issue.code}, {"message", issue.message}});
  return out;
}

Json to_resource(const ports::WorkflowRecord& record, const std::vector<Issue>& issues) {
  auto out = head_of(record);
  out["issues"] = to_json(issues);
  const auto draft = parse_trusted_json(record.draft);
  for (const auto& member : draft.get_object()) out.emplace(member.key(), member.value());
  return out;
}

Json to_summary(const ports::WorkflowRecord& record) {
  auto out = head_of(record);
  const auto draft = parse_trusted_json(record.draft);
  const auto* steps = json_find(draft, "steps");
  JsonArray tags;
  for (const auto& tag : record.tags) tags.emplace_back(tag);
  out["name"] = record.name;
  out["description"] = json_string(draft, "description");
  out["tags"] = std::move(tags);
  out["steps"] = steps != nullptr && steps->is_array() ? steps->get_array().size() : 0;
  out["is_valid"] = record.draft_valid;
  return out;
}

Json to_summary(const ports::ExecutionSummary& summary) {
  return JsonObject{
      {"id", to_string(summary.id)},
      {"workflow", maybe_id(summary.workflow)},
      {"workflow_name", summary.workflow_name},
      {"workflow_version", summary.workflow_version == 0 ? Json(nullptr) : Json(summary.workflow_version)},
      {"workflow_hash", summary.version_hash},
      {"status", summary.status},
      {"trigger", summary.trigger},
      {"started_at", to_rfc3339(summary.started_at)},
      {"completed_at", maybe(summary.completed_at)},
      {"error_message", maybe_text(summary.error_message)},
      {"error_code", maybe_text(summary.error_code)},
      {"retry_of", maybe_id(summary.retry_of)},
      {"parent", maybe_id(summary.parent)},
      {"labels", summary.labels.is_object() ? summary.labels : Json(JsonObject())}};
}

Json to_brief(const ports::ExecutionSummary& summary) {
  return JsonObject{{"id", to_string(summary.id)},
                    {"status", summary.status},
                    {"started_at", to_rfc3339(summary.started_at)},
                    {"completed_at", maybe(summary.completed_at)}};
}

JsonObject outline(const Json& document) {
  const auto* tags = json_find(document, "tags");
  const auto* steps = json_find(document, "steps");
  return {{"name", json_string(document, "name")},
          {"description", json_string(document, "description")},
          {"tags", tags != nullptr && tags->is_array() ? *tags : Json(JsonArray())},
          {"steps", steps != nullptr && steps->is_array() ? steps->get_array().size() : 0}};
}

Json to_resource(const ports::PublishedVersion& version, const ports::WorkflowRecord& record) {
  return JsonObject{{"version", version.number},
                    {"hash", version.hash},
                    {"note", version.note},
                    {"published_by", version.published_by},
                    {"published_at", to_rfc3339(version.published_at)},
                    {"is_published", record.version == version.number}};
}

Json strip_resource(Json document) {
  if (!document.is_object()) return document;
  for (const auto name : kAdded) document.get_object().erase(name);
  return document;
}

}  // namespace fp::api
