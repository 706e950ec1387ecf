#pragma once

#include "net/message.hpp"
#include "net/request_parser.hpp"

#include <optional>
#include <string>

namespace fp::net {

/// What is wrong with an upgrade request as RFC 6455 section 4.2.1 sees it. Who may open what is the
/// Handler's matter.
std::optional<Refusal> check_websocket_handshake(const Request& request);
/// The head of the reply that accepts it.
std::string websocket_accept_head(const Request& request);

}  // namespace fp::net
