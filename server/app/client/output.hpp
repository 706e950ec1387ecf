#pragma once

#include "base/json.hpp"

#include <string>
#include <vector>

namespace fp::app {

enum class Format { table, json, yaml };
Format parse_format(const std::string& text);

/// A column of a table: a member of each row, and its heading.
struct Column {
  std::string member;
  std::string heading;
};
/// Rows on stdout: aligned columns, or the rows as they are.
void print_rows(const Json& rows, const std::vector<Column>& columns, Format format);
/// One object on stdout: `NAME: value` lines of the members named, or the whole object.
void print_object(const Json& object, const std::vector<Column>& members, Format format);

}  // namespace fp::app
