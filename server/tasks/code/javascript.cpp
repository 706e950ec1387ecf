#include "tasks/builtin.hpp"
#include "tasks/code/code_handler.hpp"
#include "tasks/code/javascript_runner.hpp"

namespace fp::tasks {

std::unique_ptr<ports::TaskHandler> make_javascript_handler(const CodeOptions& options, const Clock& clock) {
  constexpr CodeHandler::Defaults kDefaults{std::chrono::seconds(10), 128};
  constexpr std::uint64_t kMostMemoryMb = 512;
  model::TaskTypeSpec spec;
  spec.type = "javascript";
  spec.title = "JavaScript";
  spec.category = "code";
  spec.icon = "code";
  spec.description =
      "Runs a few lines of JavaScript over its input, in a process that can reach nothing else.";
  spec.config_schema = make_code_schema("javascript", "return input.items.filter((item) => item.price > 10)",
                                        kDefaults, kMostMemoryMb);
  spec.literal = {"code"};
  return std::make_unique<CodeHandler>(
      std::move(spec), std::make_unique<JavascriptRunnerFactory>(sandbox::default_sandbox_program(), clock),
      CodeLoopOptions{.running = options.slots, .thread_name = "javascript"}, kDefaults);
}

}  // namespace fp::tasks
