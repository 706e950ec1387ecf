#include "base/error_code.hpp"
#include "model/check_trigger.hpp"
#include "model/suggest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>

namespace fp::model {

namespace {

/// order.paid, or order.* for all that begin with "order.".
bool is_event_pattern(std::string_view name) {
  constexpr std::size_t kMostBytes = 128;
  if (name.size() > kMostBytes) return false;
  if (name.ends_with(".*")) name.remove_suffix(2);
  while (true) {
    const auto word = name.substr(0, name.find('.'));
    const bool is_plain = std::all_of(
        word.begin(), word.end(), [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '-'; });
    if (word.empty() || !is_plain) return false;
    if (word.size() == name.size()) return true;
    name.remove_prefix(word.size() + 1);
  }
}

void check_event(Reading& reading, const Json& config, const std::string& pointer) {
  ObjectReader reader(config, pointer, reading.issues);
  reader.require("name");
  if (const auto name = reader.find_text("name"); name && !is_event_pattern(*name)) {
    reader.report(
        "name", codes::field_range.id,
        fmt::format("{} is no name of an event: words of letters, digits, _ and - with dots between "
                    "them, and .* at the end for all that begin so",
                    quote(*name)));
  }
  reader.get_choice("input", {"event", "data"}, 0);
  check_trigger_condition(reading, reader, pointer, "filter");
  reader.finish();
}

void check_config(Reading& reading, std::string_view type, const Json& config, const std::string& pointer) {
  if (type == "schedule") return check_schedule(reading, config, pointer);
  if (type == "webhook") return check_webhook(reading, config, pointer);
  if (type == "event") return check_event(reading, config, pointer);
  if (type == "http_poll") return check_http_poll(reading, config, pointer);
  if (type == "file_watch") return check_file_watch(reading, config, pointer);
  ObjectReader(config, pointer, reading.issues).finish();
}

}  // namespace

void check_trigger_expression(Reading& reading, ObjectReader& reader, const std::string& pointer,
                              const char* key) {
  const auto* value = reader.find(key);
  if (value == nullptr) return;
  reading.trigger_expressions.push_back(Template::parse(*value, pointer + "/" + key, reading.issues));
}

void check_trigger_condition(Reading& reading, ObjectReader& reader, const std::string& pointer,
                             const char* key) {
  const auto found = reading.trigger_expressions.size();
  check_trigger_expression(reading, reader, pointer, key);
  if (reading.trigger_expressions.size() > found &&
      reading.trigger_expressions.back().as_expression() == nullptr)
    reader.report(key, codes::field_type.id,
                  fmt::format("\"{}\" is one expression, such as \"{{{{ input.data.total > 100 }}}}\"", key));
}

void check_triggers(Reading& reading, const Json& triggers) {
  if (!triggers.is_array()) {
    reading.issues.push_back({"/triggers", codes::field_type.id,
                              fmt::format("\"triggers\" must be a list, not {}", json_type_name(triggers))});
    return;
  }
  std::set<std::string> ids;
  for (std::size_t i = 0; i < triggers.get_array().size(); ++i) {
    const auto& trigger = triggers.get_array()[i];
    const auto pointer = fmt::format("/triggers/{}", i);
    ObjectReader reader(trigger, pointer, reading.issues);
    reader.require("id");
    reader.require("trigger_type");
    const auto id = reader.find_text("id");
    if (id && !ids.insert(*id).second)
      reader.report("id", codes::workflow_duplicate_id.id,
                    fmt::format("the trigger id {} is taken", quote(*id)));
    const std::vector<std::string_view> types = {"manual", "webhook",   "schedule",
                                                 "event",  "http_poll", "file_watch"};
    const auto type = types[reader.get_choice("trigger_type", types, 0)];
    reader.get_bool("enabled", true);
    static const Json kEmpty = JsonObject();
    const auto* config = reader.find_object("trigger_config");
    check_config(reading, type, config == nullptr ? kEmpty : *config, pointer + "/trigger_config");
    reader.finish();
  }
}

}  // namespace fp::model
