#include "triggers/multipart.hpp"

#include "base/error_code.hpp"
#include "base/text.hpp"
#include "triggers/header_value.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace fp::triggers {

namespace {

Error malformed(std::string_view what) {
  return Error(codes::webhook_body, fmt::format("the multipart body is malformed: {}", what));
}

constexpr std::string_view kBoundaryMarks = "'()+_,-./:=? ";

/// RFC 2046 section 5.1.1: 1 to 70 of these, no space at the end.
bool is_boundary(std::string_view text) {
  return !text.empty() && text.size() <= 70 && !text.ends_with(' ') && std::ranges::all_of(text, [](char c) {
    const bool is_plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return is_plain || kBoundaryMarks.find(c) != std::string_view::npos;
  });
}

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; });
}

/// A line "--boundary" or "--boundary--" of the body, with the line break before it.
struct Delimiter {
  std::size_t begin = 0;  // where the content before it ends
  std::size_t end = 0;    // of the line
  bool is_last = false;
};

std::optional<Delimiter> find_delimiter(std::string_view body, std::string_view dashed, std::size_t from) {
  for (auto at = body.find(dashed, from); at != std::string_view::npos; at = body.find(dashed, at + 1)) {
    const bool is_first = at == 0;
    if (!is_first && (at < from + 2 || body.substr(at - 2, 2) != "\r\n")) continue;
    Delimiter out{is_first ? 0 : at - 2, at + dashed.size(), false};
    if (body.substr(out.end).starts_with("--")) {
      out.is_last = true;
      out.end += 2;
    }
    out.end = std::min(body.find_first_not_of(" \t", out.end), body.size());
    const auto rest = body.substr(out.end);
    if (!rest.starts_with("\r\n") && !(out.is_last && rest.empty())) continue;  // a longer word: content
    out.end = std::min(out.end + 2, body.size());
    return out;
  }
  return std::nullopt;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char low = static_cast<char>(c | 0x20);
  return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

/// RFC 5987: utf-8'language'percent-encoded. RFC 7578 says not to send it; some do.
std::optional<std::string> decode_extended(std::string_view text) {
  const auto first = text.find('\'');
  const auto second = first == std::string_view::npos ? first : text.find('\'', first + 1);
  if (second == std::string_view::npos || to_lower(text.substr(0, first)) != "utf-8") return std::nullopt;
  std::string out;
  text.remove_prefix(second + 1);
  while (!text.empty()) {
    if (text.front() != '%') {
      out += text.front();
      text.remove_prefix(1);
      continue;
    }
    const int high = text.size() > 2 ? hex_digit(text[1]) : -1;
    const int low = high >= 0 ? hex_digit(text[2]) : -1;
    if (low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    text.remove_prefix(3);
  }
  return out;
}

Result<void> check_name(std::string_view name, std::size_t most) {
  if (name.size() > most)
    return Error(codes::webhook_too_large, fmt::format("a name in the form has more than {} bytes", most));
  if (!is_utf8(name) || has_control(name)) return malformed("a name is not UTF-8, or has control characters");
  return {};
}

Result<void> read_disposition(std::string_view text, const MultipartLimits& limits, FormPart& part) {
  const auto value = parse_header_value(text);
  if (value.value != "form-data" || !value.is_whole || !value.has("name"))
    return malformed("a part does not say `Content-Disposition: form-data; name=\"...\"`");
  part.name = value.find("name");
  part.is_file = value.has("filename") || value.has("filename*");
  part.filename = value.find("filename");
  if (part.is_file && !value.has("filename")) {
    auto decoded = decode_extended(value.find("filename*"));
    if (!decoded) return malformed("filename* is not utf-8''percent-encoded");
    part.filename = std::move(*decoded);
  }
  if (auto fits = check_name(part.name, limits.name_bytes); !fits) return fits;
  return check_name(part.filename, 4 * limits.name_bytes);
}

Result<void> read_header(std::string_view line, const MultipartLimits& limits, bool& has_disposition,
                         FormPart& part) {
  const auto colon = line.find(':');
  if (colon == 0 || colon == std::string_view::npos || line.front() == ' ' || line.front() == '\t')
    return malformed("a line of a part's header is not `Name: value`");
  const auto name = to_lower(line.substr(0, colon));
  const auto value = trim_blanks(line.substr(colon + 1));
  if (name == "content-disposition") {
    if (std::exchange(has_disposition, true)) return malformed("a part has two Content-Dispositions");
    return read_disposition(value, limits, part);
  }
  if (name == "content-type") {
    if (!part.content_type.empty() || !is_utf8(value) || has_control(value))
      return malformed("a part's Content-Type is there twice, or is no text");
    part.content_type = value;
  }
  const auto encoding = to_lower(value);
  const bool is_plain = encoding == "binary" || encoding == "8bit" || encoding == "7bit";
  if (name == "content-transfer-encoding" && !is_plain)
    return Error(codes::webhook_media, "parts in a transfer encoding are not read: send their bytes");
  return {};
}

/// Headers up to the empty line, then the content.
Result<FormPart> read_part(std::string_view text, const MultipartLimits& limits) {
  FormPart part;
  bool has_disposition = false;
  for (std::size_t taken = 0;;) {
    const auto end = text.find("\r\n");
    taken += std::min(end, text.size()) + 2;
    if (taken > limits.header_bytes)
      return Error(codes::webhook_too_large,
                   fmt::format("the header of a part has more than {} bytes", limits.header_bytes));
    if (end == std::string_view::npos) return malformed("the header of a part does not end");
    const auto line = text.substr(0, end);
    text.remove_prefix(end + 2);
    if (line.empty()) break;
    if (const auto read = read_header(line, limits, has_disposition, part); !read) return read.error();
  }
  if (!has_disposition) return malformed("a part does not say which field it is");
  part.content = text;
  return part;
}

}  // namespace

Result<std::vector<FormPart>> parse_multipart(std::string_view boundary, std::string_view body,
                                              const MultipartLimits& limits) {
  if (!is_boundary(boundary))
    return malformed("the Content-Type names no boundary of 1 to 70 characters of RFC 2046");
  const auto dashed = fmt::format("--{}", boundary);
  auto delimiter = find_delimiter(body, dashed, 0);
  if (!delimiter) return malformed("the boundary of the Content-Type does not come in it");
  std::vector<FormPart> out;
  while (!delimiter->is_last) {
    if (out.size() == limits.parts)
      return Error(codes::webhook_too_large, fmt::format("the form has more than {} parts", limits.parts));
    // The line break that ends a delimiter may be the one before the next.
    const auto begin = delimiter->end;
    const auto next = find_delimiter(body, dashed, begin - 2);
    if (!next) return malformed("its last boundary is missing");
    if (next->begin < begin) return malformed("a part is empty");
    auto part = read_part(body.substr(begin, next->begin - begin), limits);
    if (!part) return part.error();
    out.push_back(std::move(*part));
    delimiter = next;
  }
  return out;
}

}  // namespace fp::triggers
