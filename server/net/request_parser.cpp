#include "net/request_parser.hpp"

#include "base/error_code.hpp"
#include "net/request_target.hpp"
#include "net/text.hpp"

#include <boost/beast/http/verb.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace fp::net {

namespace {

constexpr std::size_t kLongestMethod = 32;
constexpr std::size_t kLongestChunkLine = 256;
constexpr std::size_t kMostTrailerBytes = 8 * 1024;
constexpr const char* kAllowed = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

/// tchar of RFC 9110 section 5.6.2
constexpr auto kTokenCharacters = [] {
  std::array<bool, 256> table{};
  for (const char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<unsigned char>(c)] = true;
  for (int c = '0'; c <= '9'; ++c) table[static_cast<std::size_t>(c)] = true;
  for (int c = 'a'; c <= 'z'; ++c)
    table[static_cast<std::size_t>(c)] = table[static_cast<std::size_t>(c - 32)] = true;
  return table;
}();

bool is_token(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](char c) { return kTokenCharacters[static_cast<unsigned char>(c)]; });
}

bool is_visible(char c) {
  return static_cast<unsigned char>(c) > 0x20 && c != 0x7F;
}

bool is_field_value(std::string_view value) {
  return std::ranges::all_of(value, [](char c) { return is_visible(c) || c == ' ' || c == '\t'; });
}

bool is_quoted(std::string_view text) {
  return text.size() >= 2 && text.front() == '"' && text.back() == '"' && is_field_value(text) &&
         text.substr(1, text.size() - 2).find_first_of("\"\\") == std::string_view::npos;
}

/// `;name=value` any number of times, as behind a chunk's size (RFC 9112 section 7.1.1). Nothing reads them.
bool are_chunk_extensions(std::string_view text) {
  while (!text.empty()) {
    const auto part = text.substr(1, text.find(';', 1) - 1);
    const auto equals = part.find('=');
    const auto value = equals == std::string_view::npos ? "x" : part.substr(equals + 1);
    if (!is_token(part.substr(0, equals)) || (!is_token(value) && !is_quoted(value))) return false;
    text.remove_prefix(part.size() + 1);
  }
  return true;
}

/// A header line that may come after the body: none that says how to read the request (RFC 9110
/// section 6.5.1).
bool is_trailer(std::string_view line) {
  const auto name = line.substr(0, line.find(':'));
  for (const std::string_view framing : {"content-length", "transfer-encoding", "host", "connection"}) {
    if (equals_ignoring_case(name, framing)) return false;
  }
  return name.size() < line.size() && is_token(name) && is_field_value(line);
}

/// Only digits, all of them; nothing on overflow.
std::optional<std::uint64_t> parse_number(std::string_view digits, int base) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

/// Where `bytes` has its first LF that ends a line, at or behind `from`; nothing while there is none.
std::optional<std::size_t> find_line_feed(std::string_view bytes, std::size_t from) {
  const auto at = bytes.find('\n', from);
  if (at == std::string_view::npos) return std::nullopt;
  return at;
}

}  // namespace

std::size_t RequestParser::feed(std::string_view bytes) {
  std::size_t taken = 0;
  while (taken < bytes.size() && state_ != State::kDone && state_ != State::kRefused) {
    const auto rest = bytes.substr(taken);
    const auto step = state_ == State::kBody ? feed_body(rest) : feed_head(rest);
    if (step == 0) break;
    taken += step;
  }
  return taken;
}

std::size_t RequestParser::feed_head(std::string_view bytes) {
  if (state_ == State::kIdle && bytes.starts_with("\r\n") && !skipped_blank_line_) {
    skipped_blank_line_ = true;  // RFC 9112 section 2.2: some clients send one too many
    return 2;
  }
  if (state_ == State::kIdle && bytes == "\r" && !skipped_blank_line_) return 0;
  state_ = State::kHead;
  while (const auto feed = find_line_feed(bytes, scanned_)) {
    if (*feed == 0 || bytes[*feed - 1] != '\r') {
      refuse_malformed("A line of the head ends without CR.");
      return 0;
    }
    scanned_ = *feed + 1;
    if (first_line_ == 0) first_line_ = scanned_;
    const bool is_blank_line = *feed == line_start_ + 1;
    line_start_ = scanned_;
    if (!is_blank_line) continue;
    check_size(bytes.substr(0, scanned_));
    if (state_ == State::kHead) parse_head(bytes.substr(0, scanned_ - 2));
    return scanned_;
  }
  scanned_ = bytes.size();
  check_size(bytes);
  return 0;
}

void RequestParser::check_size(std::string_view bytes) {
  const auto line = first_line_ == 0 ? bytes.size() : first_line_;
  constexpr std::size_t kAroundTarget = kLongestMethod + sizeof(" HTTP/1.1\r\n");
  if (line > limits_.uri_bytes + kAroundTarget) {
    return refuse(414, codes::request_uri_too_long.id,
                  fmt::format("The request target is longer than {} bytes.", limits_.uri_bytes));
  }
  if (bytes.size() - line > limits_.header_bytes + 2) {
    refuse(431, codes::request_header_too_large.id,
           fmt::format("The header is larger than {} bytes.", limits_.header_bytes));
  }
}

void RequestParser::parse_head(std::string_view head) {
  parse_request_line(head.substr(0, first_line_ - 2));
  head.remove_prefix(first_line_);
  while (!head.empty() && state_ != State::kRefused) {
    const auto end = head.find("\r\n");
    parse_field(head.substr(0, end));
    head.remove_prefix(end + 2);
  }
  if (state_ != State::kRefused) finish_head();
}

void RequestParser::parse_request_line(std::string_view line) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || first == last)
    return refuse_malformed("The request line is not METHOD TARGET VERSION.");
  const auto method = line.substr(0, first);
  const auto target = line.substr(first + 1, last - first - 1);
  const auto version = line.substr(last + 1);
  if (!is_token(method)) return refuse_malformed("The method is no token.");
  if (target.empty() || !std::ranges::all_of(target, is_visible)) {
    return refuse_malformed("The request target is empty or holds a blank or a control character.");
  }
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    if (version.size() != 8 || !version.starts_with("HTTP/"))
      return refuse_malformed("The version is not HTTP/1.1.");
    return refuse(505, codes::request_version.id, "Only HTTP/1.1 and HTTP/1.0 are spoken here.");
  }
  is_http_10_ = version == "HTTP/1.0";
  if (target.size() > limits_.uri_bytes) {
    return refuse(414, codes::request_uri_too_long.id,
                  fmt::format("The request target is longer than {} bytes.", limits_.uri_bytes));
  }
  using boost::beast::http::verb;
  const auto known = boost::beast::http::string_to_verb({method.data(), method.size()});
  if (known == verb::unknown || known == verb::trace || known == verb::connect) {
    refuse(405, codes::request_method.id, fmt::format("The method {:.32} is not served.", method));
    refusal_.headers.emplace_back("Allow", kAllowed);
    return;
  }
  auto parsed = parse_request_target(target);
  if (!parsed) return refuse_malformed(parsed.error().message);
  request_.method = method;
  request_.target = target;
  request_.path = std::move(parsed->path);
  request_.query = std::move(parsed->query);
  authority_ = std::move(parsed->authority);
}

void RequestParser::parse_field(std::string_view line) {
  if (request_.headers.size() == limits_.headers) {
    return refuse(431, codes::request_header_too_large.id,
                  fmt::format("The request has more than {} header fields.", limits_.headers));
  }
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return refuse_malformed("A header line has no colon.");
  const auto name = line.substr(0, colon);
  const auto value = trim(line.substr(colon + 1));
  if (!is_token(name)) return refuse_malformed("A header's name is no token, or the line is a folded one.");
  if (!is_field_value(value)) return refuse_malformed("A header's value holds a control character.");
  note_field(name, value);
  request_.headers.emplace_back(name, value);
}

void RequestParser::note_field(std::string_view name, std::string_view value) {
  switch (name.size()) {
    case 4:
      if (!equals_ignoring_case(name, "host")) return;
      if (host_) return refuse_malformed("The request has more than one Host.");
      host_ = value;
      return;
    case 6:
      if (!equals_ignoring_case(name, "expect")) return;
      if (equals_ignoring_case(value, "100-continue")) {
        expects_continue_ = true;
      } else {
        refuse(417, codes::request_expect.id, "The only expectation that can be met is 100-continue.");
      }
      return;
    case 7:
      if (equals_ignoring_case(name, "upgrade") && list_has(value, "websocket")) wants_websocket_ = true;
      return;
    case 10:
      if (!equals_ignoring_case(name, "connection")) return;
      for_each_part(value, ',', [this](std::string_view part) {
        if (!part.empty() && !is_token(part)) refuse_malformed("The header Connection is no list of names.");
      });
      if (list_has(value, "close")) keeps_alive_ = false;
      if (list_has(value, "upgrade")) has_connection_upgrade_ = true;
      return;
    case 14:
      if (equals_ignoring_case(name, "content-length")) note_length(value);
      return;
    case 17:
      if (equals_ignoring_case(name, "transfer-encoding")) note_coding(value);
      return;
    default:
      return;
  }
}

void RequestParser::note_length(std::string_view value) {
  if (length_) return refuse_malformed("The request has more than one Content-Length.");
  length_ = value.size() <= 18 ? parse_number(value, 10) : std::nullopt;
  if (!length_) refuse_malformed("Content-Length is not a number of bytes.");
}

void RequestParser::note_coding(std::string_view value) {
  if (is_chunked_) return refuse_malformed("The request has more than one Transfer-Encoding.");
  if (!equals_ignoring_case(value, "chunked") || is_http_10_) {
    return refuse_malformed("The only Transfer-Encoding understood is chunked, in HTTP/1.1.");
  }
  is_chunked_ = true;
}

void RequestParser::finish_head() {
  check_host();
  if (state_ == State::kRefused) return;
  if (length_ && is_chunked_)
    return refuse_malformed("The request has both Content-Length and Transfer-Encoding.");
  if (length_.value_or(0) > limits_.body_bytes) {
    return refuse(413, codes::body_too_large.id,
                  fmt::format("The body is larger than {} bytes.", limits_.body_bytes));
  }
  if (is_http_10_) keeps_alive_ = expects_continue_ = false;
  left_ = length_.value_or(0);
  const bool has_body = is_chunked_ || left_ > 0;
  wants_websocket_ = wants_websocket_ && has_connection_upgrade_ && !is_http_10_ && !has_body;
  expects_continue_ = expects_continue_ && has_body;
  part_ = is_chunked_ ? Part::kChunkSize : Part::kPlain;
  state_ = has_body ? State::kBody : State::kDone;
}

void RequestParser::check_host() {
  if (!host_) return refuse(400, codes::request_host.id, "The request has no Host header.");
  for (const std::string_view host : {std::string_view(*host_), std::string_view(authority_)}) {
    if (host.empty() && host.data() == authority_.data()) continue;
    if (!HostNames::is_well_formed(host))
      return refuse(400, codes::request_host.id, "The Host header is not a host name.");
    if (!hosts_.contains(host)) {
      return refuse(421, codes::request_host.id,
                    fmt::format("This server does not go by the name {:.100}.", host));
    }
  }
}

std::size_t RequestParser::feed_body(std::string_view bytes) {
  switch (part_) {
    case Part::kPlain:
    case Part::kChunkData:
      return take_bytes(bytes);
    case Part::kChunkEnd:
      if (bytes.size() < 2 && bytes[0] == '\r') return 0;
      if (!bytes.starts_with("\r\n")) {
        refuse_malformed("A chunk does not end where it says.");
        return 0;
      }
      part_ = Part::kChunkSize;
      return 2;
    case Part::kChunkSize:
    case Part::kTrailer:
      return feed_line(bytes);
  }
  return 0;
}

std::size_t RequestParser::take_bytes(std::string_view bytes) {
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
  request_.body.append(bytes.substr(0, size));
  left_ -= size;
  if (left_ > 0) return size;
  if (part_ == Part::kPlain) {
    state_ = State::kDone;
  } else {
    part_ = Part::kChunkEnd;
  }
  return size;
}

std::size_t RequestParser::feed_line(std::string_view bytes) {
  const auto most = part_ == Part::kChunkSize ? kLongestChunkLine : kMostTrailerBytes - trailer_bytes_;
  const auto feed = find_line_feed(bytes, 0);
  if (feed.value_or(bytes.size()) >= most) {
    refuse_malformed("A chunk's size line or the trailer is too long.");
    return 0;
  }
  if (!feed) return 0;
  if (*feed == 0 || bytes[*feed - 1] != '\r') {
    refuse_malformed("A line of a chunked body ends without CR.");
    return 0;
  }
  const auto line = bytes.substr(0, *feed - 1);
  if (part_ == Part::kChunkSize) {
    parse_chunk_size(line);
  } else if (line.empty()) {
    state_ = State::kDone;
  } else if (!is_trailer(line)) {
    refuse_malformed("The trailer is not made of header lines that may be there.");
  } else {
    trailer_bytes_ += line.size();  // read over: nothing that comes after the body may change what it means
  }
  return *feed + 1;
}

void RequestParser::parse_chunk_size(std::string_view line) {
  const auto digits = line.substr(0, line.find(';'));
  const auto size = digits.size() <= 15 ? parse_number(digits, 16) : std::nullopt;
  if (!size || !are_chunk_extensions(line.substr(digits.size())))
    return refuse_malformed("A chunk's size is not a hexadecimal number.");
  if (*size > limits_.body_bytes - request_.body.size()) {
    return refuse(413, codes::body_too_large.id,
                  fmt::format("The body is larger than {} bytes.", limits_.body_bytes));
  }
  left_ = *size;
  part_ = left_ == 0 ? Part::kTrailer : Part::kChunkData;
}

bool RequestParser::take_expectation() {
  return std::exchange(expects_continue_, false);
}

Request RequestParser::take() {
  Request request = std::move(request_);
  request_ = {};
  authority_.clear();
  host_.reset();
  length_.reset();
  scanned_ = line_start_ = first_line_ = trailer_bytes_ = 0;
  left_ = 0;
  state_ = State::kIdle;
  skipped_blank_line_ = is_http_10_ = is_chunked_ = has_connection_upgrade_ = wants_websocket_ =
      expects_continue_ = false;
  keeps_alive_ = true;
  return request;
}

void RequestParser::refuse(unsigned status, std::string_view code, std::string detail) {
  if (state_ == State::kRefused) return;
  state_ = State::kRefused;
  refusal_ = {status, code, std::move(detail), {}};
}

void RequestParser::refuse_malformed(std::string detail) {
  refuse(400, codes::request_malformed.id, std::move(detail));
}

}  // namespace fp::net
