#include "base/error_code.hpp"
#include "model/check_trigger.hpp"
#include "model/json_schema.hpp"

#include <fmt/format.h>

namespace fp::model {

namespace {

/// The members of the trigger that its task type takes must be what that type wants. Expressions in them read
/// `vars`: nothing else is there when a source is asked.
void check_source(Reading& reading, ObjectReader& reader, const Json& config, const std::string& pointer,
                  const char* step_type, std::initializer_list<const char*> keys) {
  JsonObject part;
  for (const char* key : keys) {
    const auto* value = reader.find(key);
    if (value == nullptr) continue;
    auto wanted = Template::parse(*value, pointer + "/" + key, reading.issues);
    part[key] = wanted.is_constant() ? *value : Json(nullptr);
    for (const auto& [at, expression] : wanted.list_expressions()) {
      if (expression->roots != std::vector<std::string>{"vars"})
        reading.issues.push_back({at, std::string(codes::expr_reference.id),
                                  "what a source is asked may read `vars` and nothing else"});
    }
    reading.trigger_expressions.push_back(std::move(wanted));
  }
  const auto type = reading.types.find(step_type);
  if (type == nullptr || !config.is_object()) return;
  SchemaOptions options;
  options.is_open = [](const Json& value) { return value.is_null(); };
  check_against_schema(part, type->config_schema, pointer, reading.issues, options);
}

void check_items(Reading& reading, ObjectReader& reader, const std::string& pointer) {
  check_trigger_expression(reading, reader, pointer, "dedupe");
  check_trigger_condition(reading, reader, pointer, "filter");
  reader.get_choice("first", {"skip", "start"}, 0);
  reader.get_choice("input", {"event", "item"}, 0);
}

}  // namespace

void check_http_poll(Reading& reading, const Json& config, const std::string& pointer) {
  constexpr double kLeastSeconds = 10;
  ObjectReader reader(config, pointer, reading.issues);
  reader.require("items");
  check_source(reading, reader, config, pointer, "http_request",
               {"url", "method", "query", "headers", "json", "max_bytes"});
  reader.find_seconds("every_seconds", kLeastSeconds, 366.0 * 86'400);
  check_trigger_condition(reading, reader, pointer, "items");
  check_items(reading, reader, pointer);
  reader.finish();
}

void check_file_watch(Reading& reading, const Json& config, const std::string& pointer) {
  ObjectReader reader(config, pointer, reading.issues);
  check_source(reading, reader, config, pointer, "file_list", {"path", "pattern"});
  reader.find_seconds("every_seconds", 1, 366.0 * 86'400);
  check_items(reading, reader, pointer);
  reader.finish();
}

}  // namespace fp::model
