#include "tasks/curl_loop.hpp"

#include "base/assert.hpp"

#include <pthread.h>
#include <sys/socket.h>
#include <vector>

namespace fp::tasks {

namespace {

constexpr int kPollMilliseconds = 200;  // how often slow transfers are looked at

CURLM* make_multi() {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  FP_ASSERT(ready == CURLE_OK, "libcurl starts");
  CURLM* multi = curl_multi_init();
  FP_ASSERT(multi != nullptr, "libcurl has memory for a handle");
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, 128L);
  return multi;
}

void tag(CURL* easy, std::uint64_t id) {
  curl_easy_setopt(easy, CURLOPT_PRIVATE, reinterpret_cast<void*>(id));
}
std::uint64_t tag_of(CURL* easy) {
  char* tagged = nullptr;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, &tagged);
  return reinterpret_cast<std::uint64_t>(tagged);
}

curl_socket_t open_socket(void* data, curlsocktype, curl_sockaddr* address) {
  auto& check = *static_cast<PeerCheck*>(data);
  const auto ip = ip_from_sockaddr(address->addr);
  if (!ip) {
    check.refused = check.host + " leads to no IP address";
    return CURL_SOCKET_BAD;
  }
  if (!check.through_proxy) {
    if (auto why = check.guard->refuse(check.host, *ip, check.port)) {
      check.refused = std::move(why);
      return CURL_SOCKET_BAD;
    }
  }
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

}  // namespace

CurlLoop::CurlLoop() : multi_(make_multi()) {}

CurlLoop::~CurlLoop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  curl_multi_wakeup(multi_);
  if (thread_.joinable()) thread_.join();
  curl_multi_cleanup(multi_);
}

void CurlLoop::submit(std::uint64_t id, std::unique_ptr<CurlTransfer> transfer) {
  const std::lock_guard lock(mutex_);
  orders_.push_back({id, std::move(transfer)});
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  curl_multi_wakeup(multi_);
}

void CurlLoop::abort(std::uint64_t id) {
  const std::lock_guard lock(mutex_);
  orders_.push_back({id, nullptr});
  curl_multi_wakeup(multi_);
}

void CurlLoop::run() {
  pthread_setname_np(pthread_self(), "curl");
  while (take_orders()) {
    int running = 0;
    curl_multi_perform(multi_, &running);
    collect();
    curl_multi_poll(multi_, nullptr, 0, active_.empty() ? 60'000 : kPollMilliseconds, nullptr);
  }
  while (!active_.empty()) abandon(active_.begin()->first);
}

/// False when the loop stops.
bool CurlLoop::take_orders() {
  std::deque<Order> orders;
  bool stopping = false;
  {
    const std::lock_guard lock(mutex_);
    orders.swap(orders_);
    stopping = stopping_;
  }
  for (auto& order : orders) carry_out(std::move(order));
  return !stopping;
}

void CurlLoop::carry_out(Order order) {
  if (!order.transfer) return abandon(order.id);
  if (!order.transfer->is_wanted()) return order.transfer->abandon();
  tag(order.transfer->easy(), order.id);
  curl_multi_add_handle(multi_, order.transfer->easy());
  active_.emplace(order.id, std::move(order.transfer));
}

void CurlLoop::collect() {
  int left = 0;
  while (const auto* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* easy = message->easy_handle;
    const auto code = message->data.result;
    const auto id = tag_of(easy);
    curl_multi_remove_handle(multi_, easy);
    const auto found = active_.find(id);
    FP_ASSERT(found != active_.end(), "curl ends only what was added");
    if (found->second->end(code) == CurlTransfer::Next::done) {
      active_.erase(found);
      continue;
    }
    tag(easy, id);
    curl_multi_add_handle(multi_, easy);
  }
}

void CurlLoop::abandon(std::uint64_t id) {
  const auto found = active_.find(id);
  if (found == active_.end()) return;
  curl_multi_remove_handle(multi_, found->second->easy());
  found->second->abandon();
  active_.erase(found);
}

void PeerCheck::install(CURL* easy) {
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, this);
}

}  // namespace fp::tasks
