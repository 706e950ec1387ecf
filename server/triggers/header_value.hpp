#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fp::triggers {

/// A header's value with parameters: `form-data; name="a"` (RFC 9110 section 5.6.6).
struct HeaderValue {
  std::string value;                                        // before the first `;`, in lower case
  std::vector<std::pair<std::string, std::string>> params;  // names in lower case, values without quotes
  bool is_whole = true;  // nothing in it was left out because it is no parameter, or was there before

  /// "" when there is none.
  std::string_view find(std::string_view name) const;
  bool has(std::string_view name) const;
};
HeaderValue parse_header_value(std::string_view text);

/// Letters of ASCII in lower case.
std::string to_lower(std::string_view text);
/// Without spaces and tabs at its ends.
std::string_view trim_blanks(std::string_view text);

}  // namespace fp::triggers
