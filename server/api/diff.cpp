#include "api/diff.hpp"

#include <set>
#include <string>

namespace fp::api {

namespace {

/// A list of objects that all have an id (or a name, as cases do) is compared as a map.
const char* key_of(const JsonArray& list) {
  for (const char* key : {"id", "name"}) {
    std::set<std::string> seen;
    bool fits = !list.empty();
    for (const auto& item : list)
      fits = fits && !json_string(item, key).empty() && seen.insert(json_string(item, key)).second;
    if (fits) return key;
  }
  return nullptr;
}

JsonObject by_key(const JsonArray& list, const char* key) {
  JsonObject out;
  for (const auto& item : list) out[json_string(item, key)] = item;
  return out;
}

class Differ {
 public:
  void compare(const Json& before, const Json& after, const std::string& pointer) {
    if (before == after) return;
    if (before.is_object() && after.is_object())
      return compare_members(before.get_object(), after.get_object(), pointer);
    if (before.is_array() && after.is_array()) {
      const auto* key = key_of(before.get_array().empty() ? after.get_array() : before.get_array());
      const bool keyed =
          key != nullptr && (after.get_array().empty() || key_of(after.get_array()) == std::string_view(key));
      if (keyed)
        return compare_members(by_key(before.get_array(), key), by_key(after.get_array(), key), pointer);
    }
    changes_.push_back(
        JsonObject{{"pointer", pointer}, {"op", "replace"}, {"before", before}, {"after", after}});
  }
  JsonArray take() { return std::move(changes_); }

 private:
  void compare_members(const JsonObject& before, const JsonObject& after, const std::string& pointer) {
    for (const auto& member : before) {
      const auto at = pointer + "/" + pointer_token(member.key());
      if (pointer.empty() && member.key() == "ui") continue;
      if (const auto* now = after.if_contains(member.key()))
        compare(member.value(), *now, at);
      else
        changes_.push_back(JsonObject{{"pointer", at}, {"op", "remove"}, {"before", member.value()}});
    }
    for (const auto& member : after) {
      if (before.contains(member.key()) || (pointer.empty() && member.key() == "ui")) continue;
      changes_.push_back(JsonObject{{"pointer", pointer + "/" + pointer_token(member.key())},
                                    {"op", "add"},
                                    {"after", member.value()}});
    }
  }

  JsonArray changes_;
};

JsonArray to_list(const std::set<std::string>& names) {
  JsonArray out;
  for (const auto& name : names) out.emplace_back(name);
  return out;
}

}  // namespace

JsonObject diff_documents(const Json& before, const Json& after) {
  Differ differ;
  differ.compare(before, after, "");
  auto changes = differ.take();
  std::set<std::string> added;
  std::set<std::string> removed;
  std::set<std::string> changed;
  constexpr std::string_view kSteps = "/steps/";
  for (const auto& change : changes) {
    const auto pointer = json_string(change, "pointer");
    if (!pointer.starts_with(kSteps)) continue;
    const auto end = pointer.find('/', kSteps.size());
    const auto step = pointer.substr(kSteps.size(), end - kSteps.size());
    const auto op = json_string(change, "op");
    (end != std::string::npos || op == "replace" ? changed : op == "add" ? added : removed).insert(step);
  }
  return {
      {"steps",
       JsonObject{{"added", to_list(added)}, {"removed", to_list(removed)}, {"changed", to_list(changed)}}},
      {"changes", std::move(changes)}};
}

}  // namespace fp::api
