#pragma once

#include "base/result.hpp"
#include "base/time.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace fp::tasks {

struct MailAddress {
  std::string name;     // UTF-8, may be empty
  std::string address;  // local@domain, ASCII
  bool operator==(const MailAddress&) const = default;
};
/// "ada@example.org" or "Ada Lovelace <ada@example.org>". Error: smtp.address; smtp.header for control
/// characters.
Result<MailAddress> parse_mail_address(std::string_view text);
/// Cuts "a@x, \"B, C\" <b@y>" at the commas that stand outside quotes.
std::vector<std::string> split_addresses(std::string_view text);

struct MailAttachment {
  std::string file_name;
  std::string content_type;
  std::string content;  // bytes
};

struct Mail {
  MailAddress from;
  std::vector<MailAddress> to;
  std::vector<MailAddress> cc;
  std::vector<MailAddress> bcc;  // in the envelope only
  std::vector<MailAddress> reply_to;
  std::string subject;
  std::string text;
  std::string html;
  std::vector<MailAttachment> attachments;
  std::string message_id;  // with its angle brackets
};

/// The message as it goes over the wire: RFC 5322 headers, RFC 2047 encoded words, MIME bodies, CRLF line
/// ends. The same mail and time give the same bytes. Error: smtp.header when a value would start a header of
/// its own.
Result<std::string> build_message(const Mail& mail, TimePoint now);

/// <hash@domain>: the same key and sender give the same id.
std::string derive_message_id(std::string_view idempotency_key, const MailAddress& from);

}  // namespace fp::tasks
