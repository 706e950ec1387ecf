#pragma once

#include "base/ids.hpp"
#include "base/json.hpp"
#include "base/time.hpp"
#include "ports/store.hpp"

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace fp::api {

/// One request that a webhook got, and what became of it. Holds no credentials: see Hooks.
struct HookRecord {
  std::uint64_t number = 0;  // given by the log, growing
  TimePoint at{};
  std::string method;
  std::string path;
  std::string peer;  // address of the sender
  unsigned status = 0;
  std::string outcome;    // triggered, deduplicated, ignored, captured, or the code of the refusal
  std::string signature;  // ok, none (not asked for) or refused
  std::size_t body_bytes = 0;
  Value request;  // {method, path, params, query, headers, body}; the body is left out when it is large
  bool is_whole = false;  // it can be replayed
  bool is_test = false;   // it came to the test URL of a draft
  std::optional<ExecutionId> execution;
};
using HookRecordPtr = std::shared_ptr<const HookRecord>;

/// The last requests of each webhook: in memory, and a second later on disk, so that they are there after a
/// restart. Evidence, not truth: a crash loses the last second, and when more come than the disk should be
/// troubled with, the oldest are left out. Thread-safe, bounded; a thread of its own writes.
class HookLog {
 public:
  static constexpr std::size_t kMostRequests = 100;         // of one webhook
  static constexpr std::size_t kMostHooks = 1'000;          // in memory; the one longest silent goes first
  static constexpr std::size_t kMostBodyBytes = 16u << 10;  // of a body that is kept

  explicit HookLog(ports::Store& store) : store_(store) {}
  ~HookLog() { stop(); }

  /// Goes on where the last process stopped. Blocks. Call before the first request.
  void start();
  /// Writes what is left. Idempotent.
  void stop();
  /// Never blocks for the disk. Gives the number of the record.
  std::uint64_t add(const WorkflowId& workflow, const std::string& trigger, HookRecord record);
  /// Newest first. May block, as the next two.
  std::vector<HookRecordPtr> list(const WorkflowId& workflow, const std::string& trigger);
  HookRecordPtr find(const WorkflowId& workflow, const std::string& trigger, std::uint64_t number);
  /// The newest; null when there is none.
  HookRecordPtr find_last(const WorkflowId& workflow, const std::string& trigger);
  /// Requests since the start that were triggered, deduplicated, ignored, captured or refused.
  std::uint64_t count(const std::string& outcome) const;

 private:
  using Key = std::pair<WorkflowId, std::string>;
  struct Ring {
    std::deque<HookRecordPtr> records;  // newest last
    bool is_loaded = false;             // with those of earlier processes
  };

  void run();
  /// Writes a bounded part of what is waiting; true when there is more.
  bool flush();
  std::vector<ports::HookRequestRecord> take_waiting();
  void load(const Key& key);
  void make_room();

  ports::Store& store_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<Key, Ring> rings_;                         // guarded by mutex_
  std::map<Key, std::deque<HookRecordPtr>> waiting_;  // guarded by mutex_; not on disk yet
  Key last_written_;                                  // guarded by mutex_; those behind it are next
  std::map<std::string, std::uint64_t> totals_;       // guarded by mutex_
  std::uint64_t next_ = 1;                            // guarded by mutex_
  bool is_stopping_ = false;                          // guarded by mutex_
  std::mutex flush_mutex_;                            // held while records are on their way to the disk
  std::thread thread_;
};

}  // namespace fp::api
