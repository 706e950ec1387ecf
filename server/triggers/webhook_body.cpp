#include "triggers/webhook_body.hpp"

#include "base/error_code.hpp"
#include "base/json_parse.hpp"
#include "base/text.hpp"

#include <fmt/format.h>
#include <sodium/utils.h>

#include <algorithm>
#include <string>

namespace fp::triggers {

namespace {

constexpr std::size_t kMostFields = 1000;

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

std::string_view trim(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

/// The value of the parameter, in lower case and without quotes; "" when there is none.
std::string parameter(std::string_view content_type, std::string_view name) {
  while (true) {
    const auto semicolon = content_type.find(';');
    if (semicolon == std::string_view::npos) return "";
    content_type.remove_prefix(semicolon + 1);
    const auto part = lower(trim(content_type.substr(0, content_type.find(';'))));
    if (!part.starts_with(name) || part.size() <= name.size() || part[name.size()] != '=') continue;
    auto value = part.substr(name.size() + 1);
    std::erase(value, '"');
    return value;
  }
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// As the WHATWG's URL standard reads forms: + is a space, a broken %XX stands for itself.
std::string decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
    if (low >= 0) {
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

Result<Json> read_form(std::string_view body) {
  JsonObject out;
  std::size_t count = 0;
  while (!body.empty()) {
    const auto to = std::min(body.find('&'), body.size());
    const auto pair = body.substr(0, to);
    body.remove_prefix(std::min(to + 1, body.size()));
    if (pair.empty()) continue;
    if (++count > kMostFields)
      return Error(codes::webhook_too_large, fmt::format("the form has more than {} fields", kMostFields));
    const auto equals = std::min(pair.find('='), pair.size());
    const auto name = decode(pair.substr(0, equals));
    auto value = equals == pair.size() ? std::string() : decode(pair.substr(equals + 1));
    if (!is_utf8(name) || !is_utf8(value)) return Error(codes::webhook_body, "the form is not UTF-8");
    auto* known = out.if_contains(name);
    if (known == nullptr)
      out.emplace(name, std::move(value));
    else if (known->is_array())
      known->get_array().emplace_back(std::move(value));
    else
      *known = JsonArray{Json(*known), Json(std::move(value))};
  }
  return Json(std::move(out));
}

Json wrap_bytes(std::string_view content_type, std::string_view body) {
  std::string text(sodium_base64_encoded_len(body.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
  sodium_bin2base64(text.data(), text.size(), reinterpret_cast<const unsigned char*>(body.data()),
                    body.size(), sodium_base64_VARIANT_ORIGINAL);
  text.resize(text.size() - 1);  // its NUL
  return JsonObject{{"base64", std::move(text)}, {"content_type", content_type}};
}

}  // namespace

Result<Json> read_body(std::string_view content_type, std::string_view body) {
  const auto type = lower(trim(content_type.substr(0, content_type.find(';'))));
  const auto charset = parameter(content_type, "charset");
  if (!charset.empty() && charset != "utf-8" && charset != "utf8" && charset != "us-ascii")
    return Error(codes::webhook_media,
                 fmt::format("the charset {} is not supported: send UTF-8", echo(charset)));
  if (body.empty()) return Json(nullptr);
  if (type == "application/json" || type.ends_with("+json") || type.empty()) {
    auto parsed = parse_json(body);
    if (parsed) return parsed;
    if (type.empty() && is_utf8(body)) return Json(body);
    return Error(codes::webhook_body, fmt::format("the body is not JSON: {}", parsed.error().message));
  }
  if (type == "application/x-www-form-urlencoded") return read_form(body);
  if (type.starts_with("multipart/"))
    return Error(codes::webhook_media,
                 "multipart bodies are not supported yet: send JSON, a form or the file itself");
  if (type.starts_with("text/") || type == "application/xml") {
    if (!is_utf8(body)) return Error(codes::webhook_body, "the text is not UTF-8");
    return Json(body);
  }
  return wrap_bytes(content_type, body);
}

}  // namespace fp::triggers
