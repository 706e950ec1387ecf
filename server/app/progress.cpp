#include "app/progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <sys/ioctl.h>
#include <unistd.h>

namespace fp::app {

namespace ev = model::event;
using model::TaskStatus;

Progress::Style Progress::detect() {
  const char* term = std::getenv("TERM");
  const bool dumb = term == nullptr || std::string_view(term) == "dumb";
  return isatty(STDERR_FILENO) == 1 && !dumb ? Style::terminal : Style::plain;
}

void Progress::follow(const ExecutionId& id) {
  const std::lock_guard lock(mutex_);
  followed_.insert(id);
}

namespace {

std::string name_of(const engine::ExecutionState& state, model::TaskRef ref) {
  const auto& id = state.workflow->steps[ref.step].id;
  return ref.item == model::kNoItem ? id : fmt::format("{}[{}]", id, ref.item);
}

/// Control characters of data must not reach a terminal.
std::string printable(std::string_view text, std::size_t most = 200) {
  std::string out;
  for (const char c : text.substr(0, most))
    out += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c;
  if (text.size() > most) out += "...";
  return out;
}

std::string span_since(const std::optional<TimePoint>& from, const std::optional<TimePoint>& to) {
  if (!from || !to || *to < *from) return "";
  return to_display_text(*to - *from);
}

struct Look {
  const char* mark;
  const char* color;
};

Look look_of(TaskStatus status) {
  switch (status) {
    case TaskStatus::completed:
      return {"✓", "32"};
    case TaskStatus::failed:
      return {"✗", "31"};
    case TaskStatus::running:
    case TaskStatus::queued:
      return {"●", "36"};
    case TaskStatus::retrying:
      return {"↻", "33"};
    case TaskStatus::waiting:
      return {"◷", "33"};
    case TaskStatus::skipped:
      return {"–", "90"};
    case TaskStatus::cancelled:
      return {"⊘", "90"};
    case TaskStatus::pending:
      return {"·", "90"};
  }
  return {" ", "0"};
}

}  // namespace

std::string Progress::describe(const engine::ExecutionState& state, const engine::Event& event) const {
  if (const auto* e = std::get_if<ev::TaskCompleted>(&event)) {
    const auto& task = state.task(e->task);
    const auto took = span_since(task.first_attempt_at, task.ended_at);
    const auto port = e->port.empty() ? "" : " -> " + e->port;
    return fmt::format("{} completed{}{}{}", name_of(state, e->task), port, took.empty() ? "" : " in " + took,
                       e->attempt > 1 ? fmt::format(" (attempt {})", e->attempt) : "");
  }
  if (const auto* e = std::get_if<ev::TaskFailed>(&event))
    return fmt::format("{} failed: {} [{}]", name_of(state, e->task), printable(e->error->message),
                       e->error->code);
  if (const auto* e = std::get_if<ev::AttemptFailed>(&event)) {
    return fmt::format("{} attempt {} failed: {} [{}]; again at {}", name_of(state, e->task), e->attempt,
                       printable(e->error->message), e->error->code, to_rfc3339(e->retry_at));
  }
  if (const auto* e = std::get_if<ev::AttemptLost>(&event))
    return fmt::format("{} attempt {} was lost ({}); it is repeated with the same idempotency key",
                       name_of(state, e->task), e->attempt, e->reason);
  if (const auto* e = std::get_if<ev::TaskWaiting>(&event)) {
    const auto until = e->due ? " until " + to_rfc3339(*e->due) : std::string();
    if (e->kind == model::WaitKind::approval)
      return fmt::format("{} waits for an approval{}: {}", name_of(state, e->task), until,
                         printable(json_string(*e->data, "title")));
    return fmt::format("{} waits for {}{}", name_of(state, e->task),
                       e->kind == model::WaitKind::delay
                           ? "time to pass"
                           : fmt::format("{} \"{}\"", to_string(e->kind), printable(e->name)),
                       until);
  }
  if (const auto* e = std::get_if<ev::TaskSkipped>(&event))
    return fmt::format("{} skipped", name_of(state, {e->step, model::kNoItem}));
  if (const auto* e = std::get_if<ev::TaskCancelled>(&event))
    return fmt::format("{} cancelled", name_of(state, e->task));
  if (const auto* e = std::get_if<ev::ItemsExpanded>(&event))
    return fmt::format("{} has {} items", name_of(state, {e->step, model::kNoItem}),
                       e->items->get_array().size());
  if (const auto* e = std::get_if<ev::ItemsEnded>(&event))
    return fmt::format("{} {}", name_of(state, {e->step, model::kNoItem}), to_string(e->status));
  if (std::holds_alternative<ev::CompensationStarted>(event)) return "undoing completed steps";
  if (const auto* e = std::get_if<ev::ExecutionPaused>(&event))
    return e->error ? e->error->message : "paused: " + printable(e->reason);
  if (std::holds_alternative<ev::ExecutionReopened>(event)) return "goes on from what failed";
  if (const auto* e = std::get_if<ev::ExecutionEnded>(&event)) {
    const auto took = span_since(state.started_at, state.ended_at);
    return fmt::format("execution {} {}{}{}", to_string(state.id), to_string(e->status),
                       took.empty() ? "" : " in " + took,
                       e->error ? ": " + printable(e->error->message) : "");
  }
  return "";
}

void Progress::print_line(const engine::ExecutionState& state, const std::string& text) {
  if (text.empty()) return;
  const auto prefix =
      followed_.contains(state.id) ? "" : fmt::format("[{}] ", printable(state.workflow->name, 40));
  fmt::print(stderr, "{}{}\n", prefix, text);
}

std::string Progress::step_line(const engine::ExecutionState& state, model::StepIndex index) const {
  const auto& step = state.workflow->steps[index];
  const auto& task = state.steps[index].task;
  const auto& fan = state.steps[index].fan;
  auto status = task.status;
  if (fan && status == TaskStatus::pending) status = TaskStatus::running;
  const auto look = look_of(status);
  std::string detail = span_since(task.first_attempt_at, task.ended_at);
  if (fan) detail += fmt::format(" {}/{} items", fan->ended, fan->tasks.size());
  if (task.attempt > 1) detail += fmt::format(" attempt {}", task.attempt);
  if (!task.port.empty()) detail += " -> " + task.port;
  if (task.error && status != TaskStatus::completed) detail += "  " + printable(task.error->message, 80);
  return fmt::format("\x1b[{}m{} {:<24} {:<10}\x1b[0m {}", look.color, look.mark, printable(step.id, 24),
                     to_string(status), detail);
}

/// Redraws from the first line down; what scrolled away stays where it is.
void Progress::redraw(const engine::ExecutionState& state) {
  constexpr std::size_t kMostLines = 40;
  std::string out;
  if (drawn_lines_ > 0) out += fmt::format("\x1b[{}A\r", drawn_lines_);
  std::size_t lines = 0;
  const auto steps = static_cast<model::StepIndex>(state.steps.size());
  for (model::StepIndex i = 0; i < steps && lines < kMostLines; ++i, ++lines)
    out += step_line(state, i) + "\x1b[K\n";
  if (steps > kMostLines) {
    out +=
        fmt::format("  ... and {} more steps, {} still open\x1b[K\n", steps - kMostLines, state.open_steps);
    ++lines;
  }
  drawn_lines_ = lines;
  std::fwrite(out.data(), 1, out.size(), stderr);
}

void Progress::on_recorded(const runtime::Recorded& recorded) {
  const auto& state = recorded.state;
  const auto events = recorded.events;
  if (style_ == Style::silent) return;
  const std::lock_guard lock(mutex_);
  if (style_ == Style::terminal && followed_.size() == 1 && followed_.contains(state.id)) {
    redraw(state);
    const auto* ended = events.empty() ? nullptr : std::get_if<ev::ExecutionEnded>(&events.back());
    if (ended != nullptr) print_line(state, describe(state, events.back()));
    for (const auto& event : events) {
      if (const auto* paused = std::get_if<ev::ExecutionPaused>(&event))
        print_line(state, describe(state, *paused));
    }
    return;
  }
  for (const auto& event : events) print_line(state, describe(state, event));
}

void Progress::on_started(const engine::ExecutionState& state, model::TaskRef task, TimePoint) {
  if (style_ != Style::plain) return;
  const std::lock_guard lock(mutex_);
  // One line a step: ten thousand items need no ten thousand lines to begin.
  if (begun_.emplace(state.id, task.step).second)
    print_line(state, fmt::format("{} started", name_of(state, {task.step, model::kNoItem})));
}

void Progress::on_log(const runtime::Logged& logged) {
  if (style_ == Style::silent) return;
  const std::lock_guard lock(mutex_);
  for (const auto& line : logged.lines)
    print_line(logged.state,
               fmt::format("{} | {}: {}", line.step, line.line.level, printable(line.line.text, 2000)));
  if (style_ == Style::terminal) drawn_lines_ = 0;  // log lines stand between two drawings
}

}  // namespace fp::app
