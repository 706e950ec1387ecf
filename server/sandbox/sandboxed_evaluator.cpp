#include "sandbox/sandboxed_evaluator.hpp"

#include "base/error_code.hpp"
#include "sandbox/io_loop.hpp"
#include "sandbox/outcome_text.hpp"
#include "sandbox/sandbox_process.hpp"
#include "sandbox/scope_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <future>

namespace fp::sandbox {

namespace {

using ports::EvaluationRequest;

constexpr Milliseconds kCheckTime{1000};
constexpr std::size_t kLeastMemoryBytes = 4u << 20;
constexpr std::size_t kMostMemoryBytes = 512u << 20;
constexpr Milliseconds kLongestTime{10 * 60 * 1000};

std::string make_frame(std::uint32_t id, const EvaluationRequest& request) {
  const ScopeText scope = make_scope_text(request.scope);
  std::vector<std::string> items;
  wire::Evaluate evaluate;
  evaluate.time_ms =
      static_cast<std::uint32_t>(std::clamp(request.limits.time, Milliseconds(1), kLongestTime).count());
  evaluate.memory_bytes = std::clamp(request.limits.memory_bytes, kLeastMemoryBytes, kMostMemoryBytes);
  evaluate.result_bytes = request.limits.result_bytes;
  evaluate.now_ms = request.now.time_since_epoch().count();
  evaluate.seed = request.seed;
  evaluate.scope = scope.json;
  evaluate.roots.assign(scope.roots.begin(), scope.roots.end());
  evaluate.expressions.assign(request.expressions.begin(), request.expressions.end());
  if (const auto* list = request.items ? request.items->if_array() : nullptr) {
    evaluate.has_items = true;
    for (const auto& item : *list) items.push_back(to_text(item));
    evaluate.items.assign(items.begin(), items.end());
  }
  return wire::to_frame(id, evaluate);
}

Error stopped_error() {
  return Error(codes::expr_crashed, "the server is stopping");
}

}  // namespace

SandboxedEvaluator::SandboxedEvaluator(SandboxOptions options)
    : loop_(std::make_unique<IoLoop>(std::move(options))) {}
SandboxedEvaluator::~SandboxedEvaluator() {
  stop();
}
void SandboxedEvaluator::start() {
  loop_->start();
}
void SandboxedEvaluator::stop() {
  loop_->stop(stopped_error());
}
SandboxStatus SandboxedEvaluator::status() const {
  return loop_->status();
}

void SandboxedEvaluator::evaluate(EvaluationRequest request, Done done) {
  if (count_results(request) == 0) return done({});
  Task task;
  task.id = next_id_++;
  task.outcomes = count_results(request);
  task.time = std::clamp(request.limits.time, Milliseconds(1), kLongestTime);
  task.frame = make_frame(task.id, request);
  if (task.frame.size() > wire::kMaxRequestBytes) {
    const Error error(codes::expr_too_large,
                      fmt::format("the data that the expression can read is larger than {} MB",
                                  wire::kMaxRequestBytes >> 20));
    return done(make_failed_answer(request, error));
  }
  task.finish = [request = std::move(request), done = std::move(done)](Result<wire::Answer> answer) mutable {
    bool is_sane = true;
    done(answer ? make_evaluation_answer(request, std::move(*answer), is_sane)
                : make_failed_answer(request, answer.error()));
    return is_sane;
  };
  loop_->submit(std::move(task), IoLoop::Bound::kQueue);
}

std::vector<std::optional<ports::SyntaxProblem>> SandboxedEvaluator::check_syntax(
    const std::vector<std::string>& expressions) {
  if (expressions.empty()) return {};
  wire::Check check;
  check.expressions.assign(expressions.begin(), expressions.end());
  Task task;
  task.id = next_id_++;
  task.answer_kind = wire::Kind::kChecked;
  task.outcomes = expressions.size();
  task.time = kCheckTime;
  task.frame = wire::to_frame(task.id, check);
  std::promise<Result<wire::Answer>> promise;
  auto future = promise.get_future();
  task.finish = [&promise](Result<wire::Answer> answer) {
    promise.set_value(std::move(answer));
    return true;
  };
  loop_->submit(std::move(task), IoLoop::Bound::kNone);
  auto answer = future.get();
  if (answer) return make_syntax_problems(*answer);
  if (expressions.size() > 1) return check_each(expressions);
  const ports::SyntaxProblem problem{1, 1, "the expression could not be checked: " + answer.error().message};
  return {expressions.size(), problem};
}

/// So that an expression which the process does not survive spoils the answer for itself only.
std::vector<std::optional<ports::SyntaxProblem>> SandboxedEvaluator::check_each(
    const std::vector<std::string>& expressions) {
  std::vector<std::optional<ports::SyntaxProblem>> problems;
  for (const auto& expression : expressions) problems.push_back(check_syntax({expression}).front());
  return problems;
}

}  // namespace fp::sandbox
