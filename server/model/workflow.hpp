#pragma once

#include "base/json.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "model/task_type.hpp"
#include "model/template.hpp"

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace fp::model {

using StepIndex = std::uint32_t;
inline constexpr StepIndex kNoStep = std::numeric_limits<StepIndex>::max();

/// When a step with several dependencies runs; `docs/reference/semantics.md` has the table.
enum class Join { when_none_failed, all, any, always };
enum class OnError { fail, resume };

/// One arrow of the graph: `target` depends on `source`.
struct Edge {
  StepIndex source = kNoStep;
  StepIndex target = kNoStep;
  std::string when;  // "" = the plain way out; "error"; otherwise a port of the source
  bool is_error() const { return when == "error"; }
};

struct Step {
  StepIndex index = 0;
  std::string id;
  std::string name;
  TaskTypePtr type;
  Template config;        // an object, without the fields evaluated per item
  Value constant_config;  // the same when nothing in it is evaluated
  std::vector<std::pair<std::string, Template>> per_item;
  std::vector<std::uint32_t> incoming;  // positions in Workflow::edges
  std::vector<std::uint32_t> outgoing;
  Join join = Join::when_none_failed;
  OnError on_error = OnError::fail;
  bool has_error_edge = false;
  RetryPolicy retry;
  Milliseconds timeout{300'000};  // of one attempt
  std::optional<Template> for_each;
  std::uint32_t max_parallel = 10;
  StepIndex compensate = kNoStep;  // the step that undoes this one
  bool is_compensation = false;    // runs only to undo another
  bool disabled = false;
  std::vector<std::string> ports;  // besides "error"
};

struct Settings {
  std::optional<Milliseconds> timeout;
  std::optional<std::uint32_t> concurrency_limit;
  std::optional<std::string> concurrency_key;
  std::string on_failure;  // name of the workflow to start when an execution fails; "" for none
  std::optional<std::uint32_t> retention_days;
};

/// A valid workflow document, taken apart for running. Immutable; shared by every execution of it.
struct Workflow {
  std::string name;
  std::string hash;  // hex of hash_256 of the canonical document text
  Json document;
  Json inputs;  // JSON Schema of the input, or null
  Settings settings;
  std::vector<Step> steps;
  std::vector<Edge> edges;
  std::unordered_map<std::string, StepIndex> by_id;
  std::optional<Template> output;

  const Step* find_step(std::string_view id) const;
};

struct ReadLimits {
  std::size_t max_bytes = 1 << 20;
  std::size_t max_depth = 64;
  std::size_t max_steps = 1000;
  std::size_t max_aliases = 1000;    // YAML
  std::size_t max_values = 200'000;  // after alias expansion
};

/// Line and column within an expression, from 1, and a plain sentence.
struct ExpressionProblem {
  std::size_t line = 1;
  std::size_t column = 1;
  std::string message;
};
/// Says for each JavaScript source what is wrong with its syntax, if anything; empty function = not checked
/// here.
using SyntaxCheck =
    std::function<std::vector<std::optional<ExpressionProblem>>(const std::vector<std::string>&)>;

/// Text of a document (YAML 1.2 core schema or JSON) as JSON: bounded depth, size and aliases, duplicate keys
/// refused. `lines`, when given, receives the line of every value by its pointer (YAML only).
Result<Json> parse_document(std::string_view text, const ReadLimits& limits = {},
                            std::unordered_map<std::string, std::size_t>* lines = nullptr);

/// Everything wrong at once: error `workflow.invalid` whose issues carry pointer, code and sentence.
Result<std::shared_ptr<const Workflow>> read_workflow(Json document, const TaskTypeRegistry& types,
                                                      const SyntaxCheck& check_syntax = {},
                                                      const ReadLimits& limits = {});

/// Checks an execution's input against `inputs`; error `input.invalid` with issues.
Result<void> check_input(const Workflow& workflow, const Json& input);

/// Does a retry policy forbid this code? `http.4xx` matches http.4xx itself and http.400 ... http.499;
/// `expr.*` a family.
bool matches_code(std::string_view pattern, std::string_view code);

}  // namespace fp::model
