#pragma once

#include "base/ids.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "base/time.hpp"
#include "base/unique_function.hpp"
#include "model/task_type.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace fp::ports {

/// One try of a task, ready to be carried out: the config is rendered, nothing in it is evaluated again.
struct AttemptRequest {
  ExecutionId execution;
  std::string step;
  std::optional<std::uint32_t> index;  // the item of a for_each step
  std::uint32_t attempt = 1;           // from 1
  std::string step_type;
  Value config;                   // a JSON object
  std::string idempotency_key;    // the same for every attempt of this task
  Milliseconds timeout{300'000};  // from now; the handler ends by itself (task.timeout) when it can
};

struct LogLine {
  TimePoint at;
  std::string level;  // debug, info, warning, error
  std::string text;
  bool operator==(const LogLine&) const = default;
};

/// What an attempt and its owner share while it runs. Thread-safe. Its log is bounded: 10,000 lines and 1 MiB
/// an attempt, 16 KiB a line; markers say what was cut or dropped.
class AttemptControl {
 public:
  void log(TimePoint at, std::string level, std::string text);
  /// What came since the last call. With `last` the marker of dropped lines comes at its end.
  std::vector<LogLine> take_lines(bool last = true);

  /// Asks the attempt to end: sets the flag and calls the hook, if any, once.
  void cancel();
  bool is_cancelled() const { return cancelled_.load(std::memory_order_relaxed); }
  /// What to call on cancel (wake a transfer, interrupt a query); called at once when already cancelled.
  /// An empty hook removes the earlier one; after this returns the earlier hook is not running.
  void set_cancel_hook(UniqueFunction<void()> hook);

 private:
  static constexpr std::size_t kMostLines = 10'000;
  static constexpr std::size_t kMostBytes = 1u << 20;
  static constexpr std::size_t kMostLineBytes = 16u << 10;
  std::atomic<bool> cancelled_{false};
  std::mutex mutex_;
  UniqueFunction<void()> hook_;
  std::vector<LogLine> lines_;
  std::size_t kept_lines_ = 0;
  std::size_t kept_bytes_ = 0;
  std::size_t dropped_ = 0;
  TimePoint last_at_{};
};

/// A task type that touches the world. One object serves every attempt of its type, from any thread.
class TaskHandler {
 public:
  using Output = Result<Json>;
  using Done = UniqueFunction<void(Output)>;
  enum class Kind {
    instant,      // never blocks, takes microseconds: runs where it is dispatched
    blocking,     // may block: runs on the worker's thread pool
    asynchronous  // start() returns at once and a thread of the handler's own calls `done`
  };

  virtual ~TaskHandler() = default;
  virtual const model::TaskTypeSpec& spec() const = 0;
  virtual Kind kind() const = 0;
  /// Carries the attempt out and calls `done` exactly once. A failure the peer may recover from is
  /// `retryable`. Never throws. `control` outlives the attempt.
  virtual void start(AttemptRequest request, std::shared_ptr<AttemptControl> control, Done done) = 0;
};

}  // namespace fp::ports
