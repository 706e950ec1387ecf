#include "tasks/http_reply.hpp"

#include "base/error_code.hpp"
#include "base/json_parse.hpp"
#include "tasks/text_codec.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace fp::tasks {

namespace {

constexpr std::size_t kExcerpt = 2048;

std::string_view trim(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

bool is_json_type(std::string_view content_type) {
  const auto type = trim(content_type.substr(0, content_type.find(';')));
  return type == "application/json" || type == "text/json" || type.ends_with("+json");
}

std::string as_text(const HttpReply& reply) {
  const auto type = to_lower(reply.header("content-type"));
  const bool latin1 =
      type.find("iso-8859-1") != std::string::npos || type.find("windows-1252") != std::string::npos;
  return latin1 && !is_utf8(reply.body) ? latin1_to_utf8(reply.body) : reply.body;
}

const ErrorCode& status_code(long status) {
  if (status >= 400 && status < 500) return codes::http_4xx;
  return status >= 500 ? codes::http_5xx : codes::http_status;
}

}  // namespace

void HttpReply::add_header_line(std::string_view line) {
  if (line.starts_with("HTTP/")) {
    headers.clear();
    return;
  }
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return;
  const auto name = to_lower(trim(line.substr(0, colon)));
  const auto raw = trim(line.substr(colon + 1));
  const auto value = is_utf8(raw) ? std::string(raw) : latin1_to_utf8(raw);
  if (!is_utf8(name)) return;
  const auto [found, is_new] = headers.emplace(name, value);
  if (!is_new) found->second += (name == "set-cookie" ? "\n" : ", ") + value;
}

std::string HttpReply::header(const std::string& lower_name) const {
  const auto found = headers.find(lower_name);
  return found == headers.end() ? std::string() : found->second;
}

Result<DecodedBody> decode_body(const HttpReply& reply, const std::string& response) {
  const auto& body = reply.body;
  if (response == "base64") return DecodedBody{Json(to_base64(body)), "base64"};
  if (body.empty() && response != "text") return DecodedBody{nullptr, ""};
  if (response == "json" || (response == "auto" && is_json_type(to_lower(reply.header("content-type"))))) {
    auto parsed = parse_json(body, {.max_bytes = body.size(), .max_depth = 128});
    if (parsed) return DecodedBody{std::move(*parsed), "json"};
    if (response == "json")
      return Error(codes::http_not_json, fmt::format("the reply does not parse: {}", parsed.error().message));
  }
  const auto text = as_text(reply);
  if (is_utf8(text)) return DecodedBody{Json(text), "text"};
  return DecodedBody{Json(to_base64(body)), "base64"};
}

std::optional<Milliseconds> read_retry_after(const std::string& value, TimePoint now) {
  if (value.empty()) return std::nullopt;
  std::int64_t seconds = 0;
  const auto [end, ec] = std::from_chars(value.data(), value.data() + value.size(), seconds);
  if (ec == std::errc() && end == value.data() + value.size()) {
    if (seconds < 0) return std::nullopt;
    return Milliseconds(std::min<std::int64_t>(seconds, 366 * 86'400) * 1000);
  }
  const auto date = curl_getdate(value.c_str(), nullptr);
  if (date < 0) return std::nullopt;
  const auto wait = TimePoint(std::chrono::seconds(date)) - now;
  return wait > Milliseconds(0) ? std::optional(std::min<Milliseconds>(wait, std::chrono::hours(24 * 366)))
                                : std::nullopt;
}

Error make_status_error(const HttpReply& reply, const std::string& authority, TimePoint now) {
  Error error(status_code(reply.status), fmt::format("{} answered with status {}", authority, reply.status));
  if (reply.status == 408 || reply.status == 425 || reply.status == 429) error.retryable = true;
  error.retry_after = read_retry_after(reply.header("retry-after"), now);
  JsonObject headers;
  for (const auto& [name, value] : reply.headers) {
    if (name != "set-cookie") headers[name] = value;
  }
  auto decoded = decode_body(reply, "auto");
  if (reply.body.size() > kExcerpt || reply.body_cut || !decoded) {
    const auto text = as_text(reply);
    const auto part = cut_utf8(text, kExcerpt);
    decoded =
        DecodedBody{Json(is_utf8(part) ? std::string(part)
                                       : to_base64(std::string_view(reply.body).substr(0, kExcerpt * 3 / 4))),
                    ""};
  }
  error.details = JsonObject{
      {"status_code", reply.status}, {"headers", std::move(headers)}, {"data", std::move(decoded->data)}};
  return error;
}

}  // namespace fp::tasks
