#pragma once

#include "ports/store.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fp::store {

/// What an ExecutionFilter asks for, in the words in which every engine looks for it. Empty parts are no
/// condition.
struct ExecutionQuery {
  explicit ExecutionQuery(const ports::ExecutionFilter& filter);
  bool fits(const ports::ExecutionSummary& summary) const;
  /// Is there no condition but status and workflow, by which executions are counted as they are written?
  bool is_counted() const;

  bool is_impossible = false;         // nothing can fit
  std::vector<std::string> statuses;  // any of these
  std::optional<WorkflowId> workflow;
  std::string workflow_name;
  std::string label;         // one of these is in label_text()
  std::string scalar_label;  // the same for a value that is no text
  std::string text;          // in lower case
  std::string id_digits;     // upper-case hex digits of an id
  ports::ExecutionFilter filter;
};

/// The seven statuses an execution can have.
const std::vector<std::string>& execution_statuses();

/// The labels as a list of `,"key":value,` in which labels are looked for.
std::string label_text(const Json& labels);

std::string to_lower_ascii(std::string_view text);
bool contains_ignoring_case(std::string_view text, std::string_view lower_case);

/// Name and description of a workflow, in lower case, as searches see them.
std::string search_text(const ports::WorkflowRecord& record);
/// As it stands in the JSON text of `tags` without its brackets and with a comma at both ends.
std::string tag_needle(std::string_view tag);
bool fits(const ports::WorkflowFilter& filter, const ports::WorkflowRecord& record);

/// Which lines of a log a filter lets through; `after` and `newest` are the caller's.
class LogMatcher {
 public:
  explicit LogMatcher(const ports::LogFilter& filter);
  bool fits(const ports::StoredLogLine& line) const;

 private:
  const ports::LogFilter& filter_;
  std::string search_;
  int lowest_;
};

}  // namespace fp::store
