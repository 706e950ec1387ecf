#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fp::net {

using Fields = std::vector<std::pair<std::string, std::string>>;

/// The value of a header, compared without case; nullptr when it is missing. Of several the first.
const std::string* find_field(const Fields& fields, std::string_view name);

/// One whole HTTP request. Header names are as they came; `path` is percent-decoded and starts with `/`; a
/// path with an encoded `/` or NUL, or with bytes that are not UTF-8, never gets here (400).
struct Request {
  std::string method;  // "GET", upper case
  std::string target;  // as it came, for logs; at most Limits::uri_bytes
  std::string path;
  Fields query;  // decoded, in order; keys may repeat
  Fields headers;
  std::string body;
  std::string peer;  // address of the other side, without port
  bool from_loopback = false;
  std::string id;  // of this request: X-Request-Id when it is sane, else made here
  std::shared_ptr<const std::atomic<bool>> is_gone;  // becomes true when the other side hangs up: nobody will
                                                     // read the answer. Never null in a request from the net
};

struct Response {
  unsigned status = 200;
  std::string content_type = "application/json";
  Fields headers;  // besides Content-Type, Content-Length, Date, X-Request-Id and what security asks of every
                   // reply
  std::string body;
  std::shared_ptr<const std::string> shared_body;  // sent instead of `body` when set: files, cached documents
  std::string_view static_body;  // sent instead of both when it points anywhere: lives as long as the process
                                 // (files in the program); sent as it is, never compressed on the way
  std::string encoding;  // of shared_body or static_body: "gzip", "br" or ""; `body` is compressed on the way

  /// What is sent.
  std::string_view content() const {
    if (static_body.data() != nullptr) return static_body;
    return shared_body ? std::string_view(*shared_body) : std::string_view(body);
  }
};

}  // namespace fp::net
