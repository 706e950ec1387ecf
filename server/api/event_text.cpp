#include "api/event_text.hpp"

#include "base/json_parse.hpp"
#include "engine/codec.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace fp::api {

namespace ev = model::event;

namespace {

/// One sentence a kind of event.
struct Sentence {
  const model::Workflow& workflow;

  std::string name(model::TaskRef ref) const {
    const auto& id = workflow.steps[ref.step].id;
    return ref.item == model::kNoItem ? id : fmt::format("{}[{}]", id, ref.item);
  }
  std::string name(model::StepIndex step) const { return workflow.steps[step].id; }
  static std::string because(const std::string& reason) { return reason.empty() ? "" : ": " + reason; }

  std::string operator()(const ev::ExecutionStarted& e) const {
    const auto what =
        e.workflow_version == 0 ? std::string("its draft") : fmt::format("version {}", e.workflow_version);
    if (e.retry_of)
      return fmt::format("Started ({}) as a retry of {} with {}; {} recorded results are taken over",
                         e.trigger, to_string(*e.retry_of), what, e.reused.size());
    return fmt::format("Started ({}) with {} of \"{}\"{}", e.trigger, what, e.workflow_name, tell_part(e));
  }
  /// What does not run, by the names of the steps.
  std::string tell_part(const ev::ExecutionStarted& e) const {
    std::vector<std::string> reused;
    std::vector<std::string> pinned;
    std::vector<std::string> left_out;
    for (const auto& step : e.reused) (step.pinned ? pinned : reused).push_back(name(step.step));
    for (const auto& pin : e.pins) pinned.push_back(name(pin.step));
    for (const auto step : e.left_out) left_out.push_back(name(step));
    std::string out;
    if (!reused.empty())
      out += fmt::format("; taken over from execution {}: {}", e.reused_from ? to_string(*e.reused_from) : "",
                         fmt::join(reused, ", "));
    if (!pinned.empty()) out += fmt::format("; pinned, not run: {}", fmt::join(pinned, ", "));
    if (!left_out.empty()) out += fmt::format("; left out: {}", fmt::join(left_out, ", "));
    return out;
  }
  std::string operator()(const ev::ItemsExpanded& e) const {
    return fmt::format("{} runs once for each of {} items", name(e.step), e.items->get_array().size());
  }
  std::string operator()(const ev::AttemptScheduled& e) const {
    return fmt::format("{}: attempt {} handed to a worker", name(e.task), e.attempt);
  }
  std::string operator()(const ev::AttemptFailed& e) const {
    return fmt::format("{}: attempt {} failed: {} [{}]; the next one starts at {}", name(e.task), e.attempt,
                       e.error->message, e.error->code, to_rfc3339(e.retry_at));
  }
  std::string operator()(const ev::AttemptLost& e) const {
    return fmt::format("{}: attempt {} was lost ({}); it is repeated with the same idempotency key",
                       name(e.task), e.attempt, e.reason);
  }
  std::string operator()(const ev::TaskWaiting& e) const {
    const auto until = e.due ? " until " + to_rfc3339(*e.due) : std::string();
    switch (e.kind) {
      case model::WaitKind::delay:
        return fmt::format("{} waits{}", name(e.task), until);
      case model::WaitKind::signal:
        return fmt::format("{} waits for the signal \"{}\"{}", name(e.task), e.name, until);
      case model::WaitKind::approval:
        return fmt::format("{} waits for an approval{}", name(e.task), until);
      case model::WaitKind::child:
        return fmt::format("{} started \"{}\" as execution {} and waits for it", name(e.task), e.name,
                           e.child ? to_string(*e.child) : "");
      case model::WaitKind::event: {
        const auto key = e.data ? json_string(*e.data, "key") : std::string();
        return fmt::format("{} waits for the event \"{}\"{}{}", name(e.task), e.name,
                           key.empty() ? "" : fmt::format(" with the key \"{}\"", key), until);
      }
      case model::WaitKind::none:
        break;
    }
    return fmt::format("{} waits", name(e.task));
  }
  std::string operator()(const ev::TaskCompleted& e) const {
    if (e.pinned) return fmt::format("{} was not run: the value pinned to it stands in", name(e.task));
    return fmt::format("{} completed{}{}", name(e.task),
                       e.port.empty() ? "" : fmt::format(" and goes the way \"{}\"", e.port),
                       e.attempt > 1 ? fmt::format(" with attempt {}", e.attempt) : "");
  }
  std::string operator()(const ev::TaskFailed& e) const {
    return fmt::format("{} failed for good: {} [{}]", name(e.task), e.error->message, e.error->code);
  }
  std::string operator()(const ev::TaskSkipped& e) const {
    return fmt::format("{} was skipped: no way led there", name(e.step));
  }
  std::string operator()(const ev::TaskCancelled& e) const {
    return fmt::format("{} was cancelled", name(e.task));
  }
  std::string operator()(const ev::ItemsEnded& e) const {
    return fmt::format("All items of {} have ended: {}{}", name(e.step), to_string(e.status),
                       e.error ? ": " + e.error->message : "");
  }
  std::string operator()(const ev::SignalBuffered& e) const {
    return fmt::format("The signal \"{}\" came and is kept until a step waits for it", e.name);
  }
  std::string operator()(const ev::EventTaken& e) const {
    return fmt::format("Event number {} came and ends what waited for it", e.number);
  }
  std::string operator()(const ev::SignalTaken& e) const {
    return fmt::format("The signal \"{}\" was taken", e.name);
  }
  std::string operator()(const ev::ExecutionFailing& e) const {
    return fmt::format("The execution is failing{}: {} [{}]",
                       e.step == model::kNoStep ? "" : " because of " + name(e.step), e.error->message,
                       e.error->code);
  }
  std::string operator()(const ev::CancelRequested& e) const {
    return fmt::format("Cancel was requested{}{}", because(e.reason),
                       e.force ? " (a second time: at once)" : "");
  }
  std::string operator()(const ev::ExecutionPaused& e) const {
    return fmt::format("Paused{}", because(e.error ? e.error->message : e.reason));
  }
  std::string operator()(const ev::ExecutionResumed&) const { return "Resumed"; }
  std::string operator()(const ev::ProcessDied&) const {
    return "The process that carried this execution died; another one goes on";
  }
  std::string operator()(const ev::CompensationStarted&) const {
    return "Completed steps are being undone, the newest first";
  }
  std::string operator()(const ev::ExecutionReopened& e) const {
    return fmt::format("Goes on from what failed: {} steps run again", e.steps.size());
  }
  std::string operator()(const ev::LateResult& e) const {
    return fmt::format("A late result of {} (attempt {}) came and was not applied", name(e.task), e.attempt);
  }
  std::string operator()(const ev::ExecutionEnded& e) const {
    return fmt::format("Ended: {}{}", to_string(e.status), e.error ? ": " + e.error->message : "");
  }
};

}  // namespace

std::string to_sentence(const engine::Event& event, const model::Workflow& workflow) {
  return std::visit(Sentence{workflow}, event);
}

Json to_resource(const runtime::RecordedEvent& recorded, const model::Workflow& workflow) {
  auto data =
      parse_trusted_json(engine::encode_events(std::span(&recorded.event, 1), workflow)).get_array().front();
  auto& members = data.get_object();
  const auto take = [&](const char* name) {
    const auto* found = members.if_contains(name);
    Json out = found == nullptr ? Json(nullptr) : *found;
    members.erase(name);
    return out;
  };
  auto type = take("type");
  auto step = take("step");
  auto index = take("item");
  auto attempt = take("attempt");
  return JsonObject{{"seq", recorded.seq},
                    {"at", to_rfc3339(recorded.at)},
                    {"type", std::move(type)},
                    {"step", std::move(step)},
                    {"index", std::move(index)},
                    {"attempt", std::move(attempt)},
                    {"text", to_sentence(recorded.event, workflow)},
                    {"data", std::move(data)}};
}

}  // namespace fp::api
