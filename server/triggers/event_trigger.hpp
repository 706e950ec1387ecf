#pragma once

#include "base/json.hpp"
#include "model/template.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fp::triggers {

/// A subscription of a published document.
struct EventTrigger {
  std::string id;
  std::string name;                       // of the events; "order.*" = all that begin with "order."
  std::optional<model::Template> filter;  // over `input`, the event, and `vars`
  bool gives_data = false;                // the event's data alone is the execution's input
};

/// Those of a checked document that are enabled.
std::vector<EventTrigger> read_event_triggers(const Json& document);

/// Is an event of this name one that `pattern` means?
bool matches_event(std::string_view pattern, std::string_view name);

}  // namespace fp::triggers
