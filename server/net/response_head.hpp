#pragma once

#include "net/message.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace fp::net {

/// What the head of a reply says besides the Response itself.
struct HeadFacts {
  std::string_view request_id;
  std::string_view date;  // IMF-fixdate
  std::size_t body_bytes = 0;
  bool closes = false;
  bool varies_by_encoding = false;
};

/// Does a reply of this status carry a body? (RFC 9110 section 6.4.1)
constexpr bool may_have_body(unsigned status) {
  return status >= 200 && status != 204 && status != 304;
}

/// The head with its blank line. Values of headers can not break out of their line, whatever they hold.
void append_head(std::string& out, const Response& response, const HeadFacts& facts);

/// "Mon, 01 Jun 2026 10:00:00 GMT" (RFC 9110 section 5.6.7)
std::string http_date(std::int64_t unix_seconds);

}  // namespace fp::net
