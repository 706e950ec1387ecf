#pragma once

#include "ports/store.hpp"
#include "store/sqlite/connection.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fp::store {

/// The sixteen summary columns, in the order in which every query of summaries gives them.
ports::ExecutionSummary read_summary(const Statement& row);
ports::WorkflowVersion read_version(const Statement& row);
ports::IdempotencyEntry read_idempotency(const Statement& row);

/// The lines of one commit as one JSON text and back. Bytes that are not UTF-8 survive.
std::string to_log_text(const std::vector<ports::StoredLogLine>& lines);
std::vector<ports::StoredLogLine> from_log_text(std::string_view text);

/// An optional text condition: nothing when it is empty.
inline std::optional<std::string_view> text_or_null(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional<std::string_view>(text);
}

}  // namespace fp::store
