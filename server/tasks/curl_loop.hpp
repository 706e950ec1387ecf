#pragma once

#include "tasks/address_guard.hpp"

#include <curl/curl.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

namespace fp::tasks {

struct CurlCloser {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
using CurlHandle = std::unique_ptr<CURL, CurlCloser>;

/// One transfer in the hands of CurlLoop. Lives on the loop's thread from submit() on.
class CurlTransfer {
 public:
  enum class Next { done, again };
  virtual ~CurlTransfer() = default;
  virtual CURL* easy() = 0;
  /// False when the attempt was cancelled before its turn came.
  virtual bool is_wanted() const = 0;
  /// curl has ended the transfer; `again` when the handle was set up anew (a redirect).
  virtual Next end(CURLcode code) = 0;
  /// Somebody cancelled it, or the loop stops.
  virtual void abandon() = 0;
};

/// The one thread on which libcurl moves bytes for every task, with one pool of kept-alive connections.
/// submit() and abort() may be called from any thread and return at once. The thread starts with the first
/// transfer; the destructor abandons what is under way and waits for the thread. Names are resolved on
/// threads of curl's own, so that a slow DNS delays nobody else.
class CurlLoop {
 public:
  CurlLoop();
  ~CurlLoop();
  CurlLoop(const CurlLoop&) = delete;
  CurlLoop& operator=(const CurlLoop&) = delete;

  std::uint64_t make_id() { return next_id_.fetch_add(1, std::memory_order_relaxed); }
  void submit(std::uint64_t id, std::unique_ptr<CurlTransfer> transfer);
  /// Abandons the transfer; nothing happens when it has ended.
  void abort(std::uint64_t id);

 private:
  struct Order {
    std::uint64_t id = 0;
    std::unique_ptr<CurlTransfer> transfer;  // empty: abort
  };
  void run();
  bool take_orders();
  void carry_out(Order order);
  void collect();
  void abandon(std::uint64_t id);

  std::atomic<std::uint64_t> next_id_{1};
  CURLM* multi_;
  std::mutex mutex_;
  std::deque<Order> orders_;                                       // guarded by mutex_
  bool stopping_ = false;                                          // guarded by mutex_
  std::thread thread_;                                             // guarded by mutex_ until the destructor
  std::map<std::uint64_t, std::unique_ptr<CurlTransfer>> active_;  // the thread's own
};

/// Where one transfer may connect to: hands curl a socket only when the guard has nothing against the
/// resolved peer.
struct PeerCheck {
  const AddressGuard* guard = nullptr;
  std::string host;  // as the URL writes it
  std::uint16_t port = 0;
  bool through_proxy = false;  // the peer is the proxy that the operator configured, which has its own rules
  std::optional<std::string> refused;  // why, once a peer was refused

  void install(CURL* easy);
};

}  // namespace fp::tasks
