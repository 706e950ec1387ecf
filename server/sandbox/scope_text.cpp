#include "sandbox/scope_text.hpp"

#include <algorithm>

namespace fp::sandbox {

namespace {

struct Part {
  std::string_view rest;  // of the path, at this depth
  const Json* value;
};

/// The object of `parts`, which share the path up to here, in the order in which names first appear. What has
/// no value yet is left out, so that reading it gives undefined.
void append_object(std::string& out, std::vector<Part> parts, std::vector<std::string>* names) {
  out.push_back('{');
  while (!parts.empty()) {
    std::string_view rest = parts.front().rest;
    const std::string_view name = take_segment(rest);
    const bool is_value = rest.empty();
    const Json* value = parts.front().value;
    std::vector<Part> inner;
    std::erase_if(parts, [&](const Part& part) {
      std::string_view inside = part.rest;
      if (take_segment(inside) != name) return false;
      inner.push_back({inside, part.value});
      return true;
    });
    if (names) names->emplace_back(name);
    if (is_value && !value) continue;
    if (out.back() != '{') out.push_back(',');
    append_text(out, Json(name));
    out.push_back(':');
    if (is_value) {
      append_text(out, *value);
    } else {
      append_object(out, std::move(inner), nullptr);
    }
  }
  out.push_back('}');
}

}  // namespace

std::string_view take_segment(std::string_view& path) {
  const auto dot = path.find('.');
  const auto segment = path.substr(0, dot);
  path = dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1);
  return segment;
}

ScopeText make_scope_text(const std::vector<ports::ScopeEntry>& scope) {
  std::vector<Part> parts;
  for (const auto& entry : scope) parts.push_back({entry.path, entry.value.get()});
  ScopeText text;
  append_object(text.json, std::move(parts), &text.roots);
  return text;
}

}  // namespace fp::sandbox
