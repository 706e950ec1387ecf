#include "model/json_schema.hpp"

#include "base/error_code.hpp"
#include "base/ids.hpp"
#include "base/time.hpp"
#include "model/suggest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <re2/re2.h>

namespace fp::model {

namespace {

constexpr std::size_t kMaxDepth = 32;
constexpr std::array<std::string_view, 7> kTypes = {"null",   "boolean", "integer", "number",
                                                    "string", "array",   "object"};

bool is_integer(const Json& value) {
  if (value.is_int64() || value.is_uint64()) return true;
  return value.is_double() && std::floor(value.get_double()) == value.get_double();
}

bool has_type(const Json& value, std::string_view type) {
  if (type == "null") return value.is_null();
  if (type == "boolean") return value.is_bool();
  if (type == "integer") return is_integer(value);
  if (type == "number") return value.is_number();
  if (type == "string") return value.is_string();
  if (type == "array") return value.is_array();
  return type == "object" && value.is_object();
}

std::size_t count_code_points(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

/// Formats worth refusing input for; any other name is an annotation (2020-12 section 7.2.1).
bool fits_format(std::string_view text, std::string_view format) {
  if (format == "email") return RE2::FullMatch(text, R"([^\s@"(),:;<>\[\]\\]+@[^\s@.]+(\.[^\s@.]+)+)");
  if (format == "uri") return RE2::FullMatch(text, R"([A-Za-z][A-Za-z0-9+.-]*:[^\s]+)");
  if (format == "date-time") return parse_rfc3339(text).has_value();
  if (format == "date") return parse_rfc3339(std::string(text) + "T00:00:00Z").has_value();
  if (format == "uuid") return parse_uuid<ExecutionId>(text).has_value();
  return true;
}

class Checker {
 public:
  Checker(const Json& root, std::vector<Issue>& issues, const SchemaOptions& options)
      : root_(root), issues_(issues), options_(options) {}

  void check(const Json& value, const Json& schema, const std::string& pointer, std::size_t depth) {
    if (depth > kMaxDepth || issues_.size() >= options_.max_issues) return;
    if (options_.is_open && options_.is_open(value)) return;
    if (const auto* allowed = schema.if_bool()) {
      if (!*allowed) report(pointer, codes::field_unknown.id, "nothing is allowed here");
      return;
    }
    const auto* object = schema.if_object();
    if (object == nullptr) return;
    if (const auto* ref = object->if_contains("$ref"); ref && ref->is_string())
      check_ref(value, *ref, pointer, depth);
    if (!check_type(value, *object, pointer)) return;
    check_choice(value, *object, pointer);
    if (value.is_number()) check_number(value.to_number<double>(), *object, pointer);
    if (const auto* text = value.if_string()) check_text({text->data(), text->size()}, *object, pointer);
    if (value.is_array()) check_array(value.get_array(), *object, pointer, depth);
    if (value.is_object()) check_object(value.get_object(), *object, pointer, depth);
    check_combined(value, *object, pointer, depth);
  }

 private:
  void report(const std::string& pointer, std::string_view code, std::string message) {
    if (issues_.size() < options_.max_issues)
      issues_.push_back({pointer, std::string(code), std::move(message)});
  }

  bool fits(const Json& value, const Json& schema, std::size_t depth) {
    std::vector<Issue> found;
    SchemaOptions options = options_;
    options.max_issues = 1;
    Checker(root_, found, options).check(value, schema, "", depth + 1);
    return found.empty();
  }

  void check_ref(const Json& value, const Json& ref, const std::string& pointer, std::size_t depth) {
    const std::string_view text = ref.get_string();
    if (!text.starts_with('#')) return;
    boost::system::error_code ec;
    const auto* target = text == "#" ? &root_ : root_.find_pointer(text.substr(1), ec);
    if (target != nullptr) check(value, *target, pointer, depth + 1);
  }

  bool check_type(const Json& value, const JsonObject& schema, const std::string& pointer) {
    const auto* type = schema.if_contains("type");
    if (type == nullptr) return true;
    std::vector<std::string> names;
    if (type->is_string()) names.emplace_back(type->get_string());
    if (type->is_array()) {
      for (const auto& name : type->get_array()) names.push_back(to_display_text(name));
    }
    for (const auto& name : names) {
      if (has_type(value, name)) return true;
    }
    report(pointer, codes::field_type.id,
           fmt::format("this must be of type {}, not {}", fmt::join(names, " or "), json_type_name(value)));
    return false;
  }

  void check_choice(const Json& value, const JsonObject& schema, const std::string& pointer) {
    if (const auto* constant = schema.if_contains("const"); constant && *constant != value) {
      report(pointer, codes::field_range.id, fmt::format("this must be {}", to_text(*constant)));
    }
    const auto* choices = schema.if_contains("enum");
    if (choices == nullptr || !choices->is_array()) return;
    const auto& list = choices->get_array();
    if (std::find(list.begin(), list.end(), value) != list.end()) return;
    std::vector<std::string> texts;
    for (const auto& choice : list) texts.push_back(to_display_text(choice));
    const auto hint =
        value.is_string() ? suggest(std::string_view(value.get_string()), texts) : std::string();
    if (texts.size() > 20) texts.resize(20);
    report(pointer, codes::field_range.id,
           fmt::format("this must be one of {}{}", fmt::join(texts, ", "), hint));
  }

  void check_number(double value, const JsonObject& schema, const std::string& pointer) {
    const auto limit = [&](const char* key) -> const Json* {
      const auto* found = schema.if_contains(key);
      return found && found->is_number() ? found : nullptr;
    };
    const auto broken = [&](const char* what, const Json& bound) {
      report(pointer, codes::field_range.id, fmt::format("this must be {} {}", what, to_text(bound)));
    };
    if (const auto* least = limit("minimum"); least && value < least->to_number<double>())
      broken("at least", *least);
    if (const auto* most = limit("maximum"); most && value > most->to_number<double>())
      broken("at most", *most);
    if (const auto* low = limit("exclusiveMinimum"); low && value <= low->to_number<double>())
      broken("more than", *low);
    if (const auto* high = limit("exclusiveMaximum"); high && value >= high->to_number<double>())
      broken("less than", *high);
    if (const auto* step = limit("multipleOf"); step && step->to_number<double>() > 0) {
      const double ratio = value / step->to_number<double>();
      if (std::abs(ratio - std::round(ratio)) > 1e-9) broken("a multiple of", *step);
    }
  }

  void check_count(std::size_t count, const JsonObject& schema, const char* least_key, const char* most_key,
                   const char* unit, const std::string& pointer) {
    const auto* least = schema.if_contains(least_key);
    const auto* most = schema.if_contains(most_key);
    if (least && least->is_number() && double(count) < least->to_number<double>()) {
      report(pointer, codes::field_range.id,
             fmt::format("this must have at least {} {}, not {}", to_text(*least), unit, count));
    }
    if (most && most->is_number() && double(count) > most->to_number<double>()) {
      report(pointer, codes::field_range.id,
             fmt::format("this must have at most {} {}, not {}", to_text(*most), unit, count));
    }
  }

  void check_text(std::string_view text, const JsonObject& schema, const std::string& pointer) {
    check_count(count_code_points(text), schema, "minLength", "maxLength", "characters", pointer);
    if (const auto* pattern = schema.if_contains("pattern"); pattern && pattern->is_string()) {
      const RE2 regex(std::string_view(pattern->get_string()), RE2::Quiet);
      if (regex.ok() && !RE2::PartialMatch(text, regex)) {
        report(pointer, codes::field_range.id,
               fmt::format("this does not match the pattern {}", to_text(*pattern)));
      }
    }
    if (const auto* format = schema.if_contains("format"); format && format->is_string()) {
      const std::string_view name = format->get_string();
      if (!fits_format(text, name))
        report(pointer, codes::field_range.id, fmt::format("{} is no {}", quote(text), name));
    }
  }

  void check_array(const JsonArray& array, const JsonObject& schema, const std::string& pointer,
                   std::size_t depth) {
    check_count(array.size(), schema, "minItems", "maxItems", "items", pointer);
    const auto* prefix = schema.if_contains("prefixItems");
    const auto* items = schema.if_contains("items");
    const std::size_t fixed = prefix && prefix->is_array() ? prefix->get_array().size() : 0;
    for (std::size_t i = 0; i < array.size(); ++i) {
      const auto* rule = i < fixed ? &prefix->get_array()[i] : items;
      if (rule != nullptr) check(array[i], *rule, fmt::format("{}/{}", pointer, i), depth + 1);
    }
    if (const auto* contains = schema.if_contains("contains")) {
      const bool any = std::any_of(array.begin(), array.end(),
                                   [&](const Json& item) { return fits(item, *contains, depth); });
      if (!any) report(pointer, codes::field_range.id, "no item is of the kind that must be among them");
    }
    if (const auto* unique = schema.if_contains("uniqueItems");
        unique && unique->is_bool() && unique->get_bool()) {
      std::vector<std::string> texts;
      for (const auto& item : array) texts.push_back(to_text(item));
      std::sort(texts.begin(), texts.end());
      if (std::adjacent_find(texts.begin(), texts.end()) != texts.end()) {
        report(pointer, codes::field_range.id, "two items are the same");
      }
    }
  }

  void check_object(const JsonObject& object, const JsonObject& schema, const std::string& pointer,
                    std::size_t depth) {
    check_count(object.size(), schema, "minProperties", "maxProperties", "fields", pointer);
    if (const auto* required = schema.if_contains("required"); required && required->is_array()) {
      for (const auto& name : required->get_array()) {
        if (name.is_string() && !object.contains(name.get_string())) {
          report(pointer, codes::field_missing.id,
                 fmt::format("\"{}\" is missing", std::string_view(name.get_string())));
        }
      }
    }
    const auto* properties = schema.if_contains("properties");
    const auto* patterns = schema.if_contains("patternProperties");
    const auto* rest = schema.if_contains("additionalProperties");
    const auto* names = schema.if_contains("propertyNames");
    for (const auto& member : object) {
      const auto where = pointer + "/" + pointer_token(member.key());
      if (names != nullptr) check(Json(member.key()), *names, where, depth + 1);
      const auto* rule = properties && properties->is_object()
                             ? properties->get_object().if_contains(member.key())
                             : nullptr;
      bool known = rule != nullptr;
      if (rule != nullptr) check(member.value(), *rule, where, depth + 1);
      if (patterns && patterns->is_object()) {
        for (const auto& [pattern, sub] : patterns->get_object()) {
          const RE2 regex(std::string_view(pattern), RE2::Quiet);
          if (!regex.ok() || !RE2::PartialMatch(std::string_view(member.key()), regex)) continue;
          known = true;
          check(member.value(), sub, where, depth + 1);
        }
      }
      if (!known && rest != nullptr) check_rest(member, *rest, properties, where, depth);
    }
  }

  void check_rest(const JsonObject::value_type& member, const Json& rest, const Json* properties,
                  const std::string& where, std::size_t depth) {
    if (!rest.is_bool() || rest.get_bool()) return check(member.value(), rest, where, depth + 1);
    std::vector<std::string> known;
    if (properties && properties->is_object()) {
      for (const auto& property : properties->get_object()) known.emplace_back(property.key());
    }
    report(where, codes::field_unknown.id,
           fmt::format("there is no field {}{}", quote(member.key()),
                       suggest(std::string_view(member.key()), known)));
  }

  void check_combined(const Json& value, const JsonObject& schema, const std::string& pointer,
                      std::size_t depth) {
    const auto list = [&](const char* key) -> const JsonArray* {
      const auto* found = schema.if_contains(key);
      return found ? found->if_array() : nullptr;
    };
    if (const auto* all = list("allOf")) {
      for (const auto& sub : *all) check(value, sub, pointer, depth + 1);
    }
    const auto count = [&](const JsonArray& subs) {
      return std::count_if(subs.begin(), subs.end(),
                           [&](const Json& sub) { return fits(value, sub, depth); });
    };
    if (const auto* any = list("anyOf"); any && count(*any) == 0) {
      report(pointer, codes::field_range.id, describe_alternatives(*any));
    }
    if (const auto* one = list("oneOf"); one && count(*one) != 1) {
      report(pointer, codes::field_range.id, describe_alternatives(*one));
    }
    if (const auto* no = schema.if_contains("not"); no && fits(value, *no, depth)) {
      report(pointer, codes::field_range.id, "this is of a kind that is not allowed here");
    }
    if (const auto* condition = schema.if_contains("if")) {
      const auto* branch = schema.if_contains(fits(value, *condition, depth) ? "then" : "else");
      if (branch != nullptr) check(value, *branch, pointer, depth + 1);
    }
  }

  /// "this needs exactly one of: json, form, body" when the alternatives differ by what they require.
  static std::string describe_alternatives(const JsonArray& subs) {
    std::vector<std::string> needs;
    for (const auto& sub : subs) {
      if (const auto* title = json_find(sub, "title")) {
        needs.push_back(to_display_text(*title));
      } else if (const auto* required = json_find(sub, "required"); required && required->is_array()) {
        std::vector<std::string> names;
        for (const auto& name : required->get_array()) names.push_back("\"" + to_display_text(name) + "\"");
        needs.push_back(fmt::format("{}", fmt::join(names, " with ")));
      } else if (const auto* type = json_find(sub, "type")) {
        needs.push_back("of type " + to_display_text(*type));
      }
    }
    if (needs.size() != subs.size()) return "this fits none of the allowed kinds";
    return fmt::format("this must be or have one of: {}", fmt::join(needs, ", "));
  }

  const Json& root_;
  std::vector<Issue>& issues_;
  const SchemaOptions& options_;
};

void check_schema_at(const Json& schema, const Json& root, const std::string& pointer,
                     std::vector<Issue>& issues, std::size_t depth);

void check_schema_map(const JsonObject& schema, const char* key, const Json& root, const std::string& pointer,
                      std::vector<Issue>& issues, std::size_t depth) {
  const auto* map = schema.if_contains(key);
  if (map == nullptr) return;
  const auto at = fmt::format("{}/{}", pointer, key);
  if (!map->is_object()) {
    issues.push_back({at, codes::schema_invalid.id, fmt::format("\"{}\" must be an object", key)});
    return;
  }
  for (const auto& member : map->get_object()) {
    check_schema_at(member.value(), root, at + "/" + pointer_token(member.key()), issues, depth + 1);
  }
}

void check_schema_keywords(const JsonObject& schema, const Json& root, const std::string& pointer,
                           std::vector<Issue>& issues) {
  const auto report = [&](const char* key, std::string message) {
    issues.push_back({fmt::format("{}/{}", pointer, key), codes::schema_invalid.id, std::move(message)});
  };
  if (const auto* type = schema.if_contains("type")) {
    const JsonArray one{*type};
    for (const auto& name : type->is_array() ? type->get_array() : one) {
      const bool known = name.is_string() && std::find(kTypes.begin(), kTypes.end(),
                                                       std::string_view(name.get_string())) != kTypes.end();
      if (!known)
        report("type",
               fmt::format("{} is no JSON type; use one of {}", to_text(name), fmt::join(kTypes, ", ")));
    }
  }
  if (const auto* pattern = schema.if_contains("pattern")) {
    const RE2 regex(pattern->is_string() ? std::string_view(pattern->get_string()) : "(", RE2::Quiet);
    if (!regex.ok())
      report("pattern", fmt::format("the pattern is no regular expression (RE2): {}", regex.error()));
  }
  if (const auto* ref = schema.if_contains("$ref")) {
    boost::system::error_code ec;
    const bool local = ref->is_string() && std::string_view(ref->get_string()).starts_with('#');
    const std::string_view text = local ? std::string_view(ref->get_string()).substr(1) : "";
    if (!local || (!text.empty() && root.find_pointer(text, ec) == nullptr)) {
      report("$ref", "a $ref must point to a place in this schema (#/$defs/...)");
    }
  }
  for (const char* key : {"required", "enum"}) {
    if (const auto* list = schema.if_contains(key); list && !list->is_array())
      report(key, fmt::format("\"{}\" must be a list", key));
  }
}

void check_schema_at(const Json& schema, const Json& root, const std::string& pointer,
                     std::vector<Issue>& issues, std::size_t depth) {
  if (schema.is_bool()) return;
  if (!schema.is_object()) {
    issues.push_back({pointer, codes::schema_invalid.id,
                      fmt::format("a schema is an object, not {}", json_type_name(schema))});
    return;
  }
  if (depth > kMaxDepth) {
    issues.push_back({pointer, codes::schema_invalid.id,
                      fmt::format("the schema is nested more than {} deep", kMaxDepth)});
    return;
  }
  const auto& object = schema.get_object();
  check_schema_keywords(object, root, pointer, issues);
  for (const char* key : {"properties", "patternProperties", "$defs"})
    check_schema_map(object, key, root, pointer, issues, depth);
  for (const char* key : {"items", "additionalProperties", "contains", "not", "if", "then", "else"}) {
    if (const auto* sub = object.if_contains(key))
      check_schema_at(*sub, root, fmt::format("{}/{}", pointer, key), issues, depth + 1);
  }
  for (const char* key : {"allOf", "anyOf", "oneOf", "prefixItems"}) {
    const auto* subs = object.if_contains(key);
    if (subs == nullptr || !subs->is_array()) continue;
    std::size_t position = 0;
    for (const auto& sub : subs->get_array()) {
      check_schema_at(sub, root, fmt::format("{}/{}/{}", pointer, key, position++), issues, depth + 1);
    }
  }
}

}  // namespace

void check_against_schema(const Json& value, const Json& schema, const std::string& pointer,
                          std::vector<Issue>& issues, const SchemaOptions& options) {
  Checker(schema, issues, options).check(value, schema, pointer, 0);
}

void check_schema(const Json& schema, const std::string& pointer, std::vector<Issue>& issues) {
  check_schema_at(schema, schema, pointer, issues, 0);
}

}  // namespace fp::model
