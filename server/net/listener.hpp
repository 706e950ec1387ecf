#pragma once

#include "base/result.hpp"
#include "net/lane.hpp"

#include <boost/asio/basic_socket_acceptor.hpp>

#include <atomic>
#include <memory>
#include <vector>

namespace fp::net {

/// Accepts connections and deals them out to the lanes. Lives on the first lane's thread. Takes no more than
/// Limits::connections at once (others wait in the kernel's queue), and waits a moment when the process has
/// no file descriptor left.
class Listener {
 public:
  Listener(ServerCore& server, std::vector<std::unique_ptr<Lane>>& lanes);
  /// Before the lanes start. Errors: net.port_taken, net.address.
  Result<void> open(const std::string& host, std::uint16_t port);
  std::uint16_t port() const { return port_; }
  void start();
  /// From any thread: a connection has ended.
  void post_resume();
  /// From any thread; idempotent.
  void post_stop();

 private:
  using Acceptor =
      boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;

  void accept();
  void on_accept(Lane& lane, boost::system::error_code error, Socket socket);
  void accept_later();
  static void serve(Lane& lane, Socket socket);

  ServerCore& server_;
  std::vector<std::unique_ptr<Lane>>& lanes_;
  Acceptor acceptor_;
  boost::asio::steady_timer pause_;
  std::uint16_t port_ = 0;
  std::size_t next_lane_ = 0;
  std::atomic<bool> is_full_{false};
};

}  // namespace fp::net
