#pragma once

#include "base/time.hpp"
#include "base/unique_function.hpp"
#include "sandbox/sandbox_process.hpp"
#include "sandbox/wire.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

namespace fp::sandbox {

/// One request on its way through a sandbox process.
struct Task {
  std::uint32_t id = 0;
  wire::Kind answer_kind = wire::Kind::kEvaluated;
  std::size_t outcomes = 0;  // how many the answer must have
  Milliseconds time{1000};
  std::string frame;
  /// Called exactly once. False: the answer was not well-formed inside, so its sender is not to be trusted.
  UniqueFunction<bool(Result<wire::Answer>)> finish;
};

/// One sandbox process after another, and the tasks that wait for its answers, in order. Lives on the
/// evaluator's I/O thread. A process that dies, overruns or breaks the protocol takes only the task at work
/// with it; the tasks behind it go to a fresh process.
class Lane {
 public:
  explicit Lane(std::string program) : program_(std::move(program)) {}

  bool has_room() const;
  std::size_t load() const { return tasks_.size(); }
  void give(Task task, SteadyPoint now);
  /// Starts what can start, sends what can be sent, ends what is overdue. When to be called next, at the
  /// latest.
  SteadyPoint advance(SteadyPoint now);
  /// To wait on; -1: nothing.
  int fd() const { return process_ ? process_->fd() : -1; }
  bool is_writing() const { return sent_ < outgoing_.size(); }
  void receive(SteadyPoint now);
  /// Answers everything with `error` and ends the process.
  void abandon(const Error& error);
  void warm_up() { is_wanted_ = true; }

  pid_t pid() const { return process_ ? process_->pid() : -1; }
  const std::string& layers() const { return layers_; }

 private:
  struct Waiting {
    Task task;
    std::uint64_t end = 0;  // where its frame ends in the stream
  };

  void start(SteadyPoint now);
  void send(SteadyPoint now);
  void enqueue(Waiting& waiting);
  bool accept(const wire::Frame& frame, SteadyPoint now);
  bool accept_answer(const wire::Frame& frame, SteadyPoint now);
  void end_overdue(SteadyPoint now);
  void lose_process(SteadyPoint now);
  void replace_process();
  void fail_front(Error error);
  void start_failed(Error error, SteadyPoint now);
  SteadyPoint next_call() const;
  SteadyPoint front_deadline() const;

  std::string program_;
  std::optional<SandboxProcess> process_;
  std::deque<Waiting> tasks_;
  std::string outgoing_;
  std::size_t sent_ = 0;            // of outgoing_
  std::uint64_t stream_start_ = 0;  // where outgoing_ begins in the stream
  std::string incoming_;
  SteadyPoint
      began_{};  // since when the front task is the front, or wholly with the process, or the process runs
  bool is_greeted_ = false;
  bool is_wanted_ = false;
  unsigned failed_starts_ = 0;
  SteadyPoint retry_at_{};
  std::string layers_;
};

}  // namespace fp::sandbox
