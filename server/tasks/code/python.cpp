#include "tasks/builtin.hpp"
#include "tasks/code/code_handler.hpp"
#include "tasks/code/python_runner.hpp"

namespace fp::tasks {

std::unique_ptr<ports::TaskHandler> make_python_handler(const CodeOptions& options, const Clock& clock) {
  constexpr CodeHandler::Defaults kDefaults{std::chrono::seconds(60), 256};
  constexpr std::uint64_t kMostMemoryMb = 8192;
  model::TaskTypeSpec spec;
  spec.type = "python";
  spec.title = "Python";
  spec.category = "code";
  spec.icon = "code";
  spec.description = "Runs a few lines of Python over its input, in a jailed process of its own.";
  spec.config_schema =
      make_code_schema("python", "return [item for item in input[\"items\"] if item[\"price\"] > 10]",
                       kDefaults, kMostMemoryMb);
  spec.literal = {"code"};
  PythonOptions python;
  python.interpreter = options.python;
  python.level = options.level;
  python.allow_weaker = options.allow_weaker;
  return std::make_unique<CodeHandler>(
      std::move(spec), std::make_unique<PythonRunnerFactory>(std::move(python), clock),
      CodeLoopOptions{.running = options.slots, .thread_name = "python"}, kDefaults);
}

}  // namespace fp::tasks
