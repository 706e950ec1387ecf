#include "base/error_code.hpp"
#include "model/json_schema.hpp"
#include "model/object_reader.hpp"
#include "model/suggest.hpp"
#include "model/task_type.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fp::model {

namespace {

constexpr std::size_t kMostNameBytes = 200;
constexpr std::size_t kMostTextBytes = 16'384;

bool is_word(std::string_view word) {
  if (word.empty() || word[0] < 'a' || word[0] > 'z') return false;
  return std::all_of(word.begin(), word.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

/// Words joined by at least one dot, so that no function is taken for a built-in type.
bool is_function_name(std::string_view name) {
  std::size_t words = 0;
  while (true) {
    const auto dot = name.find('.');
    if (!is_word(name.substr(0, dot))) return false;
    ++words;
    if (dot == std::string_view::npos) break;
    name.remove_prefix(dot + 1);
  }
  return words > 1;
}

std::string read_text(ObjectReader& reader, std::string_view key, std::string fallback) {
  auto text = reader.get_text(key, std::move(fallback));
  const auto most = key == "description" ? kMostTextBytes : kMostNameBytes;
  if (text.size() > most) reader.report(key, codes::field_range.id, fmt::format("at most {} bytes", most));
  return text;
}

/// A schema of an object. `find_object` reports what is none.
Json read_schema(ObjectReader& reader, std::string_view key, std::vector<Issue>& issues) {
  const auto* schema = reader.find_object(key);
  if (schema == nullptr) return nullptr;
  check_schema(*schema, reader.pointer_of(key), issues);
  return *schema;
}

void read_defaults(ObjectReader& outer, TaskTypeSpec& out, std::vector<Issue>& issues) {
  const auto* defaults = outer.find_object("step_defaults");
  if (defaults == nullptr) return;
  out.step_defaults = *defaults;
  ObjectReader reader(*defaults, outer.pointer_of("step_defaults"), issues);
  if (const auto* retry = reader.find_object("retry_config"))
    out.default_retry = read_retry_policy(*retry, reader.pointer_of("retry_config"), issues);
  out.default_timeout = reader.find_seconds("timeout_seconds", 0.001, kLongestSeconds);
  reader.finish();
}

void read_concurrency(ObjectReader& outer, TaskTypeSpec& out, std::vector<Issue>& issues) {
  const auto* rule = outer.find_object("concurrency");
  if (rule == nullptr) return;
  ObjectReader reader(*rule, outer.pointer_of("concurrency"), issues);
  reader.require("limit");
  out.concurrency =
      ConcurrencyRule{reader.get_text("key", ""), reader.find_whole("limit", 1, 1'000'000).value_or(1)};
  reader.finish();
}

}  // namespace

TaskTypeSpec read_function(const Json& json, const std::string& pointer, std::vector<Issue>& issues) {
  TaskTypeSpec out;
  ObjectReader reader(json, pointer, issues);
  reader.require("type");
  out.type = read_text(reader, "type", "");
  out.source = "function";
  if (!out.type.empty() && !is_function_name(out.type))
    reader.report("type", codes::field_range.id,
                  fmt::format("{} is no name of a function: words of a-z, 0-9 and _ joined by dots, as in "
                              "orders.charge",
                              quote(out.type)));
  out.title = read_text(reader, "title", out.type);
  out.category = read_text(reader, "category", out.type.substr(0, out.type.find('.')));
  out.icon = read_text(reader, "icon", "function");
  out.description = read_text(reader, "description", "");
  out.config_schema = read_schema(reader, "config_schema", issues);
  if (out.config_schema.is_null()) out.config_schema = JsonObject{{"type", "object"}};
  if (const auto* output = reader.find("output_schema"); output != nullptr && !output->is_null())
    out.output_schema = read_schema(reader, "output_schema", issues);
  out.idempotent = reader.get_bool("idempotent", true);
  out.queue = read_text(reader, "queue", "default");
  read_defaults(reader, out, issues);
  read_concurrency(reader, out, issues);
  reader.finish();
  return out;
}

Json to_json(const TaskTypeSpec& function) {
  JsonObject out{{"type", function.type},
                 {"title", function.title},
                 {"category", function.category},
                 {"icon", function.icon},
                 {"description", function.description},
                 {"config_schema", function.config_schema},
                 {"output_schema", function.output_schema},
                 {"idempotent", function.idempotent},
                 {"queue", function.queue}};
  if (!function.step_defaults.is_null()) out["step_defaults"] = function.step_defaults;
  if (function.concurrency)
    out["concurrency"] =
        JsonObject{{"key", function.concurrency->key}, {"limit", function.concurrency->limit}};
  return out;
}

}  // namespace fp::model
