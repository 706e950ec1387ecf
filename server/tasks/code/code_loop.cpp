#include "tasks/code/code_loop.hpp"

#include "base/error_code.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <ctime>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace fp::tasks {

namespace {

using State = CodeRunner::State;

SteadyPoint steady_now() {
  return std::chrono::steady_clock::now();
}

Milliseconds pause_after(unsigned failures) {
  return std::min(Milliseconds(5000), Milliseconds(20) * (1 << std::min(failures, 8u)));
}

}  // namespace

CodeLoop::CodeLoop(std::unique_ptr<CodeRunnerFactory> factory, CodeLoopOptions options)
    : factory_(std::move(factory)), options_(options), wake_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

CodeLoop::~CodeLoop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  wake();
  if (thread_.joinable()) thread_.join();
  close(wake_fd_);
}

void CodeLoop::submit(CodeRun run) {
  if (unanswered_.fetch_add(1) >= options_.running + options_.waiting) {
    --unanswered_;
    return run.done(
        Error(codes::code_overloaded, fmt::format("{} code steps are waiting already", options_.waiting)));
  }
  run.done = [this, done = std::move(run.done)](ports::TaskHandler::Output output) mutable {
    --unanswered_;
    done(std::move(output));
  };
  bool must_wake = false;
  {
    const std::lock_guard lock(mutex_);
    arrived_.push_back(std::move(run));
    must_wake = !std::exchange(is_woken_, true);
    if (!thread_.joinable()) {
      // Signals are for the main thread.
      sigset_t all;
      sigset_t before;
      sigfillset(&all);
      pthread_sigmask(SIG_SETMASK, &all, &before);
      thread_ = std::thread([this] { this->run(); });
      pthread_sigmask(SIG_SETMASK, &before, nullptr);
    }
  }
  if (must_wake) wake();
}

void CodeLoop::cancel(std::uint64_t id) {
  {
    const std::lock_guard lock(mutex_);
    cancelled_.push_back(id);
    is_woken_ = true;
  }
  wake();
}

void CodeLoop::wake() {
  eventfd_write(wake_fd_, 1);
}

void CodeLoop::run() {
  pthread_setname_np(pthread_self(), options_.thread_name);
  for (;;) {
    take_orders();
    {
      const std::lock_guard lock(mutex_);
      if (is_stopping_) break;
    }
    const auto now = steady_now();
    for (auto& slot : slots_) slot.runner->advance(now);
    drop_gone(now);
    assign(now);
    start_runners(now);
    wait();
  }
  stop_all();
}

void CodeLoop::take_orders() {
  std::vector<std::uint64_t> cancelled;
  {
    const std::lock_guard lock(mutex_);
    is_woken_ = false;
    std::move(arrived_.begin(), arrived_.end(), std::back_inserter(waiting_));
    arrived_.clear();
    cancelled.swap(cancelled_);
  }
  for (const auto id : cancelled) cancel_now(id);
}

void CodeLoop::cancel_now(std::uint64_t id) {
  const auto found = std::ranges::find(waiting_, id, &CodeRun::id);
  if (found != waiting_.end()) {
    auto run = std::move(*found);
    waiting_.erase(found);
    return run.done(make_cancelled_error());
  }
  for (auto& slot : slots_) slot.runner->cancel(id);
}

void CodeLoop::drop_gone(SteadyPoint now) {
  for (auto& slot : slots_) {
    if (slot.runner->state() == State::idle) failed_starts_ = 0;
    if (slot.runner->state() != State::gone || !slot.runner->start_error()) continue;
    no_start_before_ = now + pause_after(failed_starts_++);
    // Whoever waits would wait for the same failure: the engine tries again later.
    if (std::ranges::any_of(slots_, [](const Slot& s) { return s.runner->state() == State::busy; })) continue;
    for (auto& run : std::exchange(waiting_, {})) run.done(*slot.runner->start_error());
  }
  std::erase_if(slots_, [](const Slot& slot) { return slot.runner->state() == State::gone; });
}

void CodeLoop::assign(SteadyPoint now) {
  for (auto& slot : slots_) {
    if (waiting_.empty() || count(State::busy) >= options_.running) return;
    if (slot.runner->state() != State::idle) continue;
    auto run = std::move(waiting_.front());
    waiting_.pop_front();
    if (run.control->is_cancelled())  // before it came here, when there was nothing to end
      run.done(make_cancelled_error());
    else
      slot.runner->begin(std::move(run), now);
  }
}

/// As many as have work, and the spare ones; those on their way out count for nothing but their slot.
void CodeLoop::start_runners(SteadyPoint now) {
  while (now >= no_start_before_) {
    const auto busy = count(State::busy);
    const auto ready = count(State::idle) + count(State::starting);
    const auto wanted = std::min(options_.running - std::min(busy, options_.running),
                                 std::max(waiting_.size(), options_.spare));
    if (ready >= wanted) return;
    std::uint32_t number = 0;
    while (std::ranges::any_of(slots_, [&](const Slot& slot) { return slot.number == number; })) ++number;
    auto runner = factory_->start(number);
    if (runner) {
      slots_.push_back({number, std::move(*runner)});
      continue;
    }
    no_start_before_ = now + pause_after(failed_starts_++);
    if (busy == 0)
      for (auto& run : std::exchange(waiting_, {})) run.done(runner.error());
  }
}

void CodeLoop::wait() {
  std::vector<pollfd> fds{{wake_fd_, POLLIN, 0}};
  auto until = SteadyPoint::max();
  for (const auto& slot : slots_) {
    slot.runner->watch(fds);
    until = std::min(until, slot.runner->next_call());
  }
  if (!waiting_.empty() && no_start_before_ > steady_now()) until = std::min(until, no_start_before_);
  timespec timeout{};
  const auto left = std::max(until - steady_now(), SteadyPoint::duration::zero());
  timeout.tv_sec = std::chrono::duration_cast<std::chrono::seconds>(left).count();
  timeout.tv_nsec = (left % std::chrono::seconds(1)).count();
  if (ppoll(fds.data(), fds.size(), until == SteadyPoint::max() ? nullptr : &timeout, nullptr) <= 0) return;
  if (fds[0].revents == 0) return;
  eventfd_t ignored = 0;
  eventfd_read(wake_fd_, &ignored);
}

void CodeLoop::stop_all() {
  take_orders();
  for (auto& run : std::exchange(waiting_, {})) run.done(make_cancelled_error());
  for (auto& slot : slots_) slot.runner->abandon(make_cancelled_error());
  slots_.clear();
}

std::size_t CodeLoop::count(State state) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(slots_, [state](const Slot& slot) { return slot.runner->state() == state; }));
}

}  // namespace fp::tasks
