#pragma once

#include "base/result.hpp"
#include "net/message.hpp"

#include <string>
#include <string_view>

namespace fp::net {

/// A request target taken apart.
struct RequestTarget {
  std::string authority;  // of "http://authority/path"; empty for "/path"
  std::string path;       // decoded
  Fields query;           // decoded, + as blank
};

/// "/path?query" or "http://authority/path?query" (RFC 9112 section 3.2). Error: request.malformed for other
/// forms, bad escapes, an encoded slash or NUL, bytes that are not UTF-8 and `..` segments, which others read
/// differently.
Result<RequestTarget> parse_request_target(std::string_view target);

}  // namespace fp::net
