#pragma once

#include "base/ip_address.hpp"
#include "net/message.hpp"

#include <optional>
#include <vector>

namespace fp::api {

/// Who sent the request: the other side of the connection or, when that is one of the `proxies`, the last
/// address of X-Forwarded-For that is none of them. Nothing when that header is not what proxies write.
/// v4-mapped addresses are IPv4.
std::optional<IpAddress> find_client_address(const net::Request& request,
                                             const std::vector<IpNetwork>& proxies);

}  // namespace fp::api
