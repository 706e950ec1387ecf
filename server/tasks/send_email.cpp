#include "base/error_code.hpp"
#include "base/json_parse.hpp"
#include "tasks/mail_transfer.hpp"
#include "tasks/network.hpp"
#include "tasks/text_codec.hpp"

#include <fmt/format.h>

namespace fp::tasks {

namespace {

constexpr std::size_t kMostBytes = 25u << 20;

constexpr const char* kConfigSchema = R"({
  "type": "object", "additionalProperties": false, "required": ["to", "subject"],
  "properties": {
    "to": {"description": "An address, several with commas, or a list", "type": ["string", "array"], "items": {"type": "string"}},
    "cc": {"type": ["string", "array"], "items": {"type": "string"}},
    "bcc": {"type": ["string", "array"], "items": {"type": "string"}},
    "from": {"type": "string", "description": "Left out: the setting mail_from"},
    "reply_to": {"type": ["string", "array"], "items": {"type": "string"}},
    "subject": {"type": "string", "maxLength": 2000},
    "text": {"type": "string"},
    "html": {"type": "string"},
    "attachments": {"type": "array", "maxItems": 50, "items": {
      "type": "object", "additionalProperties": false, "required": ["filename", "content"],
      "properties": {"filename": {"type": "string", "minLength": 1, "maxLength": 255}, "content": {"type": "string"},
        "encoding": {"enum": ["utf-8", "base64"], "default": "utf-8"}, "content_type": {"type": "string", "pattern": "^[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+(; ?[A-Za-z0-9_-]+=[A-Za-z0-9_.-]+)?$"}}}},
    "smtp_url": {"type": "string", "description": "smtp://user:password@host:587 or smtps://...; left out: the setting smtp_url"},
    "credential": {"type": "string", "description": "Name of a stored credential"}
  },
  "not": {"required": ["smtp_url", "credential"]}
})";

Result<std::vector<MailAddress>> read_addresses(const Json& config, const char* field) {
  std::vector<MailAddress> out;
  const auto* value = json_find(config, field);
  if (value == nullptr) return out;
  std::vector<std::string> texts;
  if (value->is_string())
    texts = split_addresses(value->get_string());
  else
    for (const auto& item : value->as_array()) texts.emplace_back(item.as_string());
  for (const auto& text : texts) {
    auto address = parse_mail_address(text);
    if (!address)
      return Error(address.error().code, fmt::format("{}: {}", field, address.error().message), false);
    out.push_back(std::move(*address));
  }
  return out;
}

Result<void> read_attachments(const Json& config, Mail& mail) {
  const auto* list = json_find(config, "attachments");
  if (list == nullptr) return {};
  std::size_t total = 0;
  for (const auto& item : list->as_array()) {
    MailAttachment attachment{json_string(item, "filename"), json_string(item, "content_type"),
                              json_string(item, "content")};
    if (json_string(item, "encoding") == "base64") {
      auto bytes = from_base64(attachment.content);
      if (!bytes)
        return Error(codes::smtp_attachment,
                     fmt::format("the content of {} is not base64", cut_utf8(attachment.file_name, 100)));
      attachment.content = std::move(*bytes);
    }
    total += attachment.content.size();
    if (total > kMostBytes)
      return Error(codes::smtp_attachment, "the attachments are larger than 25 MiB together");
    mail.attachments.push_back(std::move(attachment));
  }
  return {};
}

Result<Mail> read_mail(const ports::AttemptRequest& request, const std::string& default_from) {
  const Json& config = *request.config;
  Mail mail;
  const std::pair<const char*, std::vector<MailAddress>*> lists[] = {
      {"to", &mail.to}, {"cc", &mail.cc}, {"bcc", &mail.bcc}, {"reply_to", &mail.reply_to}};
  for (const auto& [field, target] : lists) {
    auto addresses = read_addresses(config, field);
    if (!addresses) return addresses.error();
    *target = std::move(*addresses);
  }
  if (mail.to.empty() && mail.cc.empty() && mail.bcc.empty())
    return Error(codes::smtp_address, "the mail has no recipient");
  const auto sender = json_string(config, "from");
  auto from = parse_mail_address(sender.empty() ? default_from : sender);
  if (!from) return Error(from.error().code, "from: " + from.error().message, false);
  mail.from = std::move(*from);
  mail.subject = json_string(config, "subject");
  mail.text = json_string(config, "text");
  mail.html = json_string(config, "html");
  if (auto read = read_attachments(config, mail); !read) return read.error();
  mail.message_id = derive_message_id(request.idempotency_key, mail.from);
  return mail;
}

class SendEmailHandler final : public ports::TaskHandler {
 public:
  SendEmailHandler(std::shared_ptr<Network> network, const Clock& clock, MailDefaults defaults)
      : network_(std::move(network)), clock_(clock), defaults_(std::move(defaults)) {
    spec_.type = "send_email";
    spec_.title = "Send e-mail";
    spec_.category = "email";
    spec_.icon = "mail";
    spec_.description = "Sends a message through a mail server (SMTP).";
    spec_.config_schema = parse_trusted_json(kConfigSchema);
    spec_.output_schema = parse_trusted_json(
        R"({"type": "object", "properties": {"status": {"const": "sent"}, "message_id": {"type": "string"}}})");
  }
  const model::TaskTypeSpec& spec() const override { return spec_; }
  Kind kind() const override { return Kind::asynchronous; }

  void start(ports::AttemptRequest request, std::shared_ptr<ports::AttemptControl> control,
             Done done) override {
    auto server = find_server(*request.config);
    if (!server) return done(server.error());
    auto mail = read_mail(request, defaults_.from);
    if (!mail) return done(mail.error());
    auto message = build_message(*mail, clock_.now());
    if (!message) return done(message.error());
    const auto id = network_->loop.make_id();
    control->set_cancel_hook([network = network_, id] { network->loop.abort(id); });
    network_->loop.submit(
        id, std::make_unique<MailTransfer>(network_->guard, std::move(*server), std::move(*mail),
                                           std::move(*message), request.timeout, control, std::move(done)));
  }

 private:
  Result<MailServer> find_server(const Json& config) const {
    if (json_find(config, "credential") != nullptr) {
      return Error(codes::credential_unavailable, fmt::format("there is no credential store here for \"{}\"",
                                                              json_string(config, "credential")));
    }
    const auto own = json_string(config, "smtp_url");
    if (own.empty() && defaults_.smtp_url.empty())
      return Error(codes::smtp_no_server, "neither the step nor the setting smtp_url names a mail server");
    return parse_mail_server(own.empty() ? defaults_.smtp_url : own);
  }

  std::shared_ptr<Network> network_;
  const Clock& clock_;
  MailDefaults defaults_;
  model::TaskTypeSpec spec_;
};

}  // namespace

std::unique_ptr<ports::TaskHandler> make_send_email_handler(std::shared_ptr<Network> network,
                                                            const Clock& clock, MailDefaults defaults) {
  return std::make_unique<SendEmailHandler>(std::move(network), clock, std::move(defaults));
}

}  // namespace fp::tasks
