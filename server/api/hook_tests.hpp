#pragma once

#include "base/ids.hpp"
#include "base/time.hpp"

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace fp::api {

/// Which webhooks of drafts listen at their test URLs, for how long, and whether they start the draft. In
/// memory: a restart ends it. Thread-safe, bounded.
class HookTests {
 public:
  struct Armed {
    TimePoint until{};
    bool runs = false;
  };
  static constexpr std::size_t kMostArmed = 1'000;

  /// One whose time is over by `now` ends it. Of too many the one that would end first goes.
  void arm(const WorkflowId& workflow, const std::string& trigger, Armed armed, TimePoint now);
  std::optional<Armed> find(const WorkflowId& workflow, const std::string& trigger, TimePoint now) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::pair<WorkflowId, std::string>, Armed> armed_;  // guarded by mutex_
};

}  // namespace fp::api
