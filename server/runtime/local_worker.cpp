#include "runtime/local_worker.hpp"

#include "base/error_code.hpp"

#include <fmt/format.h>

#include <map>
#include <pthread.h>

namespace fp::runtime {

using ports::TaskHandler;

LocalWorker::LocalWorker(std::vector<std::unique_ptr<TaskHandler>> handlers, const Clock& clock,
                         LocalWorkerOptions options)
    : clock_(clock), options_(options) {
  for (auto& handler : handlers) {
    auto type = handler->spec().type;
    handlers_.emplace(std::move(type), std::move(handler));
  }
}

LocalWorker::~LocalWorker() {
  stop();
}

TaskHandler* LocalWorker::find_handler(const std::string& type) const {
  const auto found = handlers_.find(type);
  return found == handlers_.end() ? nullptr : found->second.get();
}

ports::Dispatched LocalWorker::dispatch(ports::LeaseId lease, ports::AttemptRequest request, Sink& sink) {
  Job job{{&sink, lease},
          find_handler(request.step_type),
          std::move(request),
          std::make_shared<ports::AttemptControl>()};
  if (job.handler == nullptr) {
    sink.on_report(
        {lease,
         Error(codes::step_type, fmt::format("no worker here carries out \"{}\"", job.request.step_type)),
         {},
         {}});
    return ports::Dispatched::running;
  }
  if (job.handler->kind() == TaskHandler::Kind::instant) {
    begin(std::move(job));
    return ports::Dispatched::running;
  }
  const bool blocks = job.handler->kind() == TaskHandler::Kind::blocking;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ ||
        (blocks ? jobs_.size() >= options_.most_waiting : asynchronous_ >= options_.most_asynchronous))
      return ports::Dispatched::refused;
    running_.emplace(job.key, job.control);
    if (!blocks) ++asynchronous_;
    // Threads come with the first work, so that a process without blocking tasks has none.
    if (threads_.empty()) threads_.emplace_back([this] { beat(); });
    if (blocks && threads_.size() <= options_.threads && threads_.size() <= running_.size())
      threads_.emplace_back([this] { work(); });
    if (blocks) jobs_.push_back(std::move(job));
  }
  if (blocks)
    job_ready_.notify_one();
  else
    begin(std::move(job));
  return ports::Dispatched::running;
}

void LocalWorker::begin(Job job) {
  const auto started_at = clock_.now();
  auto* handler = job.handler;
  const auto key = job.key;
  const auto control = job.control;
  const bool asynchronous = handler->kind() == TaskHandler::Kind::asynchronous;
  handler->start(std::move(job.request), control,
                 [this, key, control, asynchronous, started_at](TaskHandler::Output outcome) {
                   finish(key, control, asynchronous, started_at, std::move(outcome));
                 });
}

void LocalWorker::finish(Key key, const std::shared_ptr<ports::AttemptControl>& control, bool asynchronous,
                         TimePoint started_at, TaskHandler::Output outcome) {
  key.sink->on_report({key.lease, std::move(outcome), started_at, control->take_lines()});
  const std::lock_guard lock(mutex_);
  if (running_.erase(key) == 0) return;
  if (asynchronous) --asynchronous_;
  if (running_.empty()) idle_.notify_all();
}

void LocalWorker::cancel(ports::LeaseId lease, Sink& sink) {
  std::shared_ptr<ports::AttemptControl> control;
  {
    const std::lock_guard lock(mutex_);
    const auto found = running_.find(Key{&sink, lease});
    if (found != running_.end()) control = found->second;
  }
  if (control) control->cancel();
}

void LocalWorker::work() {
  pthread_setname_np(pthread_self(), "task");
  std::unique_lock lock(mutex_);
  while (true) {
    job_ready_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    if (jobs_.empty()) return;
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    begin(std::move(job));
    lock.lock();
  }
}

/// An attempt in this process is alive as long as the process is. Lines go out more often than signs of life.
void LocalWorker::beat() {
  pthread_setname_np(pthread_self(), "heartbeat");
  auto next_heartbeat = clock_.steady_now() + options_.heartbeat;
  std::unique_lock lock(mutex_);
  while (!stopped_.wait_for(lock, options_.log_pause, [this] { return stopping_; })) {
    if (running_.empty()) continue;
    const bool is_due = clock_.steady_now() >= next_heartbeat;
    if (is_due) next_heartbeat = clock_.steady_now() + options_.heartbeat;
    std::map<Sink*, std::vector<ports::LeaseId>> alive;
    std::vector<std::pair<Key, std::vector<ports::LogLine>>> lines;
    for (const auto& [key, control] : running_) {
      if (is_due) alive[key.sink].push_back(key.lease);
      if (auto taken = control->take_lines(false); !taken.empty()) lines.emplace_back(key, std::move(taken));
    }
    lock.unlock();
    for (const auto& [sink, leases] : alive) sink->on_heartbeat(leases);
    for (auto& [key, taken] : lines) key.sink->on_lines(key.lease, std::move(taken));
    lock.lock();
  }
}

void LocalWorker::stop() {
  std::vector<std::shared_ptr<ports::AttemptControl>> controls;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (auto& job : jobs_) running_.erase(job.key);
    jobs_.clear();
    for (const auto& [key, control] : running_) controls.push_back(control);
  }
  for (const auto& control : controls) control->cancel();
  job_ready_.notify_all();
  stopped_.notify_all();
  {
    std::unique_lock lock(mutex_);
    idle_.wait(lock, [this] { return running_.empty(); });
  }
  for (auto& thread : threads_) thread.join();
  threads_.clear();
}

}  // namespace fp::runtime
