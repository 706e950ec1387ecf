#include "sandbox/lane.hpp"

#include "base/error_code.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <sys/socket.h>

namespace fp::sandbox {

namespace {

constexpr std::size_t kWindow = 64;
constexpr std::size_t kWindowBytes = 1u << 20;
constexpr std::size_t kReadBytes = 64u << 10;
constexpr unsigned kStartsInARow = 3;
constexpr Milliseconds kStartTime{5000};
constexpr Milliseconds kGrace{50};
constexpr Milliseconds kLongestPause{5000};

Milliseconds pause_after(unsigned failures) {
  return std::min(kLongestPause, Milliseconds(10) * (1 << std::min(failures, 10u)));
}

}  // namespace

bool Lane::has_room() const {
  return tasks_.size() < kWindow && outgoing_.size() - sent_ < kWindowBytes;
}

void Lane::give(Task task, SteadyPoint now) {
  if (tasks_.empty() && is_greeted_) began_ = now;  // the time before it is nobody's
  tasks_.push_back({std::move(task), 0});
  if (process_) enqueue(tasks_.back());
}

void Lane::enqueue(Waiting& waiting) {
  outgoing_.append(waiting.task.frame);
  waiting.end = stream_start_ + outgoing_.size();
}

SteadyPoint Lane::advance(SteadyPoint now) {
  end_overdue(now);
  if (!process_ && (is_wanted_ || !tasks_.empty()) && now >= retry_at_) start(now);
  if (process_) send(now);
  return next_call();
}

void Lane::start(SteadyPoint now) {
  is_wanted_ = false;
  auto spawned = SandboxProcess::spawn(program_);
  if (!spawned) return start_failed(spawned.error(), now);
  process_.emplace(std::move(*spawned));
  is_greeted_ = false;
  began_ = now;
  outgoing_.clear();
  incoming_.clear();
  sent_ = 0;
  stream_start_ = 0;
  for (auto& waiting : tasks_) enqueue(waiting);
}

void Lane::start_failed(Error error, SteadyPoint now) {
  replace_process();
  retry_at_ = now + pause_after(failed_starts_);
  if (++failed_starts_ < kStartsInARow) return;
  while (!tasks_.empty()) fail_front(error);
}

void Lane::send(SteadyPoint now) {
  while (is_writing()) {
    const ssize_t written =
        ::send(process_->fd(), outgoing_.data() + sent_, outgoing_.size() - sent_, MSG_NOSIGNAL);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return;  // full, or hung up, which receive() learns
    const std::uint64_t before = stream_start_ + sent_;
    sent_ += static_cast<std::size_t>(written);
    const bool completes_front =
        !tasks_.empty() && before < tasks_.front().end && stream_start_ + sent_ >= tasks_.front().end;
    if (completes_front && is_greeted_) began_ = now;
  }
  stream_start_ += outgoing_.size();
  outgoing_.clear();
  sent_ = 0;
}

void Lane::receive(SteadyPoint now) {
  bool is_open = true;
  while (process_ && is_open) {
    const std::size_t filled = incoming_.size();
    incoming_.resize(filled + kReadBytes);
    const ssize_t got = ::recv(process_->fd(), incoming_.data() + filled, kReadBytes, 0);
    incoming_.resize(filled + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    is_open = got > 0;

    std::string_view rest(incoming_);
    wire::Frame frame;
    wire::Scan scan;
    while ((scan = wire::take_frame(rest, wire::kMaxAnswerBytes, frame)) == wire::Scan::kFrame) {
      if (!accept(frame, now)) return lose_process(now);
      if (!process_) return;
    }
    if (scan == wire::Scan::kBroken) return lose_process(now);
    incoming_.erase(0, incoming_.size() - rest.size());
    if (static_cast<std::size_t>(std::max<ssize_t>(got, 0)) < kReadBytes && is_open) return;
  }
  if (!is_open) lose_process(now);
}

/// False: the process does not keep to the protocol.
bool Lane::accept(const wire::Frame& frame, SteadyPoint now) {
  if (is_greeted_) return accept_answer(frame, now);
  wire::Hello hello;
  if (frame.kind != wire::Kind::kHello || !wire::from_body(frame.body, hello)) return false;
  is_greeted_ = true;
  failed_starts_ = 0;
  began_ = now;
  layers_ = std::move(hello.layers);
  return true;
}

bool Lane::accept_answer(const wire::Frame& frame, SteadyPoint now) {
  if (tasks_.empty()) return false;
  const Task& front = tasks_.front().task;
  wire::Answer answer;
  if (frame.kind != front.answer_kind || frame.id != front.id || !wire::from_body(frame.body, answer) ||
      answer.outcomes.size() != front.outcomes) {
    return false;
  }
  const bool is_retiring = answer.retiring;
  Task task = std::move(tasks_.front().task);
  tasks_.pop_front();
  began_ = now;
  const bool is_sane = task.finish(std::move(answer));
  if (is_retiring || !is_sane) replace_process();
  return true;
}

void Lane::end_overdue(SteadyPoint now) {
  if (!process_) return;
  if (!is_greeted_) {
    if (now >= began_ + kStartTime)
      start_failed(Error(codes::expr_crashed, "the expression process does not answer"), now);
    return;
  }
  if (tasks_.empty() || now < front_deadline()) return;
  const auto time = tasks_.front().task.time;
  replace_process();
  fail_front(Error(codes::expr_timeout,
                   fmt::format("the expression ran longer than {} and was stopped", to_display_text(time))));
}

/// It hung up, or it has to go: the task at work goes with it.
void Lane::lose_process(SteadyPoint now) {
  if (!process_) return;
  const int status = process_->finish();
  const std::string end = describe_end(status);
  if (!is_greeted_) return start_failed(Error(codes::expr_crashed, "the expression process " + end), now);
  replace_process();
  if (tasks_.empty()) return;
  fail_front(ended_out_of_memory(status)
                 ? Error(codes::expr_memory, "the expression used more memory than it may")
                 : Error(codes::expr_crashed, "the process that evaluated the expression " + end));
}

void Lane::replace_process() {
  process_.reset();
  outgoing_.clear();
  sent_ = 0;
  is_wanted_ = is_greeted_;
  is_greeted_ = false;
}

void Lane::fail_front(Error error) {
  Task task = std::move(tasks_.front().task);
  tasks_.pop_front();
  task.finish(std::move(error));
}

void Lane::abandon(const Error& error) {
  process_.reset();
  while (!tasks_.empty()) fail_front(error);
}

SteadyPoint Lane::front_deadline() const {
  const bool is_with_process = stream_start_ + sent_ >= tasks_.front().end;
  const auto& task = tasks_.front().task;
  return began_ + (is_with_process ? task.time + kGrace : kStartTime + task.time);
}

SteadyPoint Lane::next_call() const {
  if (!process_) return is_wanted_ || !tasks_.empty() ? retry_at_ : SteadyPoint::max();
  if (!is_greeted_) return began_ + kStartTime;
  return tasks_.empty() ? SteadyPoint::max() : front_deadline();
}

}  // namespace fp::sandbox
