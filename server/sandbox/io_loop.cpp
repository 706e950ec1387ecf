#include "sandbox/io_loop.hpp"

#include "base/error_code.hpp"
#include "sandbox/sandbox_process.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace fp::sandbox {

namespace {

SteadyPoint steady_now() {
  return std::chrono::steady_clock::now();
}

}  // namespace

IoLoop::IoLoop(SandboxOptions options)
    : options_(std::move(options)), wake_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  const std::string program = options_.program.empty() ? default_sandbox_program() : options_.program;
  for (unsigned i = 0; i < std::max(options_.processes, 1u); ++i) lanes_.emplace_back(program);
}

IoLoop::~IoLoop() {
  stop({});
  close(wake_fd_);
}

void IoLoop::start() {
  const std::lock_guard lock(mutex_);
  start_locked();
}

void IoLoop::start_locked() {
  if (state_ != State::kIdle) return;
  state_ = State::kRunning;
  for (auto& lane : lanes_) lane.warm_up();
  // Signals are for the main thread.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([this] { run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void IoLoop::stop(const Error& error) {
  std::thread thread;
  {
    const std::lock_guard lock(mutex_);
    if (state_ != State::kStopped) stop_error_ = error;
    state_ = State::kStopped;
    thread = std::move(thread_);
  }
  wake();
  if (!thread.joinable()) return;
  thread.join();
  for (auto& task : std::exchange(taken_, {})) task.finish(stop_error_);
}

void IoLoop::submit(Task task, Bound bound) {
  std::optional<Error> refusal;
  if (unanswered_++ >= options_.max_waiting && bound == Bound::kQueue) {
    refusal = Error(codes::expr_overloaded,
                    fmt::format("{} expressions are waiting already", options_.max_waiting));
  }
  bool must_wake = false;
  if (!refusal) {
    const std::lock_guard lock(mutex_);
    start_locked();
    if (state_ == State::kStopped) {
      refusal = stop_error_;
    } else {
      waiting_.push_back(std::move(task));
      must_wake = !std::exchange(is_woken_, true);
    }
  }
  if (must_wake) wake();
  if (!refusal) return;
  --unanswered_;
  task.finish(std::move(*refusal));
}

SandboxStatus IoLoop::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

void IoLoop::run() {
  for (;;) {
    take_tasks();
    {
      const std::lock_guard lock(mutex_);
      if (state_ == State::kStopped) break;
    }
    const auto now = steady_now();
    auto until = SteadyPoint::max();
    for (auto& lane : lanes_) until = std::min(until, lane.advance(now));
    publish_status();
    wait(until);
  }
  for (auto& lane : lanes_) lane.abandon(stop_error_);
  const std::lock_guard lock(mutex_);
  std::move(waiting_.begin(), waiting_.end(), std::back_inserter(taken_));
  waiting_.clear();
}

void IoLoop::take_tasks() {
  {
    const std::lock_guard lock(mutex_);
    is_woken_ = false;
    std::move(waiting_.begin(), waiting_.end(), std::back_inserter(taken_));
    waiting_.clear();
  }
  while (!taken_.empty()) {
    auto& lane = *std::ranges::min_element(lanes_, {}, &Lane::load);
    if (!lane.has_room()) return;
    Task task = std::move(taken_.front());
    taken_.pop_front();
    task.finish = [this, finish = std::move(task.finish)](Result<wire::Answer> answer) mutable {
      --unanswered_;
      return finish(std::move(answer));
    };
    lane.give(std::move(task), steady_now());
  }
}

void IoLoop::wait(SteadyPoint until) {
  std::vector<pollfd> fds{{wake_fd_, POLLIN, 0}};
  for (const auto& lane : lanes_) {
    fds.push_back({lane.fd(), static_cast<short>(lane.is_writing() ? POLLIN | POLLOUT : POLLIN), 0});
  }
  timespec timeout{};
  const auto left = std::max(until - steady_now(), SteadyPoint::duration::zero());
  timeout.tv_sec = std::chrono::duration_cast<std::chrono::seconds>(left).count();
  timeout.tv_nsec = (left % std::chrono::seconds(1)).count();
  if (ppoll(fds.data(), fds.size(), until == SteadyPoint::max() ? nullptr : &timeout, nullptr) <= 0) return;
  if (fds[0].revents != 0) {
    eventfd_t count = 0;
    eventfd_read(wake_fd_, &count);
  }
  const auto now = steady_now();
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    if ((fds[i + 1].revents & ~POLLOUT) != 0) lanes_[i].receive(now);
  }
}

void IoLoop::publish_status() {
  const auto is_same = [this] {
    std::size_t running = 0;
    for (const auto& lane : lanes_) {
      if (lane.pid() < 0) continue;
      if (running >= status_.process_ids.size() || status_.process_ids[running++] != lane.pid()) return false;
    }
    return running == status_.process_ids.size() && status_.layers == lanes_.front().layers();
  };
  const std::lock_guard lock(mutex_);
  if (is_same()) return;
  status_ = {};
  status_.layers = lanes_.front().layers();
  for (const auto& lane : lanes_) {
    if (lane.pid() > 0) status_.process_ids.push_back(lane.pid());
  }
}

void IoLoop::wake() {
  eventfd_write(wake_fd_, 1);
}

}  // namespace fp::sandbox
