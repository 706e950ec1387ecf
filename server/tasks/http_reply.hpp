#pragma once

#include "base/json.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace fp::tasks {

/// A reply as it comes in. Plain value.
struct HttpReply {
  long status = 0;
  std::map<std::string, std::string>
      headers;            // lower-case names; repeated ones joined by ", " (set-cookie by line breaks)
  std::string body;       // decompressed
  bool body_cut = false;  // the rest was not read

  /// One raw header line with its line break; a status line starts anew.
  void add_header_line(std::string_view line);
  std::string header(const std::string& lower_name) const;
};

/// The body as the step's output shows it.
struct DecodedBody {
  Json data;
  std::string encoding;  // json, text, base64; "" without a body
};
/// `response` as the config has it. Error: http.not_json, only for "json".
Result<DecodedBody> decode_body(const HttpReply& reply, const std::string& response);

/// Retry-After (RFC 9110 section 10.2.3): seconds or an HTTP date; nothing when it is missing, wrong or past.
std::optional<Milliseconds> read_retry_after(const std::string& value, TimePoint now);

/// The error for a status outside expect_status: http.4xx, http.5xx or http.status, with {status_code,
/// headers, data}.
Error make_status_error(const HttpReply& reply, const std::string& authority, TimePoint now);

}  // namespace fp::tasks
