#include "base/error_code.hpp"
#include "engine/decider.hpp"
#include "engine/plan.hpp"
#include "engine/retry.hpp"
#include "model/json_schema.hpp"

#include <fmt/format.h>

namespace fp::engine {

using namespace model;
namespace ev = model::event;

void Decider::emit(Event event) {
  apply(s_, event, now_);
  out_.events.push_back(std::move(event));
}

void Decider::refuse(const ErrorCode& code, std::string message) {
  out_.refusal = Error(code, std::move(message));
}

Decision Decider::run(const Input& input) {
  std::visit(*this, input);
  if (std::holds_alternative<input::Shutdown>(input)) return std::move(out_);
  while (!is_terminal(s_.status) && s_.status != ExecutionStatus::pending) {
    drain();
    finish();
    if (s_.touched.empty()) break;
  }
  s_.touched.clear();
  return std::move(out_);
}

void Decider::drain() {
  for (std::size_t i = 0; i < s_.touched.size(); ++i) look(s_.touched[i]);
  s_.touched.clear();
}

void Decider::look_again_at_everything() {
  for (const auto& step : s_.workflow->steps) {
    if (!step.is_compensation && s_.steps[step.index].task.status == TaskStatus::pending)
      s_.touched.push_back(step.index);
  }
}

bool Decider::survives_stop(const Step& step) const {
  return !s_.forced && (step.join == Join::always || step.is_compensation);
}

bool Decider::may_start(const Step& step) const {
  return !s_.paused && (!s_.is_stopping() || survives_stop(step));
}

namespace {

enum class Readiness { waits, ready, never };

Readiness readiness(const Step& step, const StepState& state) {
  const auto total = step.incoming.size();
  const bool settled = state.settled == total;
  switch (step.join) {
    case Join::when_none_failed:
      if (state.broken > 0) return Readiness::never;
      if (!settled) return Readiness::waits;
      return state.taken > 0 || total == 0 ? Readiness::ready : Readiness::never;
    case Join::all:
      if (state.taken < state.settled) return Readiness::never;
      return settled ? Readiness::ready : Readiness::waits;
    case Join::any:
      if (state.taken > 0 || total == 0) return Readiness::ready;
      return settled ? Readiness::never : Readiness::waits;
    case Join::always:
      return settled ? Readiness::ready : Readiness::waits;
  }
  return Readiness::waits;
}

}  // namespace

void Decider::look(StepIndex index) {
  const auto& step = s_.workflow->steps[index];
  auto& state = s_.steps[index];
  if (state.task.status != TaskStatus::pending || state.task.asked) return;
  if (state.fan) return fill(index);
  const auto ready = step.is_compensation ? Readiness::ready : readiness(step, state);
  if (ready == Readiness::waits) {
    if (s_.is_stopping() && !survives_stop(step)) emit(ev::TaskSkipped{index});
    return;
  }
  if (ready == Readiness::never || (s_.is_stopping() && !survives_stop(step)))
    return emit(ev::TaskSkipped{index});
  if (!s_.paused) start_step(index, {});
}

void Decider::start_step(StepIndex index, Answers answers) {
  const auto& step = s_.workflow->steps[index];
  if (const auto& pin = s_.steps[index].pin) {
    auto way = way_out(step, *pin);
    emit(ev::TaskCompleted{{index, kNoItem}, 0, pin, std::move(way.port), way.plain_taken, {}, true});
    return;
  }
  if (step.disabled) return pass_through(step);
  if (step.for_each) return expand(step, answers);
  start_task({index, kNoItem}, answers);
}

/// A disabled step hands on what came in: the output of its one taken source, all of several by step id, or
/// the input.
void Decider::pass_through(const Step& step) {
  Value output = s_.input;
  JsonObject several;
  std::size_t taken = 0;
  for (const auto position : step.incoming) {
    const auto& source = s_.steps[s_.workflow->edges[position].source].task;
    if (source.status != TaskStatus::completed) continue;
    output = source.output ? source.output : null_value();
    several[s_.workflow->steps[s_.workflow->edges[position].source].id] = *output;
    ++taken;
  }
  if (taken > 1) output = make_value(std::move(several));
  complete_task({step.index, kNoItem}, 0, std::move(output), step.ports.empty() ? "" : step.ports.front(),
                true, {});
}

void Decider::start_task(TaskRef ref, Answers answers) {
  const auto& definition = step(ref);
  if (!may_start(definition)) {
    // A retry that is due while everything stops: what it last failed with stands.
    if (s_.task(ref).status == TaskStatus::retrying && !s_.paused) {
      emit(ev::TaskFailed{ref, s_.task(ref).attempt, s_.task(ref).error, {}});
      after_task(ref);
    }
    return;
  }
  const auto* type = definition.type->decided_in_engine ? find_engine_step(definition.type->type) : nullptr;
  if (definition.constant_config && type == nullptr) return dispatch(ref, nullptr);
  auto config = render(ref, definition.config, answers);
  if (!config) return;
  std::vector<Issue> issues;
  if (!definition.constant_config) {
    Json whole = *config;
    for (const auto& [field, part] : definition.per_item) whole.as_object().emplace(field, nullptr);
    SchemaOptions options;
    options.is_open = [&](const Json& value) { return value.is_null() && !definition.per_item.empty(); };
    check_against_schema(whole, definition.type->config_schema, "", issues, options);
  }
  if (!issues.empty()) {
    Error error(codes::config_invalid,
                fmt::format("the config of this step, once its expressions are filled in, is wrong: {} {}",
                            issues[0].pointer, issues[0].message));
    error.issues = std::move(issues);
    return fail_task(ref, s_.task(ref).attempt, std::move(error), {});
  }
  if (type != nullptr) return decide_in_engine(ref, *type, *config, answers);
  dispatch(ref, std::move(*config));
}

void Decider::dispatch(TaskRef ref, Json config) {
  const auto attempt = s_.task(ref).attempt + 1;
  emit(ev::AttemptScheduled{ref, attempt});
  const auto& constant = step(ref).constant_config;
  out_.commands.push_back(
      command::Dispatch{ref, attempt, constant ? constant : make_value(std::move(config))});
}

std::optional<Json> Decider::render(TaskRef ref, const Template& part, Answers answers) {
  const bool needs_answer = !part.javascript().empty();
  if (needs_answer && answers.empty()) {
    ask(ref, part.javascript(), nullptr, answers);
    return std::nullopt;
  }
  auto rendered =
      part.render(TaskScope(s_, ref), needs_answer ? std::span<const Result<Json>>(answers.front())
                                                   : std::span<const Result<Json>>());
  if (rendered) return std::move(*rendered);
  fail_task(ref, s_.task(ref).attempt, rendered.error(), {});
  return std::nullopt;
}

void Decider::ask(TaskRef ref, const std::vector<const Expression*>& expressions, Value items,
                  Answers previous) {
  command::Evaluate ask;
  ask.task = ref;
  ask.round = s_.round;
  ask.previous.assign(previous.begin(), previous.end());
  ask.scope = TaskScope(s_, ref).collect(expressions, items != nullptr);
  for (const auto* expression : expressions) ask.expressions.push_back(expression->source);
  ask.items = std::move(items);
  ask.now = now_;
  if (ref.step == kNoStep) {
    s_.output_asked = true;
  } else {
    auto& task = s_.task(ref);
    task.asked = true;
    if (ref.item != kNoItem) ++s_.steps[ref.step].fan->asked;
    ask.attempt = task.attempt;
    ask.now = task.ready_at;
  }
  ask.seed = draw(s_.seed, ref, 0);
  out_.commands.push_back(std::move(ask));
}

namespace {

/// The results for item `i` out of an expression-major answer, from expression `first` on.
std::vector<Result<Json>> results_of_item(const Answer& answer, std::size_t first, std::size_t count,
                                          std::size_t items, std::size_t i) {
  std::vector<Result<Json>> out;
  for (std::size_t e = 0; e < count; ++e) {
    const auto at = (first + e) * items + i;
    if (at < answer.size()) out.push_back(answer[at]);
  }
  return out;
}

}  // namespace

std::optional<std::map<std::string, std::vector<Result<Json>>>> Decider::evaluate_per_item(TaskRef ref,
                                                                                           const Json& config,
                                                                                           Answers answers) {
  const auto& definition = step(ref);
  std::map<std::string, std::vector<Result<Json>>> out;
  const auto* items = json_find(config, "items");
  if (definition.per_item.empty() || items == nullptr || !items->is_array()) return out;
  const auto& list = items->get_array();
  std::vector<const Expression*> javascript;
  for (const auto& [field, part] : definition.per_item)
    javascript.insert(javascript.end(), part.javascript().begin(), part.javascript().end());
  const std::size_t stage = definition.config.javascript().empty() ? 0 : 1;
  if (!javascript.empty() && !list.empty() && answers.size() <= stage) {
    ask(ref, javascript, make_value(*items), answers);
    return std::nullopt;
  }
  static const Answer kNone;
  const Answer& answer = javascript.empty() || list.empty() ? kNone : answers[stage];
  std::size_t first = 0;
  for (const auto& [field, part] : definition.per_item) {
    auto& results = out[field];
    for (std::size_t i = 0; i < list.size(); ++i) {
      const auto given = results_of_item(answer, first, part.javascript().size(), list.size(), i);
      results.push_back(part.render(TaskScope(s_, ref, list[i], i), given));
    }
    first += part.javascript().size();
  }
  return out;
}

void Decider::decide_in_engine(TaskRef ref, const EngineStep& type, const Json& config, Answers answers) {
  const auto per_item = evaluate_per_item(ref, config, answers);
  if (!per_item) return;
  carry_out(ref, type.decide(StepContext{step(ref), config, *per_item, now_}));
}

void Decider::carry_out(TaskRef ref, const StepOutcome& outcome) {
  if (const auto* error = std::get_if<Error>(&outcome))
    return fail_task(ref, s_.task(ref).attempt, *error, {});
  if (const auto* done = std::get_if<StepDone>(&outcome)) {
    return complete_task(ref, 0, make_value(done->output), done->port, done->plain_taken, {});
  }
  if (const auto* child = std::get_if<StepChild>(&outcome)) {
    const auto id = derive_uuid<ExecutionId>(fmt::format("{}/{}/child", idempotency_key(s_, ref), s_.round));
    const auto input = make_value(child->input);
    out_.commands.push_back(command::StartChild{id, child->workflow, input, ref, child->wait});
    if (child->wait) return emit(ev::TaskWaiting{ref, WaitKind::child, {}, child->workflow, id, input});
    return complete_task(ref, 0, make_value(JsonObject{{"execution_id", to_string(id)}}), "", true, {});
  }
  if (const auto* event = std::get_if<StepPublish>(&outcome)) {
    const auto id = derive_uuid<EventId>(fmt::format("{}/{}/event", idempotency_key(s_, ref), s_.round));
    out_.commands.push_back(command::Publish{id, ref, event->name, event->key, make_value(event->data)});
    return complete_task(
        ref, 0,
        make_value(JsonObject{{"event_id", to_string(id)}, {"name", event->name}, {"key", event->key}}), "",
        true, {});
  }
  const auto& wait = std::get<StepWait>(outcome);
  const auto buffered = s_.signals.find(wait.name);
  if (wait.kind == WaitKind::signal && buffered != s_.signals.end() && !buffered->second.empty()) {
    const Value payload = buffered->second.front();
    emit(ev::SignalTaken{wait.name});
    return complete_task(ref, 0, payload, "", true, {});
  }
  emit(ev::TaskWaiting{
      ref, wait.kind, wait.due, wait.name, {}, wait.data.is_null() ? nullptr : make_value(wait.data)});
}

}  // namespace fp::engine
