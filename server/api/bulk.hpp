#pragma once

#include "api/services.hpp"

#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace fp::api {

/// One action on many executions: counted first, then delivered at most 200 at a time. Each of them is
/// durable by itself; the job is not, so after a restart its id is unknown and ordering it again goes on with
/// what is left. Thread-safe.
class BulkJob : public std::enable_shared_from_this<BulkJob> {
 public:
  enum class Action { cancel, retry };
  BulkJob(Services& services, ExecutionId id, Action action) : s_(services), id_(id), action_(action) {}

  void start(std::vector<ExecutionId> executions, bool count_is_exact);
  Json to_resource() const;

 private:
  void pump();
  void finish_one(const ExecutionId& execution, const Result<void>& taken);

  static constexpr std::size_t kMostInFlight = 200;
  static constexpr std::size_t kMostFailures = 50;
  Services& s_;
  const ExecutionId id_;
  const Action action_;
  mutable std::mutex mutex_;
  std::vector<ExecutionId> executions_;  // guarded by mutex_, as all below
  bool count_is_exact_ = true;
  std::size_t next_ = 0;
  std::size_t done_ = 0;
  std::size_t succeeded_ = 0;
  std::size_t refused_ = 0;
  JsonArray failures_;
};

/// The newest 100 jobs of this process. Thread-safe.
class BulkJobs {
 public:
  std::shared_ptr<BulkJob> find(const ExecutionId& id) const;
  void add(const ExecutionId& id, std::shared_ptr<BulkJob> job);

 private:
  mutable std::mutex mutex_;
  std::map<ExecutionId, std::shared_ptr<BulkJob>> jobs_;  // guarded by mutex_; ids sort by age
};

void install_bulk(Router& router, Services& services);

}  // namespace fp::api
