#include "net/listener.hpp"

#include "base/error_code.hpp"
#include "net/http_session.hpp"
#include "net/port_owner.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <fmt/format.h>

namespace fp::net {

namespace {

using boost::asio::ip::tcp;
constexpr Milliseconds kPause{50};  // until a file descriptor may have become free

std::string display(const std::string& host, std::uint16_t port) {
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port)
                                             : fmt::format("[{}]:{}", host, port);
}

Error listen_error(const std::string& host, std::uint16_t port, boost::system::error_code error) {
  const auto where = display(host, port);
  if (error != boost::asio::error::address_in_use) {
    return Error(codes::net_address, fmt::format("can not listen at {}: {}", where, error.message()));
  }
  const auto owner = find_port_owner(port);
  if (!owner) return Error(codes::net_port_taken, fmt::format("{} is in use by another process", where));
  return Error(codes::net_port_taken,
               fmt::format("{} is in use by {} (process {})", where, owner->name, owner->pid));
}

bool is_lack_of_resources(boost::system::error_code error) {
  return error == boost::system::errc::too_many_files_open ||
         error == boost::system::errc::too_many_files_open_in_system ||
         error == boost::system::errc::no_buffer_space || error == boost::system::errc::not_enough_memory;
}

}  // namespace

Listener::Listener(ServerCore& server, std::vector<std::unique_ptr<Lane>>& lanes)
    : server_(server), lanes_(lanes), acceptor_(lanes.front()->context()), pause_(lanes.front()->context()) {}

Result<void> Listener::open(const std::string& host, std::uint16_t port) {
  boost::system::error_code error;
  tcp::resolver resolver(lanes_.front()->context());
  const auto bare = host.starts_with('[') && host.ends_with(']') ? host.substr(1, host.size() - 2) : host;
  const auto found = resolver.resolve(bare, std::to_string(port), tcp::resolver::passive, error);
  if (error || found.empty()) {
    return Error(codes::net_address,
                 fmt::format("{} is no address of this machine: {}", host, error.message()));
  }
  const auto endpoint = found.begin()->endpoint();
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(4096, error);
  if (error) return listen_error(host, port, error);
  port_ = acceptor_.local_endpoint(error).port();
  return {};
}

void Listener::start() {
  boost::asio::post(lanes_.front()->context(), [this] { accept(); });
}

void Listener::post_resume() {
  if (!is_full_.exchange(false)) return;
  boost::asio::post(lanes_.front()->context(), [this] { accept(); });
}

void Listener::post_stop() {
  boost::asio::post(lanes_.front()->context(), [this] {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    pause_.cancel();
  });
}

void Listener::accept() {
  if (!acceptor_.is_open()) return;
  if (server_.connections >= server_.limits.connections) {
    is_full_ = true;
    // A connection may have ended before the flag was up.
    if (server_.connections >= server_.limits.connections || !is_full_.exchange(false)) return;
  }
  Lane& lane = *lanes_[next_lane_++ % lanes_.size()];
  acceptor_.async_accept(lane.context(), [this, &lane](boost::system::error_code error, Socket socket) {
    on_accept(lane, error, std::move(socket));
  });
}

void Listener::on_accept(Lane& lane, boost::system::error_code error, Socket socket) {
  if (!acceptor_.is_open()) return;
  if (error && is_lack_of_resources(error)) return accept_later();
  if (!error) {
    server_.count_connection();
    if (&lane == lanes_.front().get()) {
      serve(lane, std::move(socket));
    } else {
      boost::asio::post(lane.context(),
                        [&lane, socket = std::move(socket)]() mutable { serve(lane, std::move(socket)); });
    }
  }
  accept();
}

void Listener::accept_later() {
  pause_.expires_after(kPause);
  pause_.async_wait([this](boost::system::error_code error) {
    if (!error) accept();
  });
}

void Listener::serve(Lane& lane, Socket socket) {
  boost::system::error_code error;
  socket.non_blocking(true, error);
  if (!error) socket.set_option(tcp::no_delay(true), error);
  const auto peer = error ? tcp::endpoint() : socket.remote_endpoint(error);
  if (error) return lane.server().drop_connection();
  lane.adopt(std::make_shared<HttpSession>(lane, std::move(socket), peer.address()));
}

}  // namespace fp::net
