#pragma once

#include "base/error.hpp"
#include "model/object_reader.hpp"
#include "model/workflow.hpp"

#include <string>
#include <vector>

namespace fp::model {

/// What the passes of read_workflow share: the workflow being built and everything wrong so far.
struct Reading {
  const TaskTypeRegistry& types;
  const ReadLimits& limits;
  Workflow& workflow;
  std::vector<Issue>& issues;
  std::vector<Template> trigger_expressions = {};  // what triggers ask before they start anything
};

/// Pass 1: the fields of each step, all but its dependencies.
void read_steps(Reading& reading, const Json& document);
/// Pass 2: dependencies, ports, compensation, cycles.
void read_edges(Reading& reading, const Json& document);
/// Pass 3: what expressions read, and their JavaScript.
void check_expressions(Reading& reading, const SyntaxCheck& check_syntax);
/// Triggers: ids, types and what each type's config must be.
void check_triggers(Reading& reading, const Json& triggers);

}  // namespace fp::model
