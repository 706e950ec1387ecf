#include "base/json_parse.hpp"

#include <cstdlib>
#include <string_view>

/// What was read must come back the same from its own text.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto parsed = fp::parse_json({reinterpret_cast<const char*>(data), size});
  if (!parsed) return 0;
  const auto text = fp::to_text(*parsed);
  const auto again = fp::parse_json(text, {.max_bytes = text.size() + 1});
  if (!again || fp::to_text(*again) != text || fp::to_text(fp::parse_trusted_json(text)) != text)
    std::abort();
  return 0;
}
