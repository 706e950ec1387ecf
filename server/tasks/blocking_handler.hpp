#pragma once

#include "ports/task_handler.hpp"

#include <functional>
#include <memory>

namespace fp::tasks {

/// A task type whose attempt is one function that may block. The function is called from many threads at
/// once.
class BlockingHandler final : public ports::TaskHandler {
 public:
  using Run = std::function<Result<Json>(const ports::AttemptRequest&, ports::AttemptControl&)>;
  BlockingHandler(model::TaskTypeSpec spec, Run run) : spec_(std::move(spec)), run_(std::move(run)) {}

  const model::TaskTypeSpec& spec() const override { return spec_; }
  Kind kind() const override { return Kind::blocking; }
  void start(ports::AttemptRequest request, std::shared_ptr<ports::AttemptControl> control,
             Done done) override {
    auto output = run_(request, *control);
    control->set_cancel_hook({});
    done(std::move(output));
  }

 private:
  model::TaskTypeSpec spec_;
  Run run_;
};

}  // namespace fp::tasks
