// Who is there: workers come, go, and are shown.
#include "base/error_code.hpp"
#include "workers/worker_hub.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fp::workers {

namespace {
constexpr Milliseconds kSweep{250};
}

/// While another worker that carries the type out is there, its schemas hold.
Result<void> WorkerHub::check_conflicts(const Registration& registration) const {
  const auto now = clock_.steady_now();
  for (const auto& function : registration.functions) {
    for (const auto& [id, other] : workers_) {
      const bool is_same = other.registration.name == registration.name &&
                           other.registration.host == registration.host &&
                           other.registration.pid == registration.pid;
      if (is_same || other.draining || (other.parked.empty() && now - other.last_seen > options_.lease_ttl))
        continue;
      for (const auto& theirs : other.registration.functions) {
        if (theirs.type != function.type || (theirs.config_schema == function.config_schema &&
                                             theirs.output_schema == function.output_schema))
          continue;
        return Error(
            codes::worker_type_conflict,
            fmt::format(
                "{} is registered by the worker {} (pid {} on {}) with {}; stop that worker "
                "first, or give the function another name",
                function.type, other.registration.name, other.registration.pid, other.registration.host,
                theirs.config_schema == function.config_schema ? "another result" : "other parameters"));
      }
    }
  }
  return {};
}

Result<WorkerId> WorkerHub::enroll(Registration registration) {
  const std::lock_guard lock(mutex_);
  if (const auto fits = check_conflicts(registration); !fits) return fits.error();
  auto known = std::find_if(workers_.begin(), workers_.end(), [&](const auto& entry) {
    const auto& theirs = entry.second.registration;
    return theirs.name == registration.name && theirs.host == registration.host &&
           theirs.pid == registration.pid;
  });
  if (known == workers_.end()) {
    if (workers_.size() >= options_.most_workers)
      return Error(codes::server_overloaded, fmt::format("{} workers are registered", workers_.size()));
    const auto id = make_uuid7<WorkerId>(clock_.now(), rng_);
    known = workers_.emplace(id, Worker{}).first;
    known->second.id = id;
    known->second.registered_at = clock_.now();
  }
  auto& worker = known->second;
  worker.draining = false;
  worker.types.clear();
  for (const auto& function : registration.functions) {
    types_.put(function);
    const bool serves = std::find(registration.queues.begin(), registration.queues.end(), function.queue) !=
                        registration.queues.end();
    if (serves) worker.types.push_back(function.type);
  }
  worker.registration = std::move(registration);
  touch(worker);
  if (!std::exchange(sweep_posted_, true)) loop_.post_after(kSweep, [this] { sweep(); });
  return worker.id;
}

bool WorkerHub::drain(const WorkerId& id) {
  const std::lock_guard lock(mutex_);
  auto* worker = find_worker(id);
  if (worker == nullptr) return false;
  worker->draining = true;
  wake_parked();
  return true;
}

bool WorkerHub::remove(const WorkerId& id) {
  Later later;
  {
    const std::lock_guard lock(mutex_);
    if (find_worker(id) == nullptr) return false;
    drop_worker(id, later);
  }
  later.run();
  return true;
}

void WorkerHub::remove_process(const std::string& name, std::uint64_t pid) {
  Later later;
  {
    const std::lock_guard lock(mutex_);
    const auto found = std::find_if(workers_.begin(), workers_.end(), [&](const auto& entry) {
      return entry.second.registration.name == name && entry.second.registration.pid == pid;
    });
    if (found == workers_.end()) return;
    drop_worker(found->first, later);
  }
  later.run();
}

void WorkerHub::drop_worker(const WorkerId& id, Later& later) {
  auto& worker = workers_.at(id);
  for (const auto& name : std::vector(worker.leases.begin(), worker.leases.end())) {
    const auto key = leases_.at(name).key;
    give_up(name);
    later.jobs.emplace_back([key] { key.sink->on_lost(key.lease); });
  }
  for (auto& parked : worker.parked) {
    later.jobs.emplace_back([answer = std::move(parked.answer)]() mutable {
      answer(Error(codes::worker_unknown, "the worker was removed"));
    });
  }
  workers_.erase(id);
}

WorkerHub::Worker* WorkerHub::find_worker(const WorkerId& id) {
  const auto found = workers_.find(id);
  return found == workers_.end() ? nullptr : &found->second;
}

void WorkerHub::touch(Worker& worker) {
  worker.last_seen = clock_.steady_now();
  worker.last_seen_at = clock_.now();
}

void WorkerHub::sweep() {
  Later later;
  {
    const std::lock_guard lock(mutex_);
    const auto now = clock_.steady_now();
    std::vector<WorkerId> gone;
    for (auto& [id, worker] : workers_) {
      while (!worker.parked.empty() && worker.parked.front().until <= now) {
        touch(worker);  // its request was there until now
        later.jobs.emplace_back(
            [reply = std::move(worker.parked.front().answer)]() mutable { reply(ExchangeAnswer{}); });
        worker.parked.pop_front();
      }
      forget_gone(worker);
      if (worker.parked.empty() && now - worker.last_seen > 2 * options_.lease_ttl) gone.push_back(id);
    }
    for (const auto& id : gone) drop_worker(id, later);
    sweep_posted_ = !workers_.empty();
    if (sweep_posted_) loop_.post_after(kSweep, [this] { sweep(); });
  }
  later.run();
}

void WorkerHub::close() {
  Later later;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    for (auto& [id, worker] : workers_) {
      for (auto& parked : std::exchange(worker.parked, {})) {
        later.jobs.emplace_back([answer = std::move(parked.answer)]() mutable { answer(closing()); });
      }
    }
  }
  later.run();
}

bool WorkerHub::knows_process(const std::string& name, std::uint64_t pid) const {
  const std::lock_guard lock(mutex_);
  return std::any_of(workers_.begin(), workers_.end(), [&](const auto& entry) {
    return entry.second.registration.name == name && entry.second.registration.pid == pid;
  });
}

void WorkerHub::drain_process(const std::string& name, std::uint64_t pid) {
  const std::lock_guard lock(mutex_);
  for (auto& [id, worker] : workers_) {
    if (worker.registration.name == name && worker.registration.pid == pid) worker.draining = true;
  }
  wake_parked();
}

std::vector<WorkerView> WorkerHub::list_workers() const {
  const std::lock_guard lock(mutex_);
  const auto now = clock_.steady_now();
  std::vector<WorkerView> out;
  for (const auto& [id, worker] : workers_) {
    const bool is_silent = worker.parked.empty() && now - worker.last_seen > options_.lease_ttl;
    WorkerView view{id,
                    worker.registration,
                    worker.draining ? "draining"
                    : is_silent     ? "silent"
                                    : "active",
                    worker.registered_at,
                    worker.parked.empty() ? worker.last_seen_at : clock_.now(),
                    {}};
    for (const auto& name : worker.leases) view.leases.push_back(leases_.at(name).view);
    out.push_back(std::move(view));
  }
  return out;
}

std::vector<QueueView> WorkerHub::list_queues() const {
  const std::lock_guard lock(mutex_);
  std::vector<QueueView> out;
  for (const auto& name : types_.list_names()) {
    const auto type = types_.find(name);
    if (!type || !type->is_function()) continue;
    QueueView view{type->queue, name, queue_.count(name), 0, 0, queue_.find_oldest(name)};
    for (const auto& [id, worker] : workers_) {
      if (std::find(worker.types.begin(), worker.types.end(), name) != worker.types.end()) ++view.workers;
      for (const auto& lease : worker.leases) {
        if (leases_.at(lease).view.step_type == name) ++view.running;
      }
    }
    out.push_back(std::move(view));
  }
  return out;
}

std::size_t WorkerHub::count_workers(const std::string& type) const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(std::count_if(workers_.begin(), workers_.end(), [&](const auto& entry) {
    const auto& types = entry.second.types;
    return std::find(types.begin(), types.end(), type) != types.end();
  }));
}

std::size_t WorkerHub::count_queued() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

}  // namespace fp::workers
