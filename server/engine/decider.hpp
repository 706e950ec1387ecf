#pragma once

#include "engine/engine.hpp"
#include "engine/scope.hpp"
#include "engine/steps/step.hpp"

#include <span>

namespace fp::engine {

/// One decision under way: emits events, applies each to the state at once, and collects the commands. Lives
/// for one call of advance(). Its methods are spread over decide_*.cpp by what they decide about.
class Decider {
 public:
  Decider(ExecutionState& state, TimePoint now) : s_(state), now_(now) {}
  Decision run(const Input& input);

  // decide_inputs.cpp: one per kind of input
  void operator()(const input::Start& in);
  void operator()(const input::AttemptEnded& in);
  void operator()(const input::AttemptLost& in);
  void operator()(const input::TimeReached& in);
  void operator()(const input::Signal& in);
  void operator()(const input::EventArrived& in);
  void operator()(const input::ApprovalDecided& in);
  void operator()(const input::ChildEnded& in);
  void operator()(const input::Evaluated& in);
  void operator()(const input::Cancel& in);
  void operator()(const input::Pause& in);
  void operator()(const input::Resume& in);
  void operator()(const input::RetryFailed& in);
  void operator()(const input::Recover& in);
  void operator()(const input::Shutdown& in);

 private:
  using Answers = std::span<const Answer>;

  void emit(Event event);
  void refuse(const struct fp::ErrorCode& code, std::string message);
  const model::Step& step(TaskRef ref) const { return s_.workflow->steps[ref.step]; }

  // decide_start.cpp: from ready to started
  void drain();
  void look(model::StepIndex index);
  void look_again_at_everything();
  bool may_start(const model::Step& step) const;
  void start_step(model::StepIndex index, Answers answers);
  void pass_through(const model::Step& step);
  void start_task(TaskRef ref, Answers answers);
  void dispatch(TaskRef ref, Json config);
  void decide_in_engine(TaskRef ref, const EngineStep& type, const Json& config, Answers answers);
  void carry_out(TaskRef ref, const StepOutcome& outcome);
  /// Renders, or asks for what is missing; nullopt while an answer is owed or after a failure was recorded.
  std::optional<Json> render(TaskRef ref, const model::Template& part, Answers answers);
  void ask(TaskRef ref, const std::vector<const model::Expression*>& expressions, Value items,
           Answers previous);
  std::optional<std::map<std::string, std::vector<Result<Json>>>> evaluate_per_item(TaskRef ref,
                                                                                    const Json& config,
                                                                                    Answers answers);

  // decide_items.cpp: for_each
  void expand(const model::Step& step, Answers answers);
  void fill(model::StepIndex index);
  bool item_may_start(const model::Step& step) const;
  void close_items(model::StepIndex index);

  // decide_end.cpp: from started to ended
  void complete_task(TaskRef ref, std::uint32_t attempt, Value output, std::string port, bool plain_taken,
                     std::optional<TimePoint> started_at);
  void fail_task(TaskRef ref, std::uint32_t attempt, Error error, std::optional<TimePoint> started_at);
  void after_task(TaskRef ref);
  void begin_failing(Error error, model::StepIndex step);
  void stop_pending();
  void cancel_active(bool always_steps_too);
  void cancel_task(TaskRef ref);
  bool survives_stop(const model::Step& step) const;
  void finish();
  void finish_completed(Answers answers);
  bool compensate_next();
  void end(model::ExecutionStatus status, Value output, model::ErrorPtr error);
  void fire(TaskRef ref);
  template <class F>
  void for_each_active(F visit);

  ExecutionState& s_;
  TimePoint now_;
  Decision out_;
};

}  // namespace fp::engine
