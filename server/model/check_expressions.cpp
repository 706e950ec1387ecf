#include "base/error_code.hpp"
#include "model/reading.hpp"
#include "model/suggest.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fp::model {

namespace {

/// For each step, which steps surely ended before it may start: a bit a step.
std::vector<std::vector<bool>> find_ancestors(const Workflow& workflow) {
  std::vector<std::vector<bool>> ancestors(workflow.steps.size(), std::vector<bool>(workflow.steps.size()));
  std::vector<std::size_t> waiting(workflow.steps.size());
  std::vector<StepIndex> ready;
  for (const auto& step : workflow.steps) {
    waiting[step.index] = step.incoming.size();
    if (step.incoming.empty()) ready.push_back(step.index);
  }
  while (!ready.empty()) {
    const auto at = ready.back();
    ready.pop_back();
    for (const auto edge : workflow.steps[at].outgoing) {
      const auto target = workflow.edges[edge].target;
      auto& mine = ancestors[target];
      std::transform(mine.begin(), mine.end(), ancestors[at].begin(), mine.begin(), std::logical_or<>());
      mine[at] = true;
      if (--waiting[target] == 0) ready.push_back(target);
    }
  }
  return ancestors;
}

class ExpressionChecker {
 public:
  explicit ExpressionChecker(Reading& reading)
      : reading_(reading), ancestors_(find_ancestors(reading.workflow)) {
    for (const auto& step : reading.workflow.steps) ids_.push_back(step.id);
  }

  void check_step(const Step& step) {
    const bool has_item = step.for_each.has_value();
    check(step.config, &step, has_item);
    for (const auto& [field, part] : step.per_item) check(part, &step, true);
    if (step.for_each) check(*step.for_each, &step, false);
  }

  /// `reader` is the step that reads; nullptr for what is read when all have ended.
  void check(const Template& part, const Step* reader, bool has_item) {
    for (const auto& [pointer, expression] : part.list_expressions()) {
      check_one(*expression, pointer, reader, has_item);
      if (expression->is_javascript()) javascript_.emplace_back(pointer, expression);
    }
  }

  /// What is read before there is an execution.
  void check_trigger(const Template& part) {
    for (const auto& [pointer, expression] : part.list_expressions()) {
      for (const auto& root : expression->roots) {
        if (root != "input" && root != "vars")
          report(
              pointer, codes::expr_reference.id,
              fmt::format("an expression of a trigger reads `input` and `vars`: there is no `{}` before an "
                          "execution starts",
                          root));
      }
      if (expression->is_javascript()) javascript_.emplace_back(pointer, expression);
    }
  }

  void check_syntax(const SyntaxCheck& check) {
    if (!check || javascript_.empty()) return;
    std::vector<std::string> sources;
    for (const auto& [pointer, expression] : javascript_) sources.push_back(expression->source);
    const auto problems = check(sources);
    for (std::size_t i = 0; i < problems.size() && i < javascript_.size(); ++i) {
      if (!problems[i]) continue;
      const auto& [pointer, expression] = javascript_[i];
      const auto line = expression->line + problems[i]->line - 1;
      const auto column =
          problems[i]->line == 1 ? expression->column + problems[i]->column - 1 : problems[i]->column;
      report(pointer, codes::expr_syntax.id,
             fmt::format("at line {}, column {} of this text: {}", line, column, problems[i]->message));
    }
  }

 private:
  void report(const std::string& pointer, std::string_view code, std::string message) {
    reading_.issues.push_back({pointer, std::string(code), std::move(message)});
  }

  void check_one(const Expression& expression, const std::string& pointer, const Step* reader,
                 bool has_item) {
    std::vector<std::string> steps = expression.steps;
    if (expression.path && expression.path->root() == "steps") check_step_path(*expression.path, pointer);
    for (const auto& id : steps) check_read(id, pointer, reader);
    const bool reads_item =
        std::any_of(expression.roots.begin(), expression.roots.end(),
                    [](const std::string& root) { return root == "item" || root == "index"; });
    if (reads_item && !has_item) {
      report(pointer, codes::expr_reference.id, "`item` and `index` exist only in a step with for_each");
    }
    if (std::find(expression.roots.begin(), expression.roots.end(), "secrets") != expression.roots.end()) {
      report(pointer, codes::expr_reference.id,
             "`secrets` needs the credential store, which this version does not have yet");
    }
  }

  void check_step_path(const Path& path, const std::string& pointer) {
    const auto* field = path.segments.size() > 2 ? std::get_if<std::string>(&path.segments[2]) : nullptr;
    if (path.segments.size() <= 2 || field == nullptr || *field == "output" || *field == "error") return;
    report(pointer, codes::expr_reference.id,
           fmt::format("`{}` has only `output` and `error`; write {}.output.{}", to_string(path, 2),
                       to_string(path, 2), *field));
  }

  void check_read(const std::string& id, const std::string& pointer, const Step* reader) {
    const auto found = reading_.workflow.by_id.find(id);
    if (found == reading_.workflow.by_id.end()) {
      return report(pointer, codes::expr_reference.id,
                    fmt::format("there is no step {}{}", quote(id), suggest(id, ids_)));
    }
    if (reader == nullptr || reader->is_compensation || ancestors_[reader->index][found->second]) return;
    report(pointer, codes::expr_reference.id,
           fmt::format("the step {} does not run before {}: add it to depends_on", quote(id),
                       quote(reader->id)));
  }

  Reading& reading_;
  std::vector<std::vector<bool>> ancestors_;
  std::vector<std::string> ids_;
  std::vector<std::pair<std::string, const Expression*>> javascript_;
};

}  // namespace

void check_expressions(Reading& reading, const SyntaxCheck& check_syntax) {
  ExpressionChecker checker(reading);
  for (const auto& step : reading.workflow.steps) checker.check_step(step);
  if (reading.workflow.output) checker.check(*reading.workflow.output, nullptr, false);
  for (const auto& part : reading.trigger_expressions) checker.check_trigger(part);
  checker.check_syntax(check_syntax);
}

}  // namespace fp::model
