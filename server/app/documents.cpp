#include "app/documents.hpp"

#include "app/files.hpp"
#include "base/error_code.hpp"
#include "base/json_parse.hpp"
#include "model/suggest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

namespace fp::app {

namespace {

/// The line of an issue's value, or of the nearest value around it.
std::size_t find_line(const std::unordered_map<std::string, std::size_t>& lines, std::string pointer) {
  while (true) {
    const auto found = lines.find(pointer);
    if (found != lines.end()) return found->second;
    const auto slash = pointer.rfind('/');
    if (slash == std::string::npos) return 0;
    pointer.resize(slash);
  }
}

}  // namespace

Result<std::shared_ptr<const model::Workflow>> load_workflow(const std::string& path,
                                                             const model::TaskTypeRegistry& types,
                                                             const model::SyntaxCheck& check_syntax) {
  const model::ReadLimits limits;
  const auto text = read_file(path, limits.max_bytes);
  if (!text) return text.error();
  std::unordered_map<std::string, std::size_t> lines;
  auto document = model::parse_document(*text, limits, &lines);
  if (!document) {
    Error error = document.error();
    error.message = fmt::format("{}: {}", path, error.message);
    return error;
  }
  auto workflow = model::read_workflow(std::move(*document), types, check_syntax, limits);
  if (workflow) return workflow;
  Error error = workflow.error();
  error.message = fmt::format("{}: {}", path, error.message);
  for (auto& issue : error.issues) {
    if (const auto line = find_line(lines, issue.pointer); line > 0)
      issue.message = fmt::format("line {}: {}", line, issue.message);
  }
  return error;
}

namespace {

void add_named_workflows(const model::Workflow& workflow, std::set<std::string>& names) {
  if (!workflow.settings.on_failure.empty()) names.insert(workflow.settings.on_failure);
  for (const auto& step : workflow.steps) {
    if (step.type->type == "workflow" && step.constant_config)
      names.insert(json_string(*step.constant_config, "workflow"));
    if (step.type->type != "workflow" || step.constant_config) continue;
    if (const auto* name = step.config.find("workflow"); name != nullptr && name->is_constant())
      names.insert(to_display_text(name->constant()));
  }
}

}  // namespace

std::vector<std::shared_ptr<const model::Workflow>> find_children(const std::string& path,
                                                                  const model::Workflow& workflow,
                                                                  const model::TaskTypeRegistry& types) {
  std::vector<std::shared_ptr<const model::Workflow>> out;
  std::set<std::string> wanted;
  add_named_workflows(workflow, wanted);
  if (wanted.empty() || path == "-") return out;
  std::error_code ec;
  std::vector<std::shared_ptr<const model::Workflow>> beside;
  const auto folder = std::filesystem::absolute(path, ec).parent_path();
  for (const auto& entry : std::filesystem::directory_iterator(folder, ec)) {
    const auto extension = entry.path().extension();
    if (extension != ".yaml" && extension != ".yml" && extension != ".json") continue;
    if (auto found = load_workflow(entry.path().string(), types, {})) beside.push_back(*found);
  }
  for (bool found = true; found;) {
    found = false;
    for (const auto& candidate : beside) {
      const bool known = std::find(out.begin(), out.end(), candidate) != out.end();
      if (known || !wanted.contains(candidate->name)) continue;
      out.push_back(candidate);
      add_named_workflows(*candidate, wanted);
      found = true;
    }
  }
  return out;
}

Result<std::pair<std::string, std::string>> split_pair(const std::string& text, const std::string& what) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0)
    return Error(codes::usage_pair, fmt::format("{} wants NAME=VALUE, not {}", what, model::quote(text)));
  return std::pair(text.substr(0, equals), text.substr(equals + 1));
}

Result<Json> read_pairs(const std::vector<std::string>& pairs, const Json& schema, const std::string& what) {
  JsonObject out;
  for (const auto& pair : pairs) {
    auto split = split_pair(pair, what);
    if (!split) return split.error();
    const auto& [key, text] = *split;
    const auto* properties = json_find(schema, "properties");
    const auto* property = properties == nullptr ? nullptr : json_find(*properties, key);
    const auto* type = property == nullptr ? nullptr : json_find(*property, "type");
    const bool is_text = type != nullptr && *type == Json("string");
    auto parsed = parse_json(text);
    out[key] = is_text || !parsed ? Json(text) : std::move(*parsed);
  }
  return Json(std::move(out));
}

}  // namespace fp::app
