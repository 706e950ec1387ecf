#include "model/template.hpp"

#include <cstdlib>
#include <string>
#include <string_view>

/// The scanner stays inside the text, and a path reads the same after it was written.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto end = fp::model::find_expression_end(text, 0);
  if (end != std::string_view::npos && text.substr(end, 2) != "}}") std::abort();
  if (const auto path = fp::model::parse_path(text)) {
    if (fp::model::parse_path(fp::model::to_string(*path)) != path) std::abort();
  }
  std::vector<fp::Issue> issues;
  const auto parsed = fp::model::Template::parse(fp::Json(text), "/x", issues);
  for (const auto& [pointer, expression] : parsed.list_expressions()) {
    if (expression->source.size() > size) std::abort();
  }
  return 0;
}
