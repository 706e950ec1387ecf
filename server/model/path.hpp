#pragma once

#include "base/json.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace fp::model {

/// A plain read such as `steps.crm.output.data.items[0].sku`: names and list positions, nothing else. These
/// need no JavaScript engine.
struct Path {
  using Segment = std::variant<std::string, std::uint32_t>;
  std::vector<Segment> segments;  // the first one is always a name: the root
  const std::string& root() const { return std::get<std::string>(segments.front()); }
  bool operator==(const Path&) const = default;
};

/// The path when `source` is one; nullopt for every other expression. Names are ASCII identifiers or quoted
/// in brackets; `length` of a list or text counts as a name.
std::optional<Path> parse_path(std::string_view source);
/// As people write it.
std::string to_string(const Path& path, std::size_t segments = SIZE_MAX);

/// Follows path.segments[from...] into `start`, which is what the segments before it gave. A member that is
/// missing is `expr.undefined`, with a sentence that names the fields that do exist. `length` has no place in
/// the value, so it is written to `scratch`, which must outlive the result.
Result<const Json*> walk(const Json& start, const Path& path, std::size_t from, Json& scratch);

/// "`steps.crm.output.dta` is undefined: `output` has `data`, `headers`". `holder` is where the member was
/// looked for.
Error undefined_error(const Path& path, std::size_t missing, const Json& holder);

}  // namespace fp::model
