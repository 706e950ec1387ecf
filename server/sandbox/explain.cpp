#include "sandbox/explain.hpp"

#include "sandbox/scope_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <optional>

namespace fp::sandbox {

namespace {

constexpr std::size_t kNamesListed = 12;

struct Step {
  std::string name;          // of a member, or the digits of an index
  std::size_t text_end = 0;  // in the path as written
};

bool is_name_start(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) || c == '_' || c == '$' || (c & 0x80);
}
bool is_name_char(char c) {
  return is_name_start(c) || std::isdigit(static_cast<unsigned char>(c));
}

/// Reads `a.b?.c["d"][0]` step by step.
class PathReader {
 public:
  explicit PathReader(std::string_view path) : path_(path) {}

  /// Nothing when the text is anything but such a path.
  std::optional<std::vector<Step>> read() {
    std::vector<Step> steps;
    if (!read_name(steps)) return std::nullopt;
    while (at_ < path_.size()) {
      if (skip("?.") || skip(".")) {
        if (at_ < path_.size() && path_[at_] == '[' ? !read_bracket(steps) : !read_name(steps))
          return std::nullopt;
      } else if (!read_bracket(steps)) {
        return std::nullopt;
      }
    }
    return steps;
  }

 private:
  bool skip(std::string_view token) {
    if (!path_.substr(at_).starts_with(token)) return false;
    at_ += token.size();
    return true;
  }
  bool read_name(std::vector<Step>& steps) {
    const std::size_t start = at_;
    if (at_ >= path_.size() || !is_name_start(path_[at_])) return false;
    while (at_ < path_.size() && is_name_char(path_[at_])) ++at_;
    steps.push_back({std::string(path_.substr(start, at_ - start)), at_});
    return true;
  }
  bool read_bracket(std::vector<Step>& steps) {
    if (!skip("[") || at_ >= path_.size()) return false;
    const char quote = path_[at_];
    const bool is_text = quote == '"' || quote == '\'';
    const std::size_t start = is_text ? at_ + 1 : at_;
    const auto end = path_.find(is_text ? quote : ']', start);
    if (end == std::string_view::npos) return false;
    const auto inside = path_.substr(start, end - start);
    const bool is_index =
        !inside.empty() && std::ranges::all_of(inside, [](unsigned char c) { return std::isdigit(c); });
    if (is_text ? inside.find('\\') != std::string_view::npos : !is_index) return false;
    at_ = is_text ? end + 1 : end;
    if (!skip("]")) return false;
    steps.push_back({std::string(inside), at_});
    return true;
  }

  std::string_view path_;
  std::size_t at_ = 0;
};

/// A place in the scope: a JSON value, or an object that exists only as the beginning of entries' paths.
struct Place {
  const Json* value = nullptr;
  std::string prefix;  // when there is no value: the path so far
};

std::vector<std::string> names_below(const ReadableScope& scope, std::string_view prefix) {
  std::vector<std::string> names;
  const auto add = [&names](std::string_view name) {
    if (std::ranges::find(names, name) == names.end()) names.emplace_back(name);
  };
  for (const auto& entry : scope.entries) {
    std::string_view rest = entry.path;
    if (!prefix.empty()) {
      if (!rest.starts_with(prefix) || rest.size() <= prefix.size() || rest[prefix.size()] != '.') continue;
      rest.remove_prefix(prefix.size() + 1);
    }
    if (entry.value || rest.find('.') != std::string_view::npos) add(take_segment(rest));
  }
  if (prefix.empty() && scope.item) {
    add("item");
    add("index");
  }
  return names;
}

std::optional<Place> find_below(const ReadableScope& scope, const Place& place, const std::string& name) {
  if (place.value) {
    if (const auto* array = place.value->if_array()) {
      const bool is_index = !name.empty() && name.size() < 10 &&
                            std::ranges::all_of(name, [](unsigned char c) { return std::isdigit(c); });
      const std::size_t index = is_index ? std::stoul(name) : array->size();
      if (index >= array->size()) return std::nullopt;
      return Place{&(*array)[index], {}};
    }
    const Json* member = json_find(*place.value, name);
    return member ? std::optional(Place{member, {}}) : std::nullopt;
  }
  if (place.prefix.empty() && name == "item" && scope.item) return Place{scope.item, {}};
  const std::string path = place.prefix.empty() ? name : place.prefix + "." + name;
  bool is_prefix = false;
  for (const auto& entry : scope.entries) {
    if (entry.path == path && entry.value) return Place{entry.value.get(), {}};
    is_prefix = is_prefix || (entry.path.size() > path.size() && entry.path.starts_with(path) &&
                              entry.path[path.size()] == '.');
  }
  return is_prefix ? std::optional(Place{nullptr, path}) : std::nullopt;
}

std::string list_names(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < kNamesListed; ++i) {
    text += fmt::format("{}`{}`", i == 0 ? "" : ", ", names[i]);
  }
  if (names.size() > kNamesListed) text += fmt::format(" and {} more", names.size() - kNamesListed);
  return text;
}

std::string has_names(const std::string& what, const std::vector<std::string>& names) {
  return names.empty() ? fmt::format("`{}` has no fields", what)
                       : fmt::format("`{}` has {}", what, list_names(names));
}

/// What is at `place`, which the author called `name`, in a few words; empty when nothing useful can be said.
std::string describe(const ReadableScope& scope, const Place& place, const std::string& name) {
  if (!place.value) {
    const auto names = names_below(scope, place.prefix);
    if (name == "steps")
      return names.empty() ? "no step has run before this one" : "the steps here are " + list_names(names);
    return has_names(name, names);
  }
  if (const auto* object = place.value->if_object()) {
    std::vector<std::string> names;
    for (const auto& member : *object) names.emplace_back(member.key());
    return has_names(name, names);
  }
  if (const auto* array = place.value->if_array()) {
    return fmt::format("`{}` is a list of {} item{}", name, array->size(), array->size() == 1 ? "" : "s");
  }
  return fmt::format("`{}` is {}", name, json_type_name(*place.value));
}

std::string_view trimmed(std::string_view text) {
  const auto is_space = [](unsigned char c) { return std::isspace(c) != 0; };
  while (!text.empty() && is_space(static_cast<unsigned char>(text.front()))) text.remove_prefix(1);
  while (!text.empty() && is_space(static_cast<unsigned char>(text.back()))) text.remove_suffix(1);
  return text;
}

/// Members that every value of the kind has, such as `length` of text: their absence can not be what went
/// wrong.
bool may_be_built_in(const Place& place, const std::string& name) {
  if (!place.value || place.value->is_object()) return false;
  return name.empty() || !std::isdigit(static_cast<unsigned char>(name.front())) ? name == "length"
                                                                                 : !place.value->is_array();
}

}  // namespace

std::string explain_path(std::string_view path, const ReadableScope& scope) {
  path = trimmed(path);
  const auto steps = PathReader(path).read();
  if (!steps || steps->front().name == "undefined" || (scope.item && steps->front().name == "index"))
    return "";
  Place place;
  for (std::size_t i = 0; i < steps->size(); ++i) {
    const auto& step = (*steps)[i];
    if (may_be_built_in(place, step.name)) return "";
    auto next = find_below(scope, place, step.name);
    if (next) {
      place = std::move(*next);
      continue;
    }
    const std::string missing(path.substr(0, step.text_end));
    if (i == 0)
      return fmt::format("`{}` is not defined: an expression here can read {}", missing,
                         list_names(names_below(scope, "")));
    return fmt::format("`{}` is undefined: {}", missing, describe(scope, place, (*steps)[i - 1].name));
  }
  return "";
}

std::string explain_message(std::string_view message, const ReadableScope& scope) {
  std::string_view path = message;
  for (const std::string_view ending : {" is undefined", " is not defined"}) {
    if (path.ends_with(ending)) path.remove_suffix(ending.size());
  }
  if (const auto comma = path.rfind(", ");
      path.starts_with("can't access property") && comma != std::string_view::npos) {
    path.remove_prefix(comma + 2);
  }
  auto explained = explain_path(path, scope);
  return explained.empty() ? std::string(message) : explained;
}

}  // namespace fp::sandbox
