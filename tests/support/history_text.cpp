#include "support/history_text.hpp"

#include <fmt/format.h>

namespace fp::tests {

namespace ev = model::event;

namespace {

std::string seconds(TimePoint at, TimePoint start) {
  const auto ms = (at - start).count();
  return ms % 100 == 0 ? fmt::format("{:.1f}", double(ms) / 1000) : fmt::format("{:.3f}", double(ms) / 1000);
}

struct Teller {
  const model::Workflow& workflow;
  TimePoint start;

  std::string name(model::TaskRef ref) const {
    const auto& id = workflow.steps[ref.step].id;
    return ref.item == model::kNoItem ? id : fmt::format("{}[{}]", id, ref.item);
  }
  std::string name(model::StepIndex step) const { return workflow.steps[step].id; }
  static std::string value(const Value& v) { return v && !v->is_null() ? " = " + to_text(*v) : ""; }
  static std::string error(const model::ErrorPtr& e) {
    return e ? fmt::format(" {}: {}", e->code, e->message) : "";
  }

  std::string operator()(const ev::ExecutionStarted& e) const {
    std::string out = "start" + value(e.input);
    for (const auto& step : e.reused)
      out += fmt::format(" {} {}", step.pinned ? "given" : "reuse", name(step.step));
    for (const auto& pin : e.pins) out += fmt::format(" pin {}", name(pin.step));
    for (const auto step : e.left_out) out += fmt::format(" without {}", name(step));
    return out;
  }
  std::string operator()(const ev::ItemsExpanded& e) const {
    return name(e.step) + " items" + value(e.items);
  }
  std::string operator()(const ev::AttemptScheduled& e) const {
    return fmt::format("{} attempt {}", name(e.task), e.attempt);
  }
  std::string operator()(const ev::AttemptFailed& e) const {
    return fmt::format("{} retry at {}{}", name(e.task), seconds(e.retry_at, start), error(e.error));
  }
  std::string operator()(const ev::AttemptLost& e) const {
    return fmt::format("{} attempt {} lost {}", name(e.task), e.attempt, e.reason);
  }
  std::string operator()(const ev::TaskWaiting& e) const {
    return fmt::format("{} waits {}{}{}", name(e.task), to_string(e.kind), e.name.empty() ? "" : " " + e.name,
                       e.due ? " until " + seconds(*e.due, start) : "");
  }
  std::string operator()(const ev::TaskCompleted& e) const {
    return fmt::format("{} {}{}{}", name(e.task), e.pinned ? "pinned" : "completed",
                       e.port.empty() ? "" : " -> " + e.port, value(e.output));
  }
  std::string operator()(const ev::TaskFailed& e) const { return name(e.task) + " failed" + error(e.error); }
  std::string operator()(const ev::TaskSkipped& e) const { return name(e.step) + " skipped"; }
  std::string operator()(const ev::TaskCancelled& e) const { return name(e.task) + " cancelled"; }
  std::string operator()(const ev::ItemsEnded& e) const {
    return fmt::format("{} items {}{}", name(e.step), to_string(e.status), error(e.error));
  }
  std::string operator()(const ev::SignalBuffered& e) const { return "signal kept " + e.name; }
  std::string operator()(const ev::SignalTaken& e) const { return "signal taken " + e.name; }
  std::string operator()(const ev::EventTaken& e) const { return "event taken " + std::to_string(e.number); }
  std::string operator()(const ev::ExecutionFailing& e) const {
    return fmt::format("failing{}{}", e.step == model::kNoStep ? "" : " by " + name(e.step), error(e.error));
  }
  std::string operator()(const ev::CancelRequested& e) const {
    return fmt::format("cancel{} {}", e.force ? " by force" : "", e.reason);
  }
  std::string operator()(const ev::ExecutionPaused& e) const { return "paused " + e.reason; }
  std::string operator()(const ev::ExecutionResumed&) const { return "resumed"; }
  std::string operator()(const ev::ProcessDied&) const { return "process died"; }
  std::string operator()(const ev::CompensationStarted&) const { return "compensating"; }
  std::string operator()(const ev::ExecutionReopened& e) const {
    std::string out = "reopened";
    for (const auto step : e.steps) out += " " + name(step);
    return out;
  }
  std::string operator()(const ev::LateResult& e) const {
    return fmt::format("{} attempt {} late", name(e.task), e.attempt);
  }
  std::string operator()(const ev::ExecutionEnded& e) const {
    return fmt::format("end {}{}{}", to_string(e.status), value(e.output), error(e.error));
  }
};

}  // namespace

std::string describe(const engine::Event& event, const model::Workflow& workflow, TimePoint start) {
  return std::visit(Teller{workflow, start}, event);
}

std::string describe_line(const engine::Event& event, const model::Workflow& workflow, TimePoint start,
                          TimePoint at) {
  return fmt::format("{} {}", seconds(at, start), describe(event, workflow, start));
}

}  // namespace fp::tests
