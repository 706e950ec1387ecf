#include "app/client/output.hpp"

#include "model/yaml_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

namespace fp::app {

namespace {

/// Control characters of data must not reach a terminal.
std::string cell_of(const Json& row, const std::string& member) {
  const auto* value = json_find(row, member);
  if (value == nullptr || value->is_null()) return "-";
  auto text = to_display_text(*value);
  for (auto& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  constexpr std::size_t kMost = 80;
  if (text.size() > kMost) text = text.substr(0, kMost - 3) + "...";
  return text;
}

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

void print_text(const Json& value, Format format) {
  const auto text = format == Format::yaml ? model::to_yaml_text(value) : to_pretty_text(value) + "\n";
  std::fwrite(text.data(), 1, text.size(), stdout);
}

}  // namespace

Format parse_format(const std::string& text) {
  return text == "json" ? Format::json : text == "yaml" ? Format::yaml : Format::table;
}

void print_rows(const Json& rows, const std::vector<Column>& columns, Format format) {
  if (format != Format::table) return print_text(rows, format);
  std::vector<std::vector<std::string>> cells(1);
  for (const auto& column : columns) cells.front().push_back(column.heading);
  for (const auto& row : rows.get_array()) {
    auto& line = cells.emplace_back();
    for (const auto& column : columns) line.push_back(cell_of(row, column.member));
  }
  std::vector<std::size_t> widths(columns.size());
  for (const auto& line : cells) {
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], width_of(line[i]));
  }
  std::string out;
  for (const auto& line : cells) {
    for (std::size_t i = 0; i < line.size(); ++i) {
      out += line[i];
      if (i + 1 < line.size()) out.append(widths[i] + 2 - width_of(line[i]), ' ');
    }
    out += '\n';
  }
  std::fwrite(out.data(), 1, out.size(), stdout);
}

void print_object(const Json& object, const std::vector<Column>& members, Format format) {
  if (format != Format::table) return print_text(object, format);
  std::size_t width = 0;
  for (const auto& member : members) width = std::max(width, member.heading.size());
  for (const auto& member : members)
    fmt::print("{:<{}}  {}\n", member.heading, width, cell_of(object, member.member));
}

}  // namespace fp::app
