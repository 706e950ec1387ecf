#pragma once

#include "base/ids.hpp"
#include "base/json.hpp"
#include "base/time.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fp::api {

/// One request that a webhook got, and what became of it. Holds no credentials: see Hooks.
struct HookRecord {
  std::uint64_t number = 0;  // given by the log, growing
  TimePoint at{};
  std::string method;
  std::string path;
  unsigned status = 0;
  std::string outcome;    // triggered, deduplicated, or the code of the refusal
  std::string signature;  // ok, none (not asked for) or refused
  std::size_t body_bytes = 0;
  Value request;  // {method, path, params, query, headers, body}; the body is left out when it is large
  bool is_whole = false;  // it can be replayed
  std::optional<ExecutionId> execution;
};

/// The last requests of each webhook, in memory. Thread-safe, bounded.
class HookLog {
 public:
  static constexpr std::size_t kMostRequests = 100;  // of one webhook
  static constexpr std::size_t kMostHooks = 1'000;   // with requests; the one longest silent goes first
  static constexpr std::size_t kMostBodyBytes = 16u << 10;  // of a body that is kept

  void add(const WorkflowId& workflow, const std::string& trigger, HookRecord record);
  /// Newest first.
  std::vector<HookRecord> list(const WorkflowId& workflow, std::string_view trigger) const;
  std::optional<HookRecord> find(const WorkflowId& workflow, std::string_view trigger,
                                 std::uint64_t number) const;
  /// Requests since the start that were triggered, deduplicated or refused.
  std::uint64_t count(const std::string& outcome) const;

 private:
  using Key = std::pair<WorkflowId, std::string>;
  void make_room();

  mutable std::mutex mutex_;
  std::map<Key, std::deque<HookRecord>> records_;  // guarded by mutex_; newest last
  std::map<std::string, std::uint64_t> totals_;    // guarded by mutex_
  std::uint64_t next_ = 1;                         // guarded by mutex_
};

}  // namespace fp::api
