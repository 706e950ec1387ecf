#pragma once

#include "ports/task_handler.hpp"
#include "tasks/url.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fp::tasks {

struct HttpPart {
  std::string name;
  std::string content;
  std::string file_name;
  std::string content_type;
};

/// What an http_request step asks for, read and checked: nothing in it can change the shape of the request on
/// the wire.
struct HttpCall {
  std::string method;
  Url url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::optional<std::string> body;
  std::vector<HttpPart> parts;                            // multipart/form-data, instead of body
  std::vector<std::pair<int, int>> expected{{200, 299}};  // statuses, from and to
  bool follow_redirects = false;
  std::string response = "auto";  // auto, json, text, base64
  std::size_t max_bytes = 10u << 20;

  bool expects(long status) const;
  bool has_header(std::string_view lower_name) const;
};

/// Errors: credential.unavailable, http.url, http.blocked_scheme, http.header, config.invalid.
Result<HttpCall> read_http_call(const ports::AttemptRequest& request);
/// http.blocked_scheme or http.url when `url` is nothing to speak HTTP with.
Result<void> check_http_url(const std::optional<Url>& url);

extern const char* const kHttpConfigSchema;
extern const char* const kHttpOutputSchema;

}  // namespace fp::tasks
