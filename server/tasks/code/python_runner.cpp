#include "tasks/code/python_runner.hpp"

#include "base/error_code.hpp"
#include "base/json_parse.hpp"
#include "tasks/code/python_environment.hpp"
#include "tasks/code/python_failure.hpp"
#include "tasks/code/python_main.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace fp::tasks {

namespace {

constexpr std::size_t kReadBytes = 64u << 10;
constexpr std::size_t kMostFrameBytes = kMostResultBytes + 1;
constexpr std::size_t kMostDrainBytes = 2u << 20;  // more than a log holds
constexpr std::size_t kMostDepth = 250;
constexpr std::uint32_t kProcesses = 64;
constexpr std::uint64_t kTmpBytes = 64u << 20;
constexpr std::uint64_t kInterpreterBytes = 64u << 20;  // address space that Python itself takes
constexpr Milliseconds kStartTime{10'000};
constexpr Milliseconds kEndTime{2'000};
constexpr Milliseconds kGrace{100};

bool make_pipe(OwnedFd& ours, OwnedFd& theirs) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return false;
  ours = OwnedFd(ends[0]);
  theirs = OwnedFd(ends[1]);
  return fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0;
}

bool make_channel(OwnedFd& ours, OwnedFd& theirs) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return false;
  ours = OwnedFd(ends[0]);
  theirs = OwnedFd(ends[1]);
  return fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0;
}

}  // namespace

OwnedFd::~OwnedFd() {
  if (fd_ >= 0) close(fd_);
}

PythonRunnerFactory::PythonRunnerFactory(PythonOptions options, const Clock& clock)
    : options_(std::move(options)),
      clock_(clock),
      launcher_(options_.launcher.empty() ? launcher::Launcher::default_program() : options_.launcher),
      readable_(list_python_folders(options_.interpreter)) {}

Result<std::unique_ptr<CodeRunner>> PythonRunnerFactory::start(std::uint32_t slot) {
  launcher::Policy policy;
  policy.level = options_.level;
  policy.allow_weaker = options_.allow_weaker;
  policy.memory_bytes = 0;  // comes with the run
  policy.processes = kProcesses;
  policy.tmp_bytes = kTmpBytes;
  policy.file_bytes = kTmpBytes;
  policy.readable = readable_;
  policy.slot = slot;
  launcher::Command command;
  command.program.argv = {options_.interpreter, "-I", "-B", "-X", "utf8", "-c", std::string(kPythonMain)};
  command.program.env = {"PATH=/usr/bin:/bin", "HOME=/tmp", "LANG=C.UTF-8"};
  PythonRunner::Ends ours;
  PythonRunner::Ends theirs;
  if (!make_channel(ours.channel, theirs.channel) || !make_pipe(ours.out, theirs.out) ||
      !make_pipe(ours.err, theirs.err)) {
    return Error(codes::worker_spawn_failed, fmt::format("no pipe for a process: {}", std::strerror(errno)));
  }
  command.out = theirs.out.get();
  command.err = theirs.err.get();
  command.keep = {theirs.channel.get()};
  auto child = launcher_.start(policy, command);
  if (!child) return child.error();
  return std::make_unique<PythonRunner>(std::move(*child), std::move(ours), clock_, clock_.steady_now());
}

PythonRunner::PythonRunner(launcher::Child child, Ends ends, const Clock& clock, SteadyPoint now)
    : child_(std::move(child)),
      ends_(std::move(ends)),
      clock_(clock),
      out_lines_(clock, "info"),
      err_lines_(clock, "warning"),
      deadline_(now + kStartTime) {}

void PythonRunner::begin(CodeRun run, SteadyPoint now) {
  JsonObject order{{"code", run.code}, {"input", parse_trusted_json(run.input)}};
  const bool counts_memory = !child_.layers().cgroup.empty();
  order["address_space"] = counts_memory ? 0 : run.memory_bytes + kInterpreterBytes;
  const auto body = to_text(Json(std::move(order)));
  const auto length = static_cast<std::uint32_t>(body.size());
  outgoing_.assign(reinterpret_cast<const char*>(&length), sizeof length);
  outgoing_ += body;
  // The supervisor kills in time even when this process is busy or gone.
  child_.limit(run.memory_bytes, run.time + kGrace);
  deadline_ = now + run.time;
  run_ = std::move(run);
  state_ = State::busy;
  send();
}

void PythonRunner::send() {
  while (sent_ < outgoing_.size()) {
    const ssize_t written =
        ::send(ends_.channel.get(), outgoing_.data() + sent_, outgoing_.size() - sent_, MSG_NOSIGNAL);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return;  // full, or nobody there, which receive() learns
    sent_ += static_cast<std::size_t>(written);
  }
}

void PythonRunner::watch(std::vector<pollfd>& fds) const {
  if (state_ == State::gone) return;
  if (state_ == State::ending) {
    // Not the report: once it is read, what follows is the end of the supervisor.
    fds.push_back({run_ ? child_.report_fd() : child_.pid_fd(), POLLIN, 0});
    return;
  }
  if (is_channel_open_) {
    fds.push_back(
        {ends_.channel.get(), static_cast<short>(sent_ < outgoing_.size() ? POLLIN | POLLOUT : POLLIN), 0});
  }
  fds.push_back({child_.report_fd(), POLLIN, 0});
  if (ends_.out.get() >= 0) fds.push_back({ends_.out.get(), POLLIN, 0});
  if (ends_.err.get() >= 0) fds.push_back({ends_.err.get(), POLLIN, 0});
}

void PythonRunner::advance(SteadyPoint now) {
  if (state_ == State::gone) return;
  if (state_ == State::starting) advance_start(now);
  if (state_ == State::busy) {
    send();
    drain_outputs();
    if (!receive() || child_.poll_outcome())
      stop(std::nullopt);
    else if (now >= deadline_)
      stop(make_timeout_error(run_->time));
  } else if (state_ == State::idle && child_.poll_outcome()) {
    state_ = State::gone;
  }
  if (state_ == State::ending) conclude();
}

void PythonRunner::advance_start(SteadyPoint now) {
  const auto started = child_.poll_started();
  if (started && !*started) return fail_start(started->error());
  const bool is_open = receive();
  if (state_ != State::starting) return;
  if (!is_open || child_.poll_outcome()) {
    char text[512];
    const ssize_t got = ends_.err.get() < 0 ? 0 : read(ends_.err.get(), text, sizeof text);
    return fail_start(
        Error(codes::worker_spawn_failed,
              fmt::format("Python did not start: {}",
                          to_log_text({text, static_cast<std::size_t>(std::max<ssize_t>(got, 0))}))));
  }
  if (now >= deadline_) fail_start(Error(codes::worker_spawn_failed, "Python does not answer"));
}

void PythonRunner::fail_start(Error error) {
  start_error_ = std::move(error);
  child_.kill();
  state_ = State::gone;
}

bool PythonRunner::receive() {
  while (is_channel_open_) {
    const std::size_t filled = incoming_.size();
    incoming_.resize(filled + kReadBytes);
    const ssize_t got = recv(ends_.channel.get(), incoming_.data() + filled, kReadBytes, 0);
    incoming_.resize(filled + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return true;
    is_channel_open_ = got > 0;
    if (!take_frames() || state_ == State::ending) return state_ == State::ending;
  }
  return false;
}

/// False when what came is not what our side of the interpreter sends.
bool PythonRunner::take_frames() {
  std::string_view rest(incoming_);
  while (rest.size() > sizeof(std::uint32_t)) {
    std::uint32_t length = 0;
    std::memcpy(&length, rest.data(), sizeof length);
    is_garbled_ = length == 0 || length > kMostFrameBytes || !std::strchr("HLRE", rest[4]);
    if (is_garbled_) return false;
    if (rest.size() - sizeof length < length) break;
    is_garbled_ = !accept(rest[4], rest.substr(5, length - 1));
    if (is_garbled_) return false;
    rest.remove_prefix(sizeof length + length);
    if (state_ == State::ending) return true;
  }
  incoming_.erase(0, incoming_.size() - rest.size());
  return true;
}

bool PythonRunner::accept(char kind, std::string_view body) {
  if (kind == 'H') {
    if (state_ == State::starting) state_ = State::idle;
    return true;
  }
  if (state_ != State::busy) return false;
  auto value = parse_json(body, {.max_bytes = kMostFrameBytes, .max_depth = kMostDepth});
  if (kind == 'L') {
    if (value)
      run_->control->log(clock_.now(), json_string(*value, "level"),
                         to_log_text(json_string(*value, "text")));
    return value.has_value();
  }
  drain_outputs();
  if (kind == 'R' && value) {
    answer(std::move(value));
    stop(std::nullopt);
    return true;
  }
  if (kind == 'R')
    stop(Error(codes::python_result, "the result can not be kept: " + value.error().message));
  else if (value)
    stop(to_python_error(*value, *run_));
  return value.has_value() || kind == 'R';
}

void PythonRunner::drain_outputs() {
  if (!run_) return;
  char bytes[kReadBytes];
  for (auto [fd, lines] : {std::pair{&ends_.out, &out_lines_}, std::pair{&ends_.err, &err_lines_}}) {
    for (std::size_t total = 0; fd->get() >= 0 && total < kMostDrainBytes;) {
      const ssize_t got = read(fd->get(), bytes, sizeof bytes);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) break;
      if (got == 0) fd->reset();
      lines->add({bytes, static_cast<std::size_t>(got)}, *run_->control);
      total += static_cast<std::size_t>(got);
    }
  }
}

void PythonRunner::stop(std::optional<Error> reason) {
  if (state_ == State::ending) return;
  failure_ = std::move(reason);
  state_ = State::ending;
  deadline_ = clock_.steady_now() + kEndTime;
  // A process that hung up by itself is on its way out: how it ends is the answer.
  if (failure_ || !run_ || is_garbled_) child_.kill();
}

void PythonRunner::conclude() {
  const auto outcome = child_.poll_outcome();
  const bool is_overdue = clock_.steady_now() >= deadline_;
  if (run_ && outcome) {
    drain_outputs();
    answer(explain_end(*outcome));
  } else if (run_ && is_overdue) {
    // It closed the channel and goes on.
    child_.kill();
    answer(failure_ ? *failure_
                    : Error(codes::python_no_result, "the code closed the channel for its result"));
  }
  pollfd end{child_.pid_fd(), POLLIN, 0};
  if (!run_ && (poll(&end, 1, 0) == 1 || is_overdue)) state_ = State::gone;
}

ports::TaskHandler::Output PythonRunner::explain_end(const launcher::Outcome& outcome) const {
  Error error = failure_      ? *failure_
                : is_garbled_ ? Error(codes::python_result, "the code wrote to the channel for its result")
                              : explain_python_end(outcome, *run_);
  if (is_out_of_processes(error, outcome)) return make_process_limit_error();
  const bool is_ended_by_memory =
      outcome.memory_kills > 0 && outcome.end != launcher::End::timed_out && !failure_;
  return is_ended_by_memory ? make_memory_error(run_->memory_bytes) : error;
}

void PythonRunner::answer(ports::TaskHandler::Output output) {
  auto run = std::move(*run_);
  out_lines_.finish(*run.control);
  err_lines_.finish(*run.control);
  run_.reset();
  run.control->set_cancel_hook({});
  run.done(std::move(output));
}

SteadyPoint PythonRunner::next_call() const {
  return state_ == State::idle || state_ == State::gone ? SteadyPoint::max() : deadline_;
}

void PythonRunner::cancel(std::uint64_t id) {
  if (run_ && run_->id == id) stop(make_cancelled_error());
}

void PythonRunner::abandon(const Error& error) {
  child_.kill();
  if (run_) answer(error);
  state_ = State::gone;
}

}  // namespace fp::tasks
