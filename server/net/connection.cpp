#include "net/connection.hpp"

#include "net/lane.hpp"

#include <boost/asio/error.hpp>

namespace fp::net {

Connection::Connection(Lane& lane, Socket socket)
    : lane_(lane), socket_(std::move(socket)), id_(lane.make_connection_id()) {}

void Connection::answer(std::uint64_t, Response) {}

void Connection::flush() {
  if (is_blocked_ || is_finished_) return;
  while (!out_.empty()) {
    boost::system::error_code error;
    const auto written = socket_.write_some(out_.buffers(), error);
    if (error == boost::asio::error::would_block) return wait_writable();
    if (error) return finish();
    out_.consume(written);
  }
}

void Connection::wait_writable() {
  is_blocked_ = true;
  write_deadline_ = lane_.now() + lane_.server().limits.write_time;
  socket_.async_wait(Socket::wait_write, [self = shared_from_this()](boost::system::error_code error) {
    self->is_blocked_ = false;
    if (self->is_finished_) return;
    if (error) return self->finish();
    self->flush();
    if (!self->is_blocked_ && !self->is_finished_) self->on_writable();
  });
}

void Connection::finish() {
  if (is_finished_) return;
  is_finished_ = true;
  const auto self = shared_from_this();  // the lane's may be the last other one
  boost::system::error_code ignored;
  socket_.close(ignored);
  on_finish();
  lane_.remove(*this);
}

Socket Connection::release_socket() {
  is_finished_ = true;
  return std::move(socket_);
}

}  // namespace fp::net
