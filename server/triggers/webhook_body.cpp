#include "triggers/webhook_body.hpp"

#include "base/error_code.hpp"
#include "base/json_parse.hpp"
#include "base/text.hpp"
#include "triggers/header_value.hpp"
#include "triggers/multipart.hpp"

#include <fmt/format.h>
#include <sodium/crypto_hash_sha256.h>
#include <sodium/utils.h>

#include <algorithm>
#include <string>

namespace fp::triggers {

namespace {

constexpr std::size_t kMostFields = 1000;

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

/// A name that repeats has a list.
void add_field(JsonObject& out, std::string_view name, Json value) {
  auto* known = out.if_contains(name);
  if (known == nullptr)
    out.emplace(name, std::move(value));
  else if (known->is_array())
    known->get_array().push_back(std::move(value));
  else
    *known = JsonArray{Json(*known), std::move(value)};
}

bool is_readable(std::string_view charset) {
  const auto name = to_lower(charset);
  return name.empty() || name == "utf-8" || name == "utf8" || name == "us-ascii";
}

Error refuse_charset(std::string_view charset) {
  return Error(codes::webhook_media,
               fmt::format("the charset {} is not supported: send UTF-8", echo(charset)));
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
    add_field(out, name, Json(std::move(value)));
  }
  return Json(std::move(out));
}

std::string sha256(std::string_view bytes) {
  std::string out(crypto_hash_sha256_BYTES, '\0');
  crypto_hash_sha256(reinterpret_cast<unsigned char*>(out.data()),
                     reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  std::string hex(2 * out.size() + 1, '\0');
  sodium_bin2hex(hex.data(), hex.size(), reinterpret_cast<const unsigned char*>(out.data()), out.size());
  hex.pop_back();
  return hex;
}

/// A file is its bytes: nothing in it is a path or a handle, so JSON that looks like one is as good and as
/// harmless.
Json show_file(const FormPart& part) {
  return JsonObject{{"filename", part.filename},
                    {"content_type",
                     part.content_type.empty() ? std::string("application/octet-stream") : part.content_type},
                    {"size", part.content.size()},
                    {"sha256", sha256(part.content)},
                    {"base64", to_base64(part.content)}};
}

Result<Json> read_multipart(std::string_view boundary, std::string_view body) {
  const auto parts = parse_multipart(boundary, body);
  if (!parts) return parts.error();
  JsonObject out;
  for (const auto& part : *parts) {
    if (part.is_file) {
      add_field(out, part.name, show_file(part));
      continue;
    }
    const auto type = parse_header_value(part.content_type);
    if (const auto charset = type.find("charset"); !is_readable(charset)) return refuse_charset(charset);
    if (!is_utf8(part.content))
      return Error(codes::webhook_body, fmt::format("the field {} is not UTF-8", echo(part.name)));
    add_field(out, part.name, Json(part.content));
  }
  return Json(std::move(out));
}

}  // namespace

std::string to_base64(std::string_view bytes) {
  std::string text(sodium_base64_encoded_len(bytes.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
  sodium_bin2base64(text.data(), text.size(), reinterpret_cast<const unsigned char*>(bytes.data()),
                    bytes.size(), sodium_base64_VARIANT_ORIGINAL);
  text.resize(text.size() - 1);  // its NUL
  return text;
}

Result<Json> read_body(std::string_view content_type, std::string_view body) {
  const auto header = parse_header_value(content_type);
  const auto& type = header.value;
  if (const auto charset = header.find("charset"); !is_readable(charset)) return refuse_charset(charset);
  if (body.empty()) return Json(nullptr);
  if (type == "application/json" || type.ends_with("+json") || type.empty()) {
    auto parsed = parse_json(body);
    if (parsed) return parsed;
    if (type.empty() && is_utf8(body)) return Json(body);
    return Error(codes::webhook_body, fmt::format("the body is not JSON: {}", parsed.error().message));
  }
  if (type == "application/x-www-form-urlencoded") return read_form(body);
  if (type == "multipart/form-data") return read_multipart(header.find("boundary"), body);
  if (type.starts_with("multipart/"))
    return Error(codes::webhook_media, "of multipart bodies only multipart/form-data is read");
  if (type.starts_with("text/") || type == "application/xml") {
    if (!is_utf8(body)) return Error(codes::webhook_body, "the text is not UTF-8");
    return Json(body);
  }
  return JsonObject{{"base64", to_base64(body)}, {"content_type", content_type}};
}

}  // namespace fp::triggers
