#include "base/json_parse.hpp"
#include "tasks/builtin.hpp"

namespace fp::tasks {

namespace {

class LogHandler final : public ports::TaskHandler {
 public:
  explicit LogHandler(const Clock& clock) : clock_(clock) {
    spec_.type = "log";
    spec_.title = "Log";
    spec_.category = "test";
    spec_.icon = "terminal";
    spec_.description = "Writes a line to the execution's log.";
    spec_.config_schema = parse_trusted_json(R"({
      "type": "object", "additionalProperties": false, "required": ["message"],
      "properties": {"message": {"description": "Text, or any value, written as JSON"},
                     "level": {"enum": ["debug", "info", "warning", "error"], "default": "info"}}
    })");
  }
  const model::TaskTypeSpec& spec() const override { return spec_; }
  Kind kind() const override { return Kind::instant; }
  void start(ports::AttemptRequest request, std::shared_ptr<ports::AttemptControl> control,
             Done done) override {
    const auto& message = request.config->at("message");
    const auto level = json_string(*request.config, "level");
    control->log(clock_.now(), level.empty() ? "info" : level, to_display_text(message));
    done(message);
  }

 private:
  const Clock& clock_;
  model::TaskTypeSpec spec_;
};

}  // namespace

std::unique_ptr<ports::TaskHandler> make_log_handler(const Clock& clock) {
  return std::make_unique<LogHandler>(clock);
}

}  // namespace fp::tasks
