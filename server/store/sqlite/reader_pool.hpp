#pragma once

#include "store/sqlite/connection.hpp"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace fp::store {

/// A few connections that only read; a caller waits for one when all are in use. Thread-safe.
class ReaderPool {
 public:
  explicit ReaderPool(std::vector<std::unique_ptr<Connection>> idle) : idle_(std::move(idle)) {}

  template <class F>
  decltype(auto) with(F&& read) {
    const Lease lease(*this);
    return std::forward<F>(read)(*lease.connection);
  }

 private:
  struct Lease {
    explicit Lease(ReaderPool& owner) : pool(owner), connection(owner.take()) {}
    ~Lease() {
      connection->abandon();
      pool.give_back(std::move(connection));
    }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ReaderPool& pool;
    std::unique_ptr<Connection> connection;
  };

  std::unique_ptr<Connection> take() {
    std::unique_lock lock(mutex_);
    free_.wait(lock, [&] { return !idle_.empty(); });
    auto connection = std::move(idle_.back());
    idle_.pop_back();
    return connection;
  }
  void give_back(std::unique_ptr<Connection> connection) {
    {
      const std::lock_guard lock(mutex_);
      idle_.push_back(std::move(connection));
    }
    free_.notify_one();
  }

  std::mutex mutex_;
  std::condition_variable free_;
  std::vector<std::unique_ptr<Connection>> idle_;
};

}  // namespace fp::store
