#include "base/json_parse.hpp"
#include "tasks/builtin.hpp"

namespace fp::tasks {

namespace {

class NoopHandler final : public ports::TaskHandler {
 public:
  NoopHandler() {
    spec_.type = "noop";
    spec_.title = "Do nothing";
    spec_.category = "test";
    spec_.icon = "circle";
    spec_.description = "Gives its output after one real dispatch: for tests, drafts and benchmarks.";
    spec_.config_schema = parse_trusted_json(R"({
      "type": "object", "additionalProperties": false, "properties": {"output": {"description": "What the step gives"}}
    })");
  }
  const model::TaskTypeSpec& spec() const override { return spec_; }
  Kind kind() const override { return Kind::instant; }
  void start(ports::AttemptRequest request, std::shared_ptr<ports::AttemptControl>, Done done) override {
    const auto* output = json_find(*request.config, "output");
    done(output == nullptr ? Json(nullptr) : *output);
  }

 private:
  model::TaskTypeSpec spec_;
};

}  // namespace

std::unique_ptr<ports::TaskHandler> make_noop_handler() {
  return std::make_unique<NoopHandler>();
}

}  // namespace fp::tasks
