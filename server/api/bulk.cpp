#include "api/bulk.hpp"

#include "base/error_code.hpp"

namespace fp::api {

void BulkJob::start(std::vector<ExecutionId> executions, bool count_is_exact) {
  {
    const std::lock_guard lock(mutex_);
    executions_ = std::move(executions);
    count_is_exact_ = count_is_exact;
  }
  for (std::size_t i = 0; i < kMostInFlight; ++i) pump();
}

/// Sends the next one on its way; whoever finishes calls again.
void BulkJob::pump() {
  ExecutionId execution;
  {
    const std::lock_guard lock(mutex_);
    if (next_ == executions_.size()) return;
    execution = executions_[next_++];
  }
  engine::Input input = engine::input::RetryFailed{};
  if (action_ == Action::cancel) input = engine::input::Cancel{"in bulk"};
  s_.runtime.deliver(execution, std::move(input), [self = shared_from_this(), execution](Result<void> taken) {
    self->finish_one(execution, taken);
  });
}

void BulkJob::finish_one(const ExecutionId& execution, const Result<void>& taken) {
  {
    const std::lock_guard lock(mutex_);
    ++done_;
    if (taken) {
      ++succeeded_;
    } else {
      ++refused_;
      if (failures_.size() < kMostFailures)
        failures_.push_back(JsonObject{{"execution", to_string(execution)},
                                       {"code", taken.error().code},
                                       {"message", taken.error().message}});
    }
  }
  pump();
}

Json BulkJob::to_resource() const {
  const std::lock_guard lock(mutex_);
  return JsonObject{{"id", to_string(id_)},
                    {"action", action_ == Action::cancel ? "cancel" : "retry"},
                    {"status", done_ == executions_.size() ? "completed" : "running"},
                    {"count", executions_.size()},
                    {"count_is_exact", count_is_exact_},
                    {"done", done_},
                    {"succeeded", succeeded_},
                    {"refused", refused_},
                    {"failures", failures_}};
}

std::shared_ptr<BulkJob> BulkJobs::find(const ExecutionId& id) const {
  const std::lock_guard lock(mutex_);
  const auto found = jobs_.find(id);
  return found == jobs_.end() ? nullptr : found->second;
}

void BulkJobs::add(const ExecutionId& id, std::shared_ptr<BulkJob> job) {
  constexpr std::size_t kKept = 100;
  const std::lock_guard lock(mutex_);
  jobs_.emplace(id, std::move(job));
  if (jobs_.size() > kKept) jobs_.erase(jobs_.begin());
}

}  // namespace fp::api
