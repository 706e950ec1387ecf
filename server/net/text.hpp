#pragma once

#include "base/text.hpp"

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace fp::net {

constexpr char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

/// ASCII only, as HTTP compares names.
constexpr bool equals_ignoring_case(std::string_view left, std::string_view right) {
  return left.size() == right.size() && std::equal(left.begin(), left.end(), right.begin(),
                                                   [](char a, char b) { return to_lower(a) == to_lower(b); });
}

/// Without blanks and tabs at both ends.
constexpr std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Calls `visit` with each part of a list separated by `separator`, trimmed.
template <class Visit>
constexpr void for_each_part(std::string_view list, char separator, Visit visit) {
  while (!list.empty()) {
    const auto end = std::min(list.find(separator), list.size());
    visit(trim(list.substr(0, end)));
    list.remove_prefix(std::min(end + 1, list.size()));
  }
}

/// Is `token` an element of a comma-separated list, compared without case?
constexpr bool list_has(std::string_view list, std::string_view token) {
  bool found = false;
  for_each_part(list, ',',
                [&](std::string_view part) { found = found || equals_ignoring_case(part, token); });
  return found;
}

}  // namespace fp::net
