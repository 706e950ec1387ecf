#pragma once

#include "net/message.hpp"

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

namespace fp::net {

class Lane;

/// The way from any thread to the connections of one lane. Outlives the lane: what arrives after it is
/// dropped. Thread-safe; what is posted while the lane has not looked yet costs it one wake-up together.
class Mailbox {
 public:
  struct Answer {
    std::uint64_t connection = 0;
    std::uint64_t request = 0;
    Response response;
  };
  struct Mail {
    std::vector<Answer> answers;
    std::vector<std::uint64_t> wakes;  // connections that have something to look at
  };

  explicit Mailbox(Lane& lane) : lane_(&lane) {}
  void post(Answer answer);
  void post_wake(std::uint64_t connection);
  /// Is this the lane's own thread? Then `lane()` may be used.
  bool is_at_home() const;
  Lane& lane() const { return *lane_; }

  // For the lane:
  void enter_thread() const;
  Mail take();
  void close();

 private:
  void wake_locked();

  Lane* const lane_;
  std::mutex mutex_;
  Mail mail_;               // guarded by mutex_
  bool is_woken_ = false;   // guarded by mutex_
  bool is_closed_ = false;  // guarded by mutex_
};

}  // namespace fp::net
