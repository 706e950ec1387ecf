#include "net/mailbox.hpp"

#include "net/lane.hpp"

#include <boost/asio/post.hpp>

#include <utility>

namespace fp::net {

namespace {

thread_local const Mailbox* home = nullptr;

}  // namespace

void Mailbox::post(Answer answer) {
  const std::lock_guard lock(mutex_);
  if (is_closed_) return;
  mail_.answers.push_back(std::move(answer));
  wake_locked();
}

void Mailbox::post_wake(std::uint64_t connection) {
  const std::lock_guard lock(mutex_);
  if (is_closed_) return;
  mail_.wakes.push_back(connection);
  wake_locked();
}

// Posted under the lock: close() must not overtake it, as the lane's context ends behind close().
void Mailbox::wake_locked() {
  if (std::exchange(is_woken_, true)) return;
  boost::asio::post(lane_->context(), [lane = lane_] { lane->read_mail(); });
}

bool Mailbox::is_at_home() const {
  return home == this;
}

void Mailbox::enter_thread() const {
  home = this;
}

Mailbox::Mail Mailbox::take() {
  const std::lock_guard lock(mutex_);
  is_woken_ = false;
  return std::exchange(mail_, {});
}

void Mailbox::close() {
  const std::lock_guard lock(mutex_);
  is_closed_ = true;
  mail_ = {};
}

}  // namespace fp::net
