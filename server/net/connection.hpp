#pragma once

#include "base/time.hpp"
#include "net/message.hpp"
#include "net/out_queue.hpp"

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <memory>

namespace fp::net {

class Lane;

using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;

/// One connection of a lane, whatever it speaks: its socket, what is to be written, and its deadlines.
/// Everything here happens on the lane's thread. The lane owns it until finish().
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Lane& lane, Socket socket);
  virtual ~Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  std::uint64_t id() const { return id_; }
  virtual void start() = 0;
  /// The answer to one of its requests, to be written at the next wake(). Unknown numbers are ignored.
  virtual void answer(std::uint64_t request, Response response);
  /// There is something new to do.
  virtual void wake() = 0;
  /// Does what is due at `now`.
  virtual void check_time(SteadyPoint now) = 0;
  /// No new work; ends by itself when what is under way is done.
  virtual void begin_stop() = 0;
  /// Ends it now. Idempotent.
  void finish();

 protected:
  /// Writes what the kernel takes now; the rest follows when it takes more, then on_writable().
  void flush();
  bool is_blocked() const { return is_blocked_; }
  bool is_finished() const { return is_finished_; }
  bool is_write_late(SteadyPoint now) const { return is_blocked_ && now >= write_deadline_; }
  virtual void on_writable() = 0;
  /// Last, once, before the lane lets go of it.
  virtual void on_finish() {}
  /// Without finish(): the socket goes on under another connection.
  Socket release_socket();

  Lane& lane_;
  Socket socket_;
  OutQueue out_;

 private:
  void wait_writable();

  const std::uint64_t id_;
  SteadyPoint write_deadline_;
  bool is_blocked_ = false;
  bool is_finished_ = false;
};

}  // namespace fp::net
