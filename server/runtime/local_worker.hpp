#pragma once

#include "ports/worker_transport.hpp"

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

namespace fp::runtime {

struct LocalWorkerOptions {
  std::size_t threads = 8;              // for handlers that block
  std::size_t most_waiting = 1024;      // blocking attempts queued for a thread
  std::size_t most_asynchronous = 256;  // under way at once
  Milliseconds heartbeat{3'000};
  Milliseconds log_pause{200};  // how long lines of an attempt that goes on are gathered
};

/// Carries attempts out in this process with the built-in handlers: instant ones where they are dispatched,
/// blocking ones on a bounded pool, asynchronous ones by themselves. Thread-safe. stop() cancels what runs
/// and waits for it.
class LocalWorker final : public ports::WorkerTransport {
 public:
  LocalWorker(std::vector<std::unique_ptr<ports::TaskHandler>> handlers, const Clock& clock,
              LocalWorkerOptions options = {});
  ~LocalWorker() override;

  ports::Dispatched dispatch(ports::LeaseId lease, ports::AttemptRequest request, Sink& sink) override;
  void cancel(ports::LeaseId lease, Sink& sink) override;
  /// Null when this process has no such type.
  ports::TaskHandler* find_handler(const std::string& type) const;
  /// Idempotent. No report comes after it returns.
  void stop();

 private:
  struct Key {
    Sink* sink = nullptr;
    ports::LeaseId lease = 0;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const noexcept {
      return std::hash<void*>{}(key.sink) ^ (key.lease * 0x9E3779B97F4A7C15ULL);
    }
  };
  struct Job {
    Key key;
    ports::TaskHandler* handler = nullptr;
    ports::AttemptRequest request;
    std::shared_ptr<ports::AttemptControl> control;
  };

  void begin(Job job);
  void finish(Key key, const std::shared_ptr<ports::AttemptControl>& control, bool asynchronous,
              TimePoint started_at, ports::TaskHandler::Output outcome);
  void work();
  void beat();

  std::unordered_map<std::string, std::unique_ptr<ports::TaskHandler>> handlers_;
  const Clock& clock_;
  LocalWorkerOptions options_;
  std::mutex mutex_;
  std::condition_variable job_ready_;
  std::condition_variable stopped_;  // ends the heartbeat; its own, or it would swallow a worker's wake-up
  std::condition_variable idle_;
  std::deque<Job> jobs_;  // guarded by mutex_
  std::unordered_map<Key, std::shared_ptr<ports::AttemptControl>, KeyHash>
      running_;                   // guarded by mutex_; not the instant ones
  std::size_t asynchronous_ = 0;  // guarded by mutex_
  bool stopping_ = false;         // guarded by mutex_
  std::vector<std::thread> threads_;
};

}  // namespace fp::runtime
