#pragma once

#include "base/json.hpp"
#include "model/retry_policy.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fp::model {

/// How many attempts of a function run at once, over all workers: of those whose rendered config has the same
/// value in the field `key`, or of all when `key` is empty.
struct ConcurrencyRule {
  std::string key;
  std::uint32_t limit = 1;
  bool operator==(const ConcurrencyRule&) const = default;
};

/// What a step can be, as the palette, the validator and the engine see it. A plain value.
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
  std::vector<std::string> literal;   // config fields that hold no expressions: taken as they stand (code)
  std::string source = "built-in";    // or "function": carried out by workers that registered it
  std::string queue = "default";      // functions only
  std::optional<ConcurrencyRule> concurrency;
  Json step_defaults;  // as registered: what a step has that does not say itself; null = nothing
  std::optional<RetryPolicy> default_retry;
  std::optional<Milliseconds> default_timeout;

  bool is_function() const { return source == "function"; }
};
using TaskTypePtr = std::shared_ptr<const TaskTypeSpec>;

/// A function as a worker registers it ({type, title, description, icon, category, config_schema,
/// output_schema, idempotent, queue, step_defaults, concurrency}). Issues go to `issues`, with pointers below
/// `pointer`.
TaskTypeSpec read_function(const Json& json, const std::string& pointer, std::vector<Issue>& issues);
/// The inverse.
Json to_json(const TaskTypeSpec& function);

/// Every task type this process knows, by name. Thread-safe. Built-in types are added at start-up; functions
/// come and change with the workers that register them.
class TaskTypeRegistry {
 public:
  void add(TaskTypeSpec spec);
  /// A function: new, or in place of the one with that name. False when nothing changed.
  bool put(TaskTypeSpec function);
  /// nullptr when there is none. What was found stays as it is, also when the function changes.
  TaskTypePtr find(std::string_view type) const;
  std::vector<std::string> list_names() const;
  /// Grows whenever a function came or changed: what was read with an older one may read otherwise now.
  std::uint64_t revision() const;

 private:
  struct Types {
    mutable std::mutex mutex;
    std::map<std::string, TaskTypePtr, std::less<>> by_name;  // guarded by mutex
    std::uint64_t revision = 0;                               // guarded by mutex
  };
  std::unique_ptr<Types> types_ = std::make_unique<Types>();  // so that a registry can be moved
};

}  // namespace fp::model
