#pragma once

#include "base/error.hpp"
#include "base/result.hpp"
#include "net/http_client.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/beast/core/tcp_stream.hpp>

#include <optional>
#include <string>

namespace fp::net {

/// "127.0.0.1:8080", as the Host header and messages have it.
std::string authority(const Address& address);

/// Nobody listens there, and what to do about it.
Error connect_error(const Address& address, boost::system::error_code error);

/// Connects `stream`, waiting at most until its expiry. `context` is only run here.
std::optional<Error> connect(boost::asio::io_context& context, boost::beast::tcp_stream& stream,
                             const Address& address);

}  // namespace fp::net
