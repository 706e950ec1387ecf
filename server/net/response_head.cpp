#include "net/response_head.hpp"

#include "net/text.hpp"

#include <boost/beast/http/status.hpp>
#include <fmt/format.h>

#include <charconv>
#include <ctime>

namespace fp::net {

namespace {

/// What a reply says unless it says something else.
constexpr std::pair<std::string_view, std::string_view> kUnlessSaid[] = {
    {"Referrer-Policy", "no-referrer"},
    {"Cache-Control", "no-store"},
    {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"}};

void append_number(std::string& out, std::size_t number) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, end);
}

void append_status_line(std::string& out, unsigned status) {
  if (status == 200) {
    out += "HTTP/1.1 200 OK\r\n";
    return;
  }
  const auto reason = boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(status));
  out += "HTTP/1.1 ";
  append_number(out, status);
  out += ' ';
  out.append(reason.data(), reason.size());
  out += "\r\n";
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  const auto start = out.size();
  out += value;
  for (auto i = start; i < out.size(); ++i) {
    if (static_cast<unsigned char>(out[i]) < 0x20 || out[i] == 0x7F) out[i] = ' ';
  }
  out += "\r\n";
}

}  // namespace

void append_head(std::string& out, const Response& response, const HeadFacts& facts) {
  append_status_line(out, response.status);
  out += "Server: flowpilot\r\nDate: ";
  out += facts.date;
  out += "\r\n";
  append_field(out, "X-Request-Id", facts.request_id);
  out +=
      "X-Content-Type-Options: nosniff\r\n"
      "Cross-Origin-Opener-Policy: same-origin\r\n"
      "Accept-Ranges: none\r\n";
  for (const auto& [name, value] : response.headers) append_field(out, name, value);
  for (const auto& [name, value] : kUnlessSaid) {
    if (find_field(response.headers, name) == nullptr) append_field(out, name, value);
  }
  if (facts.varies_by_encoding) out += "Vary: Accept-Encoding\r\n";
  if (!response.encoding.empty()) append_field(out, "Content-Encoding", response.encoding);
  if (may_have_body(response.status)) {
    if (!response.content_type.empty()) append_field(out, "Content-Type", response.content_type);
    out += "Content-Length: ";
    append_number(out, facts.body_bytes);
    out += "\r\n";
  }
  out += facts.closes ? "Connection: close\r\n\r\n" : "\r\n";
}

std::string http_date(std::int64_t unix_seconds) {
  constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t time = unix_seconds;
  std::tm parts{};
  gmtime_r(&time, &parts);
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", kDays[parts.tm_wday], parts.tm_mday,
                     kMonths[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

}  // namespace fp::net
