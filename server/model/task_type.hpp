#pragma once

#include "base/json.hpp"

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace fp::model {

/// What a step can be, as the palette, the validator and the engine see it. A plain value; made once at
/// start-up.
struct TaskTypeSpec {
  std::string type;  // "http_request", "orders.charge"
  std::string title;
  std::string category;  // "http", "email", "data", "flow", "files", "human", ...
  std::string icon;
  std::string description;
  Json config_schema;              // JSON Schema (draft 7 subset) of `config` after rendering
  Json output_schema;              // JSON Schema of the output, or null
  std::vector<std::string> ports;  // ports besides "error"; empty for a type with one plain way out
  bool dynamic_ports = false;      // the ports come from the config (switch)
  bool idempotent = true;          // may an attempt whose outcome is unknown be repeated with the same key?
  bool decided_in_engine = false;  // no worker, no dispatch
  std::vector<std::string> per_item;  // config fields evaluated once per item of `items` (filter.where, ...)
  std::string source = "built-in";
};

/// Every task type this process knows, by name. Immutable after start-up.
class TaskTypeRegistry {
 public:
  void add(TaskTypeSpec spec);
  const TaskTypeSpec* find(std::string_view type) const;
  std::vector<std::string> list_names() const;

 private:
  std::map<std::string, TaskTypeSpec, std::less<>> types_;
};

}  // namespace fp::model
