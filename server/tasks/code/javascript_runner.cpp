#include "tasks/code/javascript_runner.hpp"

#include "base/error_code.hpp"
#include "base/json_parse.hpp"
#include "tasks/code/log_lines.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <sys/socket.h>

namespace fp::tasks {

namespace {

namespace wire = sandbox::wire;

constexpr std::size_t kReadBytes = 64u << 10;
constexpr std::size_t kMostDepth = 200;
constexpr Milliseconds kStartTime{5000};
constexpr Milliseconds kGrace{50};

std::uint32_t number_of(std::string_view text) {
  std::uint32_t out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

/// `function:line:column` lines as a list.
JsonArray frames_of(std::string_view stack) {
  JsonArray out;
  while (!stack.empty()) {
    const auto line = stack.substr(0, stack.find('\n'));
    const auto last = line.rfind(':');
    const auto middle = last == std::string_view::npos ? last : line.rfind(':', last - 1);
    if (middle != std::string_view::npos) {
      out.push_back(JsonObject{{"function", std::string(line.substr(0, middle))},
                               {"line", number_of(line.substr(middle + 1, last - middle - 1))},
                               {"column", number_of(line.substr(last + 1))}});
    }
    stack.remove_prefix(std::min(stack.size(), line.size() + 1));
  }
  return out;
}

std::string at_line(const wire::Outcome& outcome) {
  return outcome.line == 0 ? "" : fmt::format(" (line {}, column {})", outcome.line, outcome.column);
}

Error with_position(const ErrorCode& code, std::string message, const wire::Ran& ran) {
  Error error(code, std::move(message));
  JsonObject details{{"line", ran.outcome.line}, {"column", ran.outcome.column}};
  if (!ran.name.empty()) details["type"] = ran.name;
  if (!ran.stack.empty()) details["stack"] = frames_of(ran.stack);
  error.details = std::move(details);
  return error;
}

ports::TaskHandler::Output to_output(const wire::Ran& ran, const CodeRun& run) {
  const auto& outcome = ran.outcome;
  switch (outcome.verdict) {
    case wire::Verdict::kValue: {
      auto value = parse_json(outcome.text, {.max_bytes = kMostResultBytes, .max_depth = kMostDepth});
      if (!value) return Error(codes::code_result, "the result can not be kept: " + value.error().message);
      return value;
    }
    case wire::Verdict::kNoValue:
      return Json(nullptr);
    case wire::Verdict::kSyntax:
      return with_position(codes::code_syntax, outcome.text + at_line(outcome), ran);
    case wire::Verdict::kTimeout:
      return make_timeout_error(run.time);
    case wire::Verdict::kMemory:
      return make_memory_error(run.memory_bytes);
    case wire::Verdict::kStack:
      return with_position(codes::code_recursion, "the code calls itself too deeply" + at_line(outcome), ran);
    case wire::Verdict::kTooLarge:
      return Error(codes::code_result,
                   fmt::format("the result is larger than {} MiB", kMostResultBytes >> 20));
    case wire::Verdict::kNotJson:
      return Error(codes::code_result, outcome.text);
    default:
      return with_position(
          codes::code_exception,
          fmt::format("{}{}{}{}", ran.name, ran.name.empty() ? "" : ": ", outcome.text, at_line(outcome)),
          ran);
  }
}

}  // namespace

Result<std::unique_ptr<CodeRunner>> JavascriptRunnerFactory::start(std::uint32_t) {
  auto process = sandbox::SandboxProcess::spawn(program_, sandbox::SandboxProcess::Work::code);
  if (!process) return Error(codes::worker_spawn_failed, process.error().message);
  return std::make_unique<JavascriptRunner>(std::move(*process), clock_, clock_.steady_now());
}

JavascriptRunner::JavascriptRunner(sandbox::SandboxProcess process, const Clock& clock, SteadyPoint now)
    : process_(std::move(process)), clock_(clock), deadline_(now + kStartTime) {}

void JavascriptRunner::begin(CodeRun run, SteadyPoint now) {
  wire::Run order;
  order.time_ms = static_cast<std::uint32_t>(run.time.count());
  order.memory_bytes = run.memory_bytes;
  order.result_bytes = kMostResultBytes;
  order.code = run.code;
  order.input = run.input;
  outgoing_ = wire::to_frame(static_cast<std::uint32_t>(run.id), order);
  sent_ = 0;
  deadline_ = now + run.time + kGrace;
  run_ = std::move(run);
  state_ = State::busy;
  send();
}

void JavascriptRunner::send() {
  while (sent_ < outgoing_.size()) {
    const ssize_t written =
        ::send(process_.fd(), outgoing_.data() + sent_, outgoing_.size() - sent_, MSG_NOSIGNAL);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return;  // full, or hung up, which receive() learns
    sent_ += static_cast<std::size_t>(written);
  }
}

void JavascriptRunner::watch(std::vector<pollfd>& fds) const {
  if (state_ == State::gone) return;
  fds.push_back({process_.fd(), static_cast<short>(sent_ < outgoing_.size() ? POLLIN | POLLOUT : POLLIN), 0});
}

void JavascriptRunner::advance(SteadyPoint now) {
  if (state_ == State::gone) return;
  send();
  const bool is_open = receive();
  if (state_ == State::gone) return;
  if (!is_open) return lose();
  const bool has_limit = state_ == State::starting || state_ == State::busy;
  if (!has_limit || now < deadline_) return;
  if (state_ == State::starting)
    start_error_ = Error(codes::worker_spawn_failed, "the code process does not answer");
  if (run_) return answer(make_timeout_error(run_->time), State::gone);
  state_ = State::gone;
}

/// False when the process hung up or does not keep to the protocol.
bool JavascriptRunner::receive() {
  for (bool is_open = true; is_open;) {
    const std::size_t filled = incoming_.size();
    incoming_.resize(filled + kReadBytes);
    const ssize_t got = ::recv(process_.fd(), incoming_.data() + filled, kReadBytes, 0);
    incoming_.resize(filled + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno == EAGAIN || errno == EWOULDBLOCK;
    is_open = got > 0;
    std::string_view rest(incoming_);
    wire::Frame frame;
    wire::Scan scan;
    while ((scan = wire::take_frame(rest, wire::kMaxAnswerBytes, frame)) == wire::Scan::kFrame) {
      if (!accept(frame)) return false;
      if (state_ == State::gone) return true;
    }
    if (scan == wire::Scan::kBroken) return false;
    incoming_.erase(0, incoming_.size() - rest.size());
    if (is_open && static_cast<std::size_t>(got) < kReadBytes) return true;
  }
  return false;
}

bool JavascriptRunner::accept(const wire::Frame& frame) {
  if (state_ == State::starting) {
    wire::Hello hello;
    if (frame.kind != wire::Kind::kHello || !wire::from_body(frame.body, hello)) return false;
    state_ = State::idle;
    return true;
  }
  if (!run_ || frame.id != static_cast<std::uint32_t>(run_->id)) return false;
  wire::Line line;
  if (frame.kind == wire::Kind::kLine && wire::from_body(frame.body, line)) {
    run_->control->log(clock_.now(), std::string(line.level), to_log_text(line.text));
    return true;
  }
  wire::Ran ran;
  if (frame.kind != wire::Kind::kRan || !wire::from_body(frame.body, ran)) return false;
  answer(to_output(ran, *run_), ran.retiring ? State::gone : State::idle);
  return true;
}

void JavascriptRunner::lose() {
  const int status = process_.finish();
  const auto end = sandbox::describe_end(status);
  if (state_ == State::starting) start_error_ = Error(codes::worker_spawn_failed, "the code process " + end);
  if (!run_) {
    state_ = State::gone;
    return;
  }
  if (sandbox::ended_out_of_memory(status)) return answer(make_memory_error(run_->memory_bytes), State::gone);
  answer(Error(codes::code_crashed, "the process that ran the code " + end), State::gone);
}

void JavascriptRunner::answer(ports::TaskHandler::Output output, State next) {
  auto run = std::move(*run_);
  run_.reset();
  state_ = next;
  run.control->set_cancel_hook({});
  run.done(std::move(output));
}

SteadyPoint JavascriptRunner::next_call() const {
  return state_ == State::starting || state_ == State::busy ? deadline_ : SteadyPoint::max();
}

void JavascriptRunner::cancel(std::uint64_t id) {
  if (run_ && run_->id == id) answer(make_cancelled_error(), State::gone);
}

void JavascriptRunner::abandon(const Error& error) {
  if (run_) answer(error, State::gone);
  state_ = State::gone;
}

}  // namespace fp::tasks
