#include "base/error_code.hpp"
#include "base/mutant.hpp"
#include "engine/decider.hpp"

#include <fmt/format.h>

namespace fp::engine {

using namespace model;
namespace ev = model::event;

namespace {
constexpr std::size_t kMostItems = 100'000;
}

void Decider::expand(const Step& step, Answers answers) {
  const TaskRef ref{step.index, kNoItem};
  auto items = render(ref, *step.for_each, answers);
  if (!items) return;
  if (!items->is_array()) {
    return fail_task(
        ref, 0,
        Error(codes::for_each_not_a_list,
              fmt::format("for_each needs a list, but its expression gave {}", json_type_name(*items))),
        {});
  }
  if (items->get_array().size() > kMostItems) {
    return fail_task(
        ref, 0,
        Error(codes::for_each_too_many, fmt::format("for_each got {} items; at most {} are allowed",
                                                    items->get_array().size(), kMostItems)),
        {});
  }
  emit(ev::ItemsExpanded{step.index, make_value(std::move(*items))});
  fill(step.index);
}

bool Decider::item_may_start(const Step& step) const {
  const auto& fan = *s_.steps[step.index].fan;
  return may_start(step) && (fan.failed == 0 || step.on_error == OnError::resume);
}

/// Starts items up to max_parallel; closes the step when nothing is left to do. Items decided inside the
/// engine end at once, which is why the loop asks anew each time.
void Decider::fill(StepIndex index) {
  const auto& step = s_.workflow->steps[index];
  auto& fan = *s_.steps[index].fan;
  for (std::uint32_t i = fan.first_open; i < fan.tasks.size(); ++i) {
    if ((fan.active + fan.asked >= step.max_parallel && !FP_MUTANT("max_parallel ignored")) ||
        !item_may_start(step))
      break;
    if (fan.tasks[i].status == TaskStatus::pending && !fan.tasks[i].asked) start_task({index, i}, {});
  }
  if (fan.active > 0 || is_terminal(s_.steps[index].task.status)) return;
  const bool all_ended = fan.ended == fan.tasks.size();
  const bool stopped = !s_.paused && !item_may_start(step);
  if (all_ended || stopped) close_items(index);
}

void Decider::close_items(StepIndex index) {
  const auto& step = s_.workflow->steps[index];
  const auto& fan = *s_.steps[index].fan;
  ev::ItemsEnded ended{index, TaskStatus::completed, nullptr};
  if (fan.failed > 0 && step.on_error == OnError::fail) {
    Error error = *fan.tasks[fan.first_failed].error;
    error.message = fmt::format("item {} of {}: {}", fan.first_failed, fan.tasks.size(), error.message);
    ended.status = TaskStatus::failed;
    ended.error = make_error(std::move(error));
  } else if (fan.ended < fan.tasks.size()) {
    ended.status = TaskStatus::cancelled;
  } else if (fan.failed > 0) {
    Error error(codes::for_each_items_failed,
                fmt::format("{} of {} items failed; each gives null", fan.failed, fan.tasks.size()));
    JsonArray failed;
    for (std::size_t i = 0; i < fan.tasks.size() && failed.size() < 100; ++i) {
      if (fan.tasks[i].status == TaskStatus::failed) failed.push_back(i);
    }
    error.details = JsonObject{{"failed", std::move(failed)}};
    ended.error = make_error(std::move(error));
  }
  emit(ended);
  after_task({index, kNoItem});
}

}  // namespace fp::engine
