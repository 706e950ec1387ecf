#include "net/websocket_handshake.hpp"

#include "base/error_code.hpp"

#include <boost/beast/websocket/detail/hybi13.hpp>

#include <algorithm>

namespace fp::net {

namespace {

/// 16 bytes in base64
bool is_key(std::string_view key) {
  const auto is_base64 = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
  };
  return key.size() == 24 && key.ends_with("==") && std::ranges::all_of(key.substr(0, 22), is_base64);
}

}  // namespace

std::optional<Refusal> check_websocket_handshake(const Request& request) {
  if (request.method != "GET") {
    return Refusal{405, codes::request_method.id, "A WebSocket is opened with GET.", {{"Allow", "GET"}}};
  }
  const auto* version = find_field(request.headers, "Sec-WebSocket-Version");
  if (version == nullptr || *version != "13") {
    return Refusal{426,
                   codes::request_upgrade.id,
                   "Only version 13 of the WebSocket protocol is spoken.",
                   {{"Sec-WebSocket-Version", "13"}, {"Upgrade", "websocket"}}};
  }
  const auto* key = find_field(request.headers, "Sec-WebSocket-Key");
  if (key == nullptr || !is_key(*key)) {
    return Refusal{
        400, codes::request_upgrade.id, "Sec-WebSocket-Key is missing or not 16 bytes in base64.", {}};
  }
  return std::nullopt;
}

std::string websocket_accept_head(const Request& request) {
  namespace detail = boost::beast::websocket::detail;
  detail::sec_ws_accept_type accept;
  detail::make_sec_ws_accept(accept, *find_field(request.headers, "Sec-WebSocket-Key"));
  std::string head =
      "HTTP/1.1 101 Switching Protocols\r\nServer: flowpilot\r\nUpgrade: websocket\r\nConnection: "
      "Upgrade\r\nX-Request-Id: ";
  head += request.id;
  head += "\r\nSec-WebSocket-Accept: ";
  head.append(accept.data(), accept.size());
  head += "\r\n\r\n";
  return head;
}

}  // namespace fp::net
