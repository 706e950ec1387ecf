#include "triggers/poll_trigger.hpp"

#include "base/hash.hpp"

namespace fp::triggers {

namespace {

constexpr Milliseconds kEveryUrl{300'000};
constexpr Milliseconds kEveryFolder{10'000};

std::optional<model::Template> read_template(const Json& config, std::string_view key) {
  const auto* value = json_find(config, key);
  if (value == nullptr) return std::nullopt;
  std::vector<Issue> issues;  // none: it was checked when it was published
  return model::Template::parse(*value, "", issues);
}

Json pick(const Json& config, std::initializer_list<const char*> keys) {
  JsonObject out;
  for (const char* key : keys) {
    if (const auto* value = json_find(config, key)) out[key] = *value;
  }
  return out;
}

}  // namespace

PollTrigger read_poll_trigger(std::string id, std::string_view type, const Json& config, bool gives_item) {
  PollTrigger out;
  out.id = std::move(id);
  out.type = type;
  const bool is_url = type == "http_poll";
  out.step_type = is_url ? "http_request" : "file_list";
  std::vector<Issue> issues;  // none, as above
  const auto asked = is_url ? pick(config, {"url", "method", "query", "headers", "json", "max_bytes"})
                            : pick(config, {"path", "pattern"});
  out.config = model::Template::parse(asked, "", issues);
  const auto* every = json_find(config, "every_seconds");
  out.every = every != nullptr && every->is_number()
                  ? Milliseconds(static_cast<std::int64_t>(every->to_number<double>() * 1000))
              : is_url ? kEveryUrl
                       : kEveryFolder;
  out.items = read_template(config, "items");
  out.dedupe = read_template(config, "dedupe");
  out.filter = read_template(config, "filter");
  out.starts_first = json_string(config, "first") == "start";
  const auto input = json_string(config, "input");
  out.gives_item = input == "item" || (input.empty() && gives_item);
  return out;
}

std::vector<PollTrigger> read_poll_triggers(const Json& document) {
  static const Json kNothing = JsonObject();
  std::vector<PollTrigger> out;
  const auto* triggers = json_find(document, "triggers");
  if (triggers == nullptr || !triggers->is_array()) return out;
  const auto* schema = json_find(document, "inputs");
  for (const auto& trigger : triggers->get_array()) {
    const auto* enabled = json_find(trigger, "enabled");
    const bool is_on = enabled == nullptr || !enabled->is_bool() || enabled->get_bool();
    const auto type = json_string(trigger, "trigger_type");
    if (!is_on || (type != "http_poll" && type != "file_watch")) continue;
    const auto* config = json_find(trigger, "trigger_config");
    out.push_back(read_poll_trigger(json_string(trigger, "id"), type, config == nullptr ? kNothing : *config,
                                    schema != nullptr && schema->is_object()));
  }
  return out;
}

std::string source_key(const Json& config) {
  return to_hex(hash_128(to_text(config)));
}

}  // namespace fp::triggers
