#pragma once

#include "base/json.hpp"
#include "base/result.hpp"

#include <curl/curl.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fp::tasks {

/// A URL taken apart the way curl will read it, so that no check sees another host than the transfer.
struct Url {
  std::string scheme;
  std::string host;  // brackets around IPv6 stay
  std::uint16_t port = 0;
  std::string path;
  std::string query;
  std::string user;      // decoded
  std::string password;  // decoded
  std::string text;      // the whole, without user, password and fragment

  /// "host:port": all that errors and logs may say of a URL, as paths and queries hold secrets too.
  std::string authority() const;
  bool same_origin(const Url& other) const {
    return scheme == other.scheme && host == other.host && port == other.port;
  }
};

/// Nothing when curl can not read it. `base`, when given, resolves a relative one (RFC 3986 section 5).
std::optional<Url> parse_url(std::string_view text, const std::string* base = nullptr);

/// name=value pairs of an object, a list value giving one pair for each item; null values are left out.
std::vector<std::pair<std::string, std::string>> list_pairs(const Json& object);
/// application/x-www-form-urlencoded, with %20 for blanks.
std::string encode_pairs(const std::vector<std::pair<std::string, std::string>>& pairs);

}  // namespace fp::tasks
