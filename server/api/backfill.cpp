#include "api/backfill.hpp"

#include "api/run_reply.hpp"
#include "base/error_code.hpp"

#include <fmt/format.h>

#include <future>
#include <set>

namespace fp::api {

namespace {

constexpr Milliseconds kAgain{500};  // when the server is full
constexpr std::size_t kMostAtOnce = 4;

}  // namespace

BackfillPlan plan_backfill(ports::Store& store, const Scheduler::View& view, TimePoint from,
                           TimePoint until) {
  constexpr std::size_t kPage = 1'000;
  std::set<TimePoint> taken;
  for (auto before = until + Milliseconds(1);;) {
    const auto page = store.list_ticks(view.workflow, view.trigger.id, before, kPage);
    for (const auto& tick : page) {
      if (tick.tick >= from && tick.execution) taken.insert(tick.tick);
    }
    if (page.size() < kPage || page.back().tick < from) break;
    before = page.back().tick;
  }
  BackfillPlan out;
  const auto& schedule = view.trigger.schedule;
  for (auto tick = triggers::find_next(schedule, from - Milliseconds(1)); tick && tick->at <= until;
       tick = triggers::find_next(schedule, tick->at)) {
    if (taken.contains(tick->at)) {
      ++out.started_before;
      continue;
    }
    if (out.ticks.size() == BackfillPlan::kMostTicks) {
      out.is_whole = false;
      break;
    }
    out.ticks.push_back(*tick);
  }
  return out;
}

Backfill::Backfill(Services& services, Order order)
    : s_(services), order_(std::move(order)), thread_([this] { run(); }) {}

Backfill::~Backfill() {
  stop();
  if (thread_.joinable()) thread_.join();
}

void Backfill::stop() {
  const std::lock_guard lock(mutex_);
  is_stopping_ = true;
  changed_.notify_all();
}

bool Backfill::is_done() const {
  const std::lock_guard lock(mutex_);
  return is_stopping_ || done_ == order_.plan.ticks.size();
}

void Backfill::run() {
  try {
    for (const auto& tick : order_.plan.ticks) {
      if (!carry_out(tick)) return;
    }
  } catch (const Unavailable& unavailable) {
    const std::lock_guard lock(mutex_);
    last_error_ = unavailable.error().message;
    is_stopping_ = true;
  }
}

/// False when the job is to stop.
bool Backfill::carry_out(triggers::Tick tick) {
  while (true) {
    const auto outcome = start_one(tick);
    std::unique_lock lock(mutex_);
    if (outcome == Outcome::again) {
      if (changed_.wait_for(lock, kAgain, [this] { return is_stopping_; })) return false;
      continue;
    }
    ++done_;
    started_ += outcome == Outcome::started ? 1 : 0;
    was_there_ += outcome == Outcome::was_there ? 1 : 0;
    refused_ += outcome == Outcome::refused ? 1 : 0;
    return !is_stopping_;
  }
}

Backfill::Outcome Backfill::start_one(triggers::Tick tick) {
  const auto& view = order_.view;
  auto request = make_start(s_, order_.document, {view.workflow, view.version}, "schedule",
                            make_value(triggers::make_tick_input(view.trigger, tick.at)));
  const auto now = s_.clock.now();
  request.tick =
      ports::TickRecord{view.workflow, view.trigger.id, tick.at, "backfilled", "", request.id, now, true};
  // Rows of ticks are trimmed; this is kept for a week whatever comes.
  const auto name =
      fmt::format("backfill {} {} {}", to_string(view.workflow), view.trigger.id, to_rfc3339(tick.at));
  request.idempotency =
      ports::IdempotencyEntry{"tick:" + to_hex(hash_256(name)), hash_256(name), request.id.bytes, now};
  request.started.labels =
      make_value(JsonObject{{"schedule", view.trigger.id}, {"backfill", to_string(order_.id)}});
  const auto refuse = [this](const Error& error) {
    const std::lock_guard lock(mutex_);
    last_error_ = error.message;
    return Outcome::refused;
  };
  if (const auto fits = model::check_input(*order_.document, *request.started.input); !fits)
    return refuse(fits.error());
  const auto id = request.id;
  auto promise = std::make_shared<std::promise<std::optional<Error>>>();
  auto answer = promise->get_future();
  s_.runtime.start_execution(std::move(request), [promise](Result<const engine::ExecutionState*> begun) {
    promise->set_value(begun ? std::nullopt : std::optional<Error>(begun.error()));
  });
  // A server that stops, or whose storage failed, may never answer.
  while (answer.wait_for(kAgain) != std::future_status::ready) {
    const std::lock_guard lock(mutex_);
    if (is_stopping_) return Outcome::again;
  }
  if (const auto error = answer.get()) {
    if (error->code == codes::execution_duplicate.id) return Outcome::was_there;
    return error->retryable ? Outcome::again : refuse(*error);
  }
  if (order_.waits) wait_for_end(id);
  return Outcome::started;
}

void Backfill::wait_for_end(const ExecutionId& id) {
  constexpr Milliseconds kLongest{200};
  std::unique_lock lock(mutex_);
  for (Milliseconds pause{2}; !is_stopping_; pause = std::min(2 * pause, kLongest)) {
    lock.unlock();
    const auto found = s_.store.find_execution(id);
    lock.lock();
    if (!found || ports::is_terminal_status(found->status)) return;
    changed_.wait_for(lock, pause, [this] { return is_stopping_; });
  }
}

Json Backfill::to_resource() const {
  const std::lock_guard lock(mutex_);
  const auto& ticks = order_.plan.ticks;
  const bool is_done = done_ == ticks.size();
  const auto time_or_null = [&](bool is_there, const auto& at) {
    return is_there ? Json(to_rfc3339(at().at)) : Json(nullptr);
  };
  return JsonObject{{"id", to_string(order_.id)},
                    {"workflow", to_string(order_.view.workflow)},
                    {"trigger", order_.view.trigger.id},
                    {"status", is_done        ? "completed"
                               : is_stopping_ ? "stopped"
                                              : "running"},
                    {"count", ticks.size()},
                    {"started_before", order_.plan.started_before + was_there_},
                    {"first", time_or_null(!ticks.empty(), [&] { return ticks.front(); })},
                    {"last", time_or_null(!ticks.empty(), [&] { return ticks.back(); })},
                    {"done", done_},
                    {"started", started_},
                    {"refused", refused_},
                    {"error", last_error_.empty() ? Json(nullptr) : Json(last_error_)}};
}

std::shared_ptr<Backfill> Backfills::find(const ExecutionId& id) const {
  const std::lock_guard lock(mutex_);
  const auto found = all_.find(id);
  return found == all_.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<Backfill>> Backfills::list() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<Backfill>> out;
  for (const auto& entry : all_) out.push_back(entry.second);
  return out;
}

Result<std::shared_ptr<Backfill>> Backfills::start(Services& services, Backfill::Order order) {
  constexpr std::size_t kKept = 100;
  const std::lock_guard lock(mutex_);
  if (const auto known = all_.find(order.id); known != all_.end()) return known->second;
  std::size_t running = 0;
  for (const auto& entry : all_) running += entry.second->is_done() ? 0 : 1;
  if (running >= kMostAtOnce)
    return Error(codes::server_overloaded, fmt::format("{} backfills run already; wait for one", running));
  const auto id = order.id;
  auto job = std::make_shared<Backfill>(services, std::move(order));
  all_.emplace(id, job);
  for (auto at = all_.begin(); all_.size() > kKept && at != all_.end();)
    at = at->second->is_done() ? all_.erase(at) : std::next(at);
  return job;
}

void Backfills::stop() {
  std::map<ExecutionId, std::shared_ptr<Backfill>> ended;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& entry : all_) entry.second->stop();
    ended.swap(all_);
  }
}

}  // namespace fp::api
