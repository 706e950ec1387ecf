#include "net/client_connection.hpp"

#include "base/error_code.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <fmt/format.h>

#include <netinet/tcp.h>

namespace fp::net {

using boost::asio::ip::tcp;

namespace {

/// A server that vanished without a word is noticed after a minute, however long the wait for news may be.
void set_options(tcp::socket& socket) {
  using boost::asio::detail::socket_option::integer;
  boost::system::error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  socket.set_option(tcp::socket::keep_alive(true), ignored);
  socket.set_option(integer<IPPROTO_TCP, TCP_KEEPIDLE>(30), ignored);
  socket.set_option(integer<IPPROTO_TCP, TCP_KEEPINTVL>(10), ignored);
  socket.set_option(integer<IPPROTO_TCP, TCP_KEEPCNT>(3), ignored);
}

}  // namespace

std::string authority(const Address& address) {
  return fmt::format("{}:{}", address.host, address.port);
}

Error connect_error(const Address& address, boost::system::error_code error) {
  if (error == boost::asio::error::connection_refused) {
    return Error(codes::net_connect,
                 fmt::format("nobody listens at http://{}; start one with: flowpilot serve --dev",
                             authority(address)));
  }
  if (error == boost::beast::error::timeout) {
    return Error(codes::net_connect,
                 fmt::format("http://{} does not answer; check host, port and firewall", authority(address)));
  }
  return Error(codes::net_connect,
               fmt::format("can not connect to http://{}: {}", authority(address), error.message()));
}

std::optional<Error> connect(boost::asio::io_context& context, boost::beast::tcp_stream& stream,
                             const Address& address) {
  boost::system::error_code error;
  tcp::resolver resolver(context);
  auto host = address.host;
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  const auto found = resolver.resolve(host, std::to_string(address.port), error);
  if (error) return connect_error(address, error);
  error = boost::asio::error::operation_aborted;
  stream.async_connect(found,
                       [&](boost::system::error_code result, const tcp::endpoint&) { error = result; });
  context.restart();
  context.run();
  if (error) return connect_error(address, error);
  set_options(stream.socket());
  return std::nullopt;
}

}  // namespace fp::net
