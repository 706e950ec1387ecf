#pragma once

#include "base/json.hpp"
#include "base/time.hpp"
#include "model/template.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fp::triggers {

/// A source that is asked again and again: each new item of what it gives starts an execution.
struct PollTrigger {
  std::string id;
  std::string type;        // http_poll or file_watch
  std::string step_type;   // the task type that asks: http_request or file_list
  model::Template config;  // of that task type, over `vars`
  Milliseconds every{0};
  std::optional<model::Template> items;   // over `input`, what came; none: file_watch
  std::optional<model::Template> dedupe;  // over `input`, as the execution gets it: equal values are one item
  std::optional<model::Template> filter;  // over the same
  bool starts_first = false;              // do items start executions that were there at the first look?
  bool gives_item = false;                // the item alone is the execution's input
};

/// Those of a checked document that are enabled.
std::vector<PollTrigger> read_poll_triggers(const Json& document);
/// One by its `trigger_type` and checked `trigger_config`.
PollTrigger read_poll_trigger(std::string id, std::string_view type, const Json& config, bool gives_item);

/// Names the source by its rendered config. Another one begins anew.
std::string source_key(const Json& config);

}  // namespace fp::triggers
