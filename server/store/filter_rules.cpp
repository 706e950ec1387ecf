#include "store/filter_rules.hpp"

#include "base/json_parse.hpp"

#include <algorithm>

namespace fp::store {

using namespace fp::ports;

namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Dashes are left out; empty when the text can not be part of an id.
std::string id_digits_of(std::string_view text) {
  std::string digits;
  for (const char c : text) {
    if (c == '-') continue;
    const char small = lower(c);
    const bool is_digit = (small >= '0' && small <= '9') || (small >= 'a' && small <= 'f');
    if (!is_digit) return {};
    digits += small >= 'a' ? static_cast<char>(small - 'a' + 'A') : small;
  }
  return digits;
}

std::vector<std::string> wanted_statuses(const ExecutionFilter& filter) {
  std::vector<std::string> wanted;
  for (const auto& status : execution_statuses()) {
    const bool asked =
        filter.status.empty() || std::ranges::find(filter.status, status) != filter.status.end();
    if (asked && !(filter.unfinished_only && is_terminal_status(status))) wanted.push_back(status);
  }
  return wanted;
}

std::string hex_digits(const ExecutionId& id) {
  auto digits = to_hex(id.bytes);
  for (auto& c : digits) c = c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c;
  return digits;
}

/// A list or object without its brackets, between commas: every member is `,member,`.
std::string between_commas(const std::string& json) {
  return json.size() < 2 ? "," : "," + json.substr(1, json.size() - 2) + ",";
}

std::string_view workflow_status(const WorkflowRecord& record) {
  if (!record.enabled) return "disabled";
  return record.version > 0 ? "published" : "draft";
}

int level_rank(std::string_view level) {
  if (level == "debug") return 0;
  if (level == "warning") return 2;
  return level == "error" ? 3 : 1;
}

}  // namespace

const std::vector<std::string>& execution_statuses() {
  static const std::vector<std::string> kStatuses = {"pending",   "running", "waiting",  "paused",
                                                     "completed", "failed",  "cancelled"};
  return kStatuses;
}

std::string to_lower_ascii(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), lower);
  return out;
}

bool contains_ignoring_case(std::string_view text, std::string_view lower_case) {
  const auto same = [](char a, char b) { return lower(a) == b; };
  return lower_case.empty() || !std::ranges::search(text, lower_case, same).empty();
}

std::string label_text(const Json& labels) {
  return between_commas(to_text(labels));
}

ExecutionQuery::ExecutionQuery(const ExecutionFilter& asked) : filter(asked) {
  if (!filter.status.empty() || filter.unfinished_only) {
    statuses = wanted_statuses(filter);
    is_impossible = statuses.empty();
    if (statuses.size() == execution_statuses().size()) statuses.clear();
  }
  if (const auto id = parse_uuid<WorkflowId>(filter.workflow)) {
    workflow = *id;
  } else {
    workflow_name = filter.workflow;
  }
  if (!filter.label.empty()) {
    const auto equals = filter.label.find('=');
    label = "," + to_text(Json(filter.label.substr(0, equals))) + ":";
    if (equals != std::string::npos) {
      const auto value = filter.label.substr(equals + 1);
      scalar_label = label + value + ",";
      label += to_text(Json(value)) + ",";
    }
  }
  text = to_lower_ascii(filter.search);
  id_digits = id_digits_of(filter.search);
}

bool ExecutionQuery::is_counted() const {
  return filter.trigger.empty() && filter.label.empty() && filter.search.empty() && !filter.since &&
         !filter.until && !filter.parent && !filter.retry_of;
}

bool ExecutionQuery::fits(const ExecutionSummary& summary) const {
  if (is_impossible) return false;
  if (!statuses.empty() && std::ranges::find(statuses, summary.status) == statuses.end()) return false;
  if (workflow && summary.workflow != workflow) return false;
  if (!workflow_name.empty() && summary.workflow_name != workflow_name) return false;
  if (!filter.trigger.empty() && summary.trigger != filter.trigger) return false;
  if (filter.since && summary.started_at < *filter.since) return false;
  if (filter.until && summary.started_at >= *filter.until) return false;
  if (filter.parent && summary.parent != filter.parent) return false;
  if (filter.retry_of && summary.retry_of != filter.retry_of) return false;
  if (label.empty() && text.empty()) return true;
  const auto labels = label_text(summary.labels);
  const bool has_label = label.empty() || labels.find(label) != std::string::npos ||
                         (!scalar_label.empty() && labels.find(scalar_label) != std::string::npos);
  if (!has_label || text.empty()) return has_label;
  return contains_ignoring_case(summary.workflow_name, text) ||
         contains_ignoring_case(summary.error_code, text) ||
         contains_ignoring_case(summary.error_message, text) ||
         contains_ignoring_case(to_text(summary.labels), text) ||
         (!id_digits.empty() && hex_digits(summary.id).find(id_digits) != std::string::npos);
}

std::string search_text(const WorkflowRecord& record) {
  std::string description;
  // A draft saved with mistakes may be any JSON.
  if (const auto draft = parse_json(record.draft, {.max_bytes = 16 << 20, .max_depth = 256}))
    description = json_string(*draft, "description");
  return to_lower_ascii(record.name + "\n" + description);
}

std::string tag_needle(std::string_view tag) {
  return "," + to_text(Json(tag)) + ",";
}

bool fits(const WorkflowFilter& filter, const WorkflowRecord& record) {
  if (record.deleted_at) return false;
  if (!filter.status.empty() && filter.status != workflow_status(record)) return false;
  if (!filter.tag.empty() && std::ranges::find(record.tags, filter.tag) == record.tags.end()) return false;
  return filter.search.empty() ||
         search_text(record).find(to_lower_ascii(filter.search)) != std::string::npos;
}

LogMatcher::LogMatcher(const LogFilter& filter)
    : filter_(filter), search_(to_lower_ascii(filter.search)), lowest_(level_rank(filter.lowest_level)) {}

bool LogMatcher::fits(const StoredLogLine& line) const {
  if (!filter_.step.empty() && line.step != filter_.step) return false;
  if (filter_.index && line.index != *filter_.index) return false;
  if (filter_.attempt && line.attempt != *filter_.attempt) return false;
  if (!filter_.lowest_level.empty() && level_rank(line.line.level) < lowest_) return false;
  return contains_ignoring_case(line.line.text, search_);
}

}  // namespace fp::store
