#include "app/commands.hpp"
#include "app/documents.hpp"
#include "app/host.hpp"

#include <fmt/format.h>

#include <cstdio>

namespace fp::app {

ExitCode validate_command(const std::vector<std::string>& files, bool as_json) {
  const SystemClock clock;
  const auto types = make_registry({}, clock);
  sandbox::SandboxedEvaluator evaluator;
  ExitCode worst = kOk;
  JsonArray results;
  for (const auto& file : files) {
    const auto workflow = load_workflow(file, types, make_syntax_check(evaluator));
    if (as_json) {
      results.push_back(JsonObject{{"file", file},
                                   {"valid", workflow.has_value()},
                                   {"error", workflow ? Json(nullptr) : to_json(workflow.error())}});
    } else if (workflow) {
      fmt::print("{}: ok ({} steps)\n", file, (*workflow)->steps.size());
    }
    if (workflow) continue;
    const auto code = as_json ? exit_code_for(workflow.error()) : report(workflow.error());
    if (worst == kOk) worst = code;
  }
  if (as_json) std::puts(to_pretty_text(Json(std::move(results))).c_str());
  return worst;
}

}  // namespace fp::app
