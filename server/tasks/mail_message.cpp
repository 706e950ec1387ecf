#include "tasks/mail_message.hpp"

#include "base/error_code.hpp"
#include "base/hash.hpp"
#include "tasks/text_codec.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>

namespace fp::tasks {

namespace {

constexpr std::size_t kLine = 76;

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c < 128; });
}

Result<void> check_header(const char* field, std::string_view text) {
  const bool control =
      std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 32 || c == 127; });
  if (control)
    return Error(codes::smtp_header,
                 fmt::format("{} holds a line break or another control character", field));
  if (!is_utf8(text)) return Error(codes::smtp_header, fmt::format("{} is not UTF-8", field));
  return {};
}

/// RFC 2047: base64 words of at most 75 characters that cut no character, folded onto lines of their own.
std::string encode_words(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto part = cut_utf8(text, 42);
    out += fmt::format("{}=?UTF-8?B?{}?=", out.empty() ? "" : "\r\n ", to_base64(part));
    text.remove_prefix(part.size());
  }
  return out;
}

/// Unstructured ASCII text folded at blanks (RFC 5322 section 2.2.3).
std::string fold_text(std::string_view text, std::size_t column) {
  std::string out;
  while (!text.empty()) {
    const auto blank = text.find(' ', 1);
    const auto word = text.substr(0, blank);
    if (column + word.size() > kLine && word.front() == ' ' && word.size() > 1) {
      out += "\r\n";
      column = 0;
    }
    out += word;
    column += word.size();
    text.remove_prefix(word.size());
  }
  return out;
}

std::string header_text(std::string_view text, std::size_t column) {
  const bool plain = is_ascii(text) && text.find("=?") == std::string_view::npos && !text.starts_with(' ') &&
                     !text.ends_with(' ');
  return plain ? fold_text(text, column) : encode_words(text);
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string address_list(const std::vector<MailAddress>& addresses) {
  std::string out;
  for (const auto& address : addresses) {
    if (!out.empty()) out += ",\r\n ";
    if (address.name.empty())
      out += address.address;
    else
      out += fmt::format("{} <{}>",
                         is_ascii(address.name) && address.name.size() < 60 ? quoted(address.name)
                                                                            : encode_words(address.name),
                         address.address);
  }
  return out;
}

/// Every line end as CRLF.
std::string with_crlf(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') continue;
    if (text[i] == '\n' || text[i] == '\r')
      out += "\r\n";
    else
      out += text[i];
  }
  return out;
}

bool fits_7bit(std::string_view text) {
  std::size_t column = 0;
  for (const unsigned char c : text) {
    column = c == '\n' ? 0 : column + 1;
    if (c >= 127 || (c < 32 && c != '\r' && c != '\n' && c != '\t') || column > 998) return false;
  }
  return true;
}

std::string text_part(const char* subtype, const std::string& content) {
  const auto body = with_crlf(content);
  const bool plain = fits_7bit(body);
  return fmt::format("Content-Type: text/{}; charset=utf-8\r\nContent-Transfer-Encoding: {}\r\n\r\n{}\r\n",
                     subtype, plain ? "7bit" : "quoted-printable", plain ? body : to_quoted_printable(body));
}

std::string base64_lines(std::string_view bytes) {
  const auto text = to_base64(bytes);
  std::string out;
  for (std::size_t at = 0; at < text.size(); at += kLine) {
    out += text.substr(at, kLine);
    out += "\r\n";
  }
  return out;
}

/// The name for old readers and, where it differs, in full (RFC 2231).
std::string file_name_parameter(const std::string& name) {
  std::string plain;
  for (const char c : name) plain += static_cast<unsigned char>(c) < 128 ? c : '_';
  const auto simple = fmt::format("; filename={}", quoted(plain));
  return plain == name ? simple : fmt::format("{};\r\n filename*=UTF-8''{}", simple, percent_encode(name));
}

std::string attachment_part(const MailAttachment& attachment) {
  return fmt::format(
      "Content-Type: {}\r\nContent-Disposition: attachment{}\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
      attachment.content_type.empty() ? "application/octet-stream" : attachment.content_type,
      file_name_parameter(attachment.file_name), base64_lines(attachment.content));
}

/// The boundary comes from the message's id; encoded parts can not hold it, and plain text never holds the
/// id's hash.
std::string multipart(const char* subtype, const std::string& boundary,
                      const std::vector<std::string>& parts) {
  std::string out = fmt::format("Content-Type: multipart/{};\r\n boundary=\"{}\"\r\n\r\n", subtype, boundary);
  for (const auto& part : parts) out += fmt::format("--{}\r\n{}\r\n", boundary, part);
  return out + fmt::format("--{}--\r\n", boundary);
}

std::string body_part(const Mail& mail, const std::string& token) {
  std::string content;
  if (mail.html.empty())
    content = text_part("plain", mail.text);
  else if (mail.text.empty())
    content = text_part("html", mail.html);
  else
    content = multipart("alternative", "fp-a-" + token,
                        {text_part("plain", mail.text), text_part("html", mail.html)});
  if (mail.attachments.empty()) return content;
  std::vector<std::string> parts{std::move(content)};
  for (const auto& attachment : mail.attachments) parts.push_back(attachment_part(attachment));
  return multipart("mixed", "fp-m-" + token, parts);
}

Result<void> check_texts(const Mail& mail) {
  if (const auto fit = check_header("the subject", mail.subject); !fit) return fit;
  for (const auto& attachment : mail.attachments) {
    if (const auto fit = check_header("the name of an attachment", attachment.file_name); !fit) return fit;
    if (const auto fit = check_header("the content_type of an attachment", attachment.content_type); !fit)
      return fit;
  }
  return {};
}

}  // namespace

std::string derive_message_id(std::string_view idempotency_key, const MailAddress& from) {
  const auto domain = from.address.substr(from.address.find('@') + 1);
  return fmt::format("<{}@{}>", to_hex(hash_128(fmt::format("message {}", idempotency_key))), domain);
}

Result<std::string> build_message(const Mail& mail, TimePoint now) {
  if (const auto fit = check_texts(mail); !fit) return fit.error();
  const auto token = to_hex(hash_128("boundary " + mail.message_id));
  std::string out = fmt::format("Date: {:%a, %d %b %Y %H:%M:%S} +0000\r\n",
                                fmt::gmtime(std::chrono::system_clock::to_time_t(now)));
  out += fmt::format("From: {}\r\n", address_list({mail.from}));
  if (!mail.reply_to.empty()) out += fmt::format("Reply-To: {}\r\n", address_list(mail.reply_to));
  out +=
      mail.to.empty() ? "To: undisclosed-recipients:;\r\n" : fmt::format("To: {}\r\n", address_list(mail.to));
  if (!mail.cc.empty()) out += fmt::format("Cc: {}\r\n", address_list(mail.cc));
  out +=
      fmt::format("Message-ID: {}\r\nSubject: {}\r\nMIME-Version: 1.0\r\nAuto-Submitted: auto-generated\r\n",
                  mail.message_id, header_text(mail.subject, 9));
  return out + body_part(mail, token);
}

}  // namespace fp::tasks
