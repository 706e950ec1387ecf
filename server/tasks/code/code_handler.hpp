#pragma once

#include "tasks/code/code_loop.hpp"

#include <memory>

namespace fp::tasks {

/// What the task types that run code share: a config of code, input and limits, and a loop of processes.
class CodeHandler final : public ports::TaskHandler {
 public:
  struct Defaults {
    Milliseconds time;
    std::uint64_t memory_mb;
  };
  CodeHandler(model::TaskTypeSpec spec, std::unique_ptr<CodeRunnerFactory> factory, CodeLoopOptions options,
              Defaults defaults)
      : spec_(std::move(spec)), defaults_(defaults), loop_(std::move(factory), options) {}

  const model::TaskTypeSpec& spec() const override { return spec_; }
  Kind kind() const override { return Kind::asynchronous; }
  void start(ports::AttemptRequest request, std::shared_ptr<ports::AttemptControl> control,
             Done done) override;

 private:
  const model::TaskTypeSpec spec_;
  const Defaults defaults_;
  CodeLoop loop_;
};

/// The schema of a config; `language` tells editors how to show the field `code`.
Json make_code_schema(const char* language, const char* example, const CodeHandler::Defaults& defaults,
                      std::uint64_t most_memory_mb);

}  // namespace fp::tasks
