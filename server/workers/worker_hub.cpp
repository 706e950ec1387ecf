#include "workers/worker_hub.hpp"

#include "base/error_code.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fp::workers {

namespace {
constexpr std::size_t kMostRemembered = 10'000;

std::string task_name(const ports::AttemptRequest& request) {
  return fmt::format("{}/{}/{}", to_string(request.execution), request.step,
                     request.index ? std::to_string(*request.index) : "");
}
}  // namespace

struct WorkerHub::Recording {
  std::optional<WorkerId> worker;
  std::uint32_t max = 0;
  ExchangeAnswer answer;
  Answered answered;
  std::shared_ptr<const std::atomic<bool>> is_gone;
  bool counted = false;  // in Worker::recordings
  std::mutex mutex;
  std::size_t open = 1;  // reports under way, and one for whoever sends them
};

WorkerHub::WorkerHub(model::TaskTypeRegistry& types, ports::Loop& loop, const Clock& clock, Rng& rng,
                     HubOptions options)
    : types_(types),
      loop_(loop),
      clock_(clock),
      rng_(rng),
      options_(options),
      boot_(fmt::format("{:016x}", rng.next())),
      queue_(options.most_queued) {}

ports::Dispatched WorkerHub::dispatch(ports::LeaseId lease, ports::AttemptRequest request, Sink& sink) {
  const std::lock_guard lock(mutex_);
  if (!queue_.add({{&sink, lease}, std::move(request), clock_.now()})) return ports::Dispatched::refused;
  wake_parked();
  return ports::Dispatched::queued;
}

void WorkerHub::cancel(ports::LeaseId lease, Sink& sink) {
  const std::lock_guard lock(mutex_);
  const AttemptKey key{&sink, lease};
  if (queue_.remove(key)) return;
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return;
  const auto name = found->second;
  leases_.at(name).worker->cancelled.push_back(name);
  give_up(name);
  wake_parked();
}

Error WorkerHub::closing() {
  return Error(codes::server_draining, "the server is stopping; ask again when it is back");
}

void WorkerHub::exchange(const WorkerId& id, Exchange request, Answered answer) {
  auto recording = std::make_shared<Recording>();
  const bool reports = !request.reports.empty();
  Later later;
  {
    const std::lock_guard lock(mutex_);
    auto* worker = find_worker(id);
    if (worker == nullptr) {
      later.jobs.emplace_back([answer = std::move(answer)]() mutable {
        answer(
            Error(codes::worker_unknown, "this server does not know the worker (any more): register again"));
      });
    } else if (closed_ && !reports && request.heartbeats.empty() && request.logs.empty()) {
      later.jobs.emplace_back([answer = std::move(answer)]() mutable { answer(closing()); });
    } else {
      touch(*worker);
      recording->worker = id;
      if (reports) ++worker->recordings;
      recording->counted = reports;
      recording->max = request.max;
      recording->is_gone = request.is_gone;
      take_in(request, recording, later);
      auto& said = recording->answer;
      const bool has_news = reports || !said.lost.empty() || !said.acknowledged.empty();
      if (!has_news && !closed_ && request.wait.count() > 0 && !fill(*worker, request.max, said, later)) {
        worker->parked.push_back(
            {request.max, clock_.steady_now() + request.wait, std::move(answer), std::move(request.is_gone)});
        if (worker->parked.size() > options_.most_parked) {
          later.jobs.emplace_back(
              [old = std::move(worker->parked.front().answer)]() mutable { old(ExchangeAnswer{}); });
          worker->parked.pop_front();
        }
        recording = nullptr;
      } else {
        recording->answered = std::move(answer);
      }
    }
  }
  later.run();
  if (recording && recording->answered) finish(recording);
}

void WorkerHub::exchange(Exchange request, Answered answer) {
  auto recording = std::make_shared<Recording>();
  recording->answered = std::move(answer);
  Later later;
  {
    const std::lock_guard lock(mutex_);
    take_in(request, recording, later);
  }
  later.run();
  finish(recording);
}

/// A lease that nobody has (any more): recorded before, being recorded (the worker asks again), cancelled, or
/// lost.
void WorkerHub::tell_missing(const std::string& name, ExchangeAnswer& answer) {
  if (recording_.contains(name)) return;
  if (done_.contains(name)) return answer.acknowledged.push_back(name);
  for (auto& [id, worker] : workers_) {
    if (std::erase(worker.cancelled, name) > 0) return answer.cancelled.push_back(name);
  }
  answer.lost.push_back(name);
}

/// Heartbeats and lines first, so that they are there before the report that ends their lease.
void WorkerHub::take_in(Exchange& request, const std::shared_ptr<Recording>& recording, Later& later) {
  std::map<Sink*, std::vector<ports::LeaseId>> alive;
  auto& answer = recording->answer;
  const auto find_lease = [&](const std::string& name) -> Leased* {
    const auto found = leases_.find(name);
    if (found == leases_.end()) {
      tell_missing(name, answer);
      return nullptr;
    }
    touch(*found->second.worker);
    alive[found->second.key.sink].push_back(found->second.key.lease);
    return &found->second;
  };
  for (auto& beat : request.heartbeats) {
    auto* lease = find_lease(beat.lease);
    if (lease == nullptr || !beat.details) continue;
    remember_details(lease->task, *beat.details);
    lease->view.details = std::move(*beat.details);
  }
  for (auto& log : request.logs) {
    auto* lease = find_lease(log.lease);
    if (lease == nullptr) continue;
    for (auto& line : log.lines) lease->log->log(line.at, std::move(line.level), std::move(line.text));
    later.jobs.emplace_back([key = lease->key, lines = lease->log->take_lines(false)]() mutable {
      if (!lines.empty()) key.sink->on_lines(key.lease, std::move(lines));
    });
  }
  for (auto& [sink, leases] : alive)
    later.jobs.emplace_back([to = sink, names = std::move(leases)] { to->on_heartbeat(names); });
  for (auto& report : request.reports) {
    const auto found = leases_.find(report.lease);
    std::optional<AttemptKey> key;
    ports::AttemptReport out;
    if (found == leases_.end()) {
      key = take_given_up(report.lease);
      if (!key) {
        tell_missing(report.lease, answer);
        continue;
      }
    } else {
      touch(*found->second.worker);
      key = found->second.key;
      out.started_at = found->second.view.since;
      out.log_lines = found->second.log->take_lines(true);
      if (report.outcome) details_.erase(found->second.task);
      end_lease(report.lease);
    }
    out.lease = key->lease;
    out.outcome = std::move(report.outcome);
    out.settled = [this, recording, name = report.lease](ports::ReportFate fate) {
      on_settled(recording, name, fate);
    };
    recording_.insert(report.lease);
    ++recording->open;
    later.jobs.emplace_back([sink = key->sink, report_out = std::move(out)]() mutable {
      sink->on_report(std::move(report_out));
    });
  }
}

void WorkerHub::on_settled(const std::shared_ptr<Recording>& recording, const std::string& lease,
                           ports::ReportFate fate) {
  {
    const std::lock_guard lock(mutex_);
    recording_.erase(lease);
    if (fate == ports::ReportFate::recorded) remember_done(lease);
  }
  {
    const std::lock_guard lock(recording->mutex);
    if (fate == ports::ReportFate::recorded) recording->answer.acknowledged.push_back(lease);
    if (fate == ports::ReportFate::late) recording->answer.lost.push_back(lease);
  }
  finish(recording);
}

/// The last one of those who work on it answers, with the leases there are by then.
void WorkerHub::finish(const std::shared_ptr<Recording>& recording) {
  {
    const std::lock_guard lock(recording->mutex);
    if (--recording->open > 0) return;
  }
  Later later;
  if (recording->worker) {
    const std::lock_guard lock(mutex_);
    auto* worker = find_worker(*recording->worker);
    if (worker != nullptr) {
      if (recording->counted && worker->recordings > 0) --worker->recordings;
      const bool is_gone = recording->is_gone && *recording->is_gone;
      fill(*worker, is_gone ? 0 : recording->max, recording->answer, later);
      if (queue_.size() > 0) wake_parked();
    }
  }
  later.run();
  recording->answered(std::move(recording->answer));
}

bool WorkerHub::wants_work(const Worker& worker) const {
  return !closed_ && !worker.draining && worker.leases.size() < worker.registration.slots;
}

/// Everything there is to say to a worker. False when there is nothing.
bool WorkerHub::fill(Worker& worker, std::uint32_t max, ExchangeAnswer& answer, Later& later) {
  while (answer.leases.size() < max && grant_one(worker, answer, later)) {
  }
  answer.draining = worker.draining;
  for (auto& name : std::exchange(worker.cancelled, {})) answer.cancelled.push_back(std::move(name));
  return !answer.leases.empty() || !answer.cancelled.empty() || answer.draining;
}

bool WorkerHub::grant_one(Worker& worker, ExchangeAnswer& answer, Later& later) {
  if (!wants_work(worker)) return false;
  auto taken = queue_.take(worker.types, [this](const QueuedAttempt& attempt) { return may_run(attempt); });
  if (!taken) return false;
  const auto now = clock_.now();
  auto name = fmt::format("{}-{}", boot_, ++last_lease_);
  Leased lease;
  lease.key = taken->key;
  lease.worker = &worker;
  lease.concurrency = concurrency_of(*taken);
  lease.task = task_name(taken->request);
  lease.log = std::make_shared<ports::AttemptControl>();
  const auto& request = taken->request;
  lease.view = {name,   to_string(request.execution), request.step, request.step_type, request.attempt, now,
                nullptr};
  if (!lease.concurrency.empty()) by_concurrency_[lease.concurrency].insert(name);
  const auto told = details_.find(lease.task);
  answer.leases.push_back({name, std::move(taken->request), now + request.timeout,
                           told == details_.end() ? Json(nullptr) : told->second});
  later.jobs.emplace_back([key = taken->key] { key.sink->on_started(key.lease); });
  worker.leases.insert(name);
  by_key_.emplace(lease.key, name);
  leases_.emplace(std::move(name), std::move(lease));
  return true;
}

std::string WorkerHub::concurrency_of(const QueuedAttempt& attempt) const {
  const auto type = types_.find(attempt.request.step_type);
  if (!type || !type->concurrency) return "";
  const auto& key = type->concurrency->key;
  const auto* value = key.empty() ? nullptr : json_find(*attempt.request.config, key);
  return type->type + "\n" + (value == nullptr ? "" : to_text(*value));
}

bool WorkerHub::may_run(const QueuedAttempt& attempt) const {
  const auto type = types_.find(attempt.request.step_type);
  if (!type || !type->concurrency) return true;
  const auto running = by_concurrency_.find(concurrency_of(attempt));
  return running == by_concurrency_.end() || running->second.size() < type->concurrency->limit;
}

void WorkerHub::end_lease(const std::string& name) {
  auto node = leases_.extract(name);
  if (node.empty()) return;
  auto& lease = node.mapped();
  lease.worker->leases.erase(name);
  by_key_.erase(lease.key);
  if (lease.concurrency.empty()) return;
  const auto running = by_concurrency_.find(lease.concurrency);
  running->second.erase(name);
  if (running->second.empty()) by_concurrency_.erase(running);
}

/// It ends without a report. One that still comes is passed on: the runtime keeps it as evidence.
void WorkerHub::give_up(const std::string& name) {
  given_up_.emplace(name, leases_.at(name).key);
  given_up_order_.push_back(name);
  end_lease(name);
  if (given_up_order_.size() <= kMostRemembered) return;
  given_up_.erase(given_up_order_.front());
  given_up_order_.pop_front();
}

std::optional<AttemptKey> WorkerHub::take_given_up(const std::string& name) {
  const auto node = given_up_.extract(name);
  if (node.empty()) return std::nullopt;
  for (auto& [id, worker] : workers_) std::erase(worker.cancelled, name);
  return node.mapped();
}

/// Soon, on the loop, so that what comes in one burst goes out in few answers.
void WorkerHub::wake_parked() {
  if (hand_out_posted_) return;
  const bool anybody = std::any_of(workers_.begin(), workers_.end(),
                                   [](const auto& entry) { return !entry.second.parked.empty(); });
  if (!anybody) return;
  hand_out_posted_ = true;
  loop_.post([this] { hand_out(); });
}

/// Requests of a process that died would swallow an attempt each.
void WorkerHub::forget_gone(Worker& worker) {
  std::erase_if(worker.parked, [](const Parked& parked) { return parked.is_gone && *parked.is_gone; });
}

/// One attempt to each worker that waits, round and round, so that none is loaded while another idles.
void WorkerHub::hand_out() {
  Later later;
  {
    const std::lock_guard lock(mutex_);
    hand_out_posted_ = false;
    std::vector<std::pair<Worker*, ExchangeAnswer>> waiting;
    for (auto& [id, worker] : workers_) {
      forget_gone(worker);
      if (!worker.parked.empty() && worker.recordings == 0) waiting.emplace_back(&worker, ExchangeAnswer{});
    }
    for (bool granted = true; granted;) {
      granted = false;
      for (auto& [worker, answer] : waiting) {
        if (answer.leases.size() < worker->parked.back().max) granted |= grant_one(*worker, answer, later);
      }
    }
    for (auto& [worker, answer] : waiting) {
      if (!fill(*worker, 0, answer, later)) continue;
      later.jobs.emplace_back([reply = std::move(worker->parked.back().answer),
                               said = std::move(answer)]() mutable { reply(std::move(said)); });
      worker->parked.pop_back();
    }
  }
  later.run();
}

void WorkerHub::remember_done(const std::string& lease) {
  if (!done_.insert(lease).second) return;
  done_order_.push_back(lease);
  if (done_order_.size() <= kMostRemembered) return;
  done_.erase(done_order_.front());
  done_order_.pop_front();
}

void WorkerHub::remember_details(const std::string& task, const Json& details) {
  if (details_.insert_or_assign(task, details).second) details_order_.push_back(task);
  if (details_order_.size() <= kMostRemembered) return;
  details_.erase(details_order_.front());
  details_order_.pop_front();
}

}  // namespace fp::workers
