#pragma once

#include "model/workflow.hpp"

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace fp::app {

/// A workflow read from a file; its issues carry FILE:LINE when they are reported.
Result<std::shared_ptr<const model::Workflow>> load_workflow(const std::string& path,
                                                             const model::TaskTypeRegistry& types,
                                                             const model::SyntaxCheck& check_syntax);

/// The workflows in the folder of `path` that steps of `workflow` name (and those name in turn), found by
/// their `name`.
std::vector<std::shared_ptr<const model::Workflow>> find_children(const std::string& path,
                                                                  const model::Workflow& workflow,
                                                                  const model::TaskTypeRegistry& types);

/// Key and value of "k=v"; error usage.pair.
Result<std::pair<std::string, std::string>> split_pair(const std::string& text, const std::string& what);

/// The input object from k=v pairs. A value is what the workflow's schema says it is; without a schema JSON
/// if it reads as JSON, text otherwise.
Result<Json> read_pairs(const std::vector<std::string>& pairs, const Json& schema, const std::string& what);

}  // namespace fp::app
