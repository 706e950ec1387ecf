#include "tasks/mail_transfer.hpp"

#include "base/error_code.hpp"
#include "tasks/text_codec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace fp::tasks {

namespace {

bool is_loopback_host(const std::string& host) {
  if (host == "localhost" || host == "localhost.") return true;
  const auto ip = parse_ip(host);
  return ip && special_address(*ip) == "loopback";
}

const ErrorCode& code_of(CURLcode code, long reply) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return codes::smtp_dns;
    case CURLE_COULDNT_CONNECT:
      return codes::smtp_connect;
    case CURLE_OPERATION_TIMEDOUT:
      return codes::smtp_timeout;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_USE_SSL_FAILED:
      return codes::smtp_tls;
    default:
      break;
  }
  if (reply >= 400 && reply < 500) return codes::smtp_4xx;
  if (code == CURLE_LOGIN_DENIED) return codes::smtp_auth;
  return reply >= 500 ? codes::smtp_5xx : codes::smtp_protocol;
}

}  // namespace

Result<MailServer> parse_mail_server(std::string_view text) {
  auto url = parse_url(text);
  if (!url || (url->scheme != "smtp" && url->scheme != "smtps") || url->host.empty())
    return Error(codes::smtp_url, "smtp_url must be smtp://host:port or smtps://host:port");
  if (!url->query.empty() && url->query != "tls=none")
    return Error(codes::smtp_url, "the only parameter that smtp_url takes is tls=none");
  MailServer out;
  out.clear_text = url->scheme == "smtp" && (url->query == "tls=none" || is_loopback_host(url->host));
  out.url = std::move(*url);
  return out;
}

MailTransfer::MailTransfer(const AddressGuard& guard, MailServer server, Mail mail, std::string message,
                           Milliseconds timeout, std::shared_ptr<ports::AttemptControl> control,
                           ports::TaskHandler::Done done)
    : server_(std::move(server)),
      mail_(std::move(mail)),
      message_(std::move(message)),
      control_(std::move(control)),
      done_(std::move(done)),
      easy_(curl_easy_init()),
      peer_{&guard, server_.url.host, server_.url.port, false, std::nullopt} {
  prepare(timeout);
}

void MailTransfer::prepare(Milliseconds timeout) {
  CURL* easy = easy_.get();
  const auto domain = mail_.from.address.substr(mail_.from.address.find('@') + 1);
  // The path is what curl says in EHLO.
  curl_easy_setopt(easy, CURLOPT_URL,
                   fmt::format("{}://{}/{}", server_.url.scheme, server_.url.authority(), domain).c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  curl_easy_setopt(easy, CURLOPT_USE_SSL, long(server_.clear_text ? CURLUSESSL_NONE : CURLUSESSL_ALL));
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, long(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(easy, CURLOPT_NETRC, long(CURL_NETRC_IGNORED));
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(easy, CURLOPT_FORBID_REUSE,
                   1L);  // servers drop idle sessions, and no two senders share one
  if (!server_.url.user.empty()) {
    curl_easy_setopt(easy, CURLOPT_USERNAME, server_.url.user.c_str());
    curl_easy_setopt(easy, CURLOPT_PASSWORD, server_.url.password.c_str());
  }
  curl_easy_setopt(easy, CURLOPT_MAIL_FROM, fmt::format("<{}>", mail_.from.address).c_str());
  curl_slist* list = nullptr;
  for (const auto* group : {&mail_.to, &mail_.cc, &mail_.bcc}) {
    for (const auto& address : *group)
      list = curl_slist_append(list, fmt::format("<{}>", address.address).c_str());
  }
  recipients_.reset(list);
  curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, list);
  curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(easy, CURLOPT_READFUNCTION, &MailTransfer::on_read);
  curl_easy_setopt(easy, CURLOPT_READDATA, this);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &MailTransfer::on_reply);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(timeout.count()));
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(std::min(timeout, Milliseconds(10'000)).count()));
  curl_easy_setopt(easy, CURLOPT_SERVER_RESPONSE_TIMEOUT,
                   std::max(1L, static_cast<long>(timeout.count() / 1000)));
  peer_.install(easy);
}

std::size_t MailTransfer::on_read(char* buffer, std::size_t size, std::size_t count, void* self) {
  auto& me = *static_cast<MailTransfer*>(self);
  const auto length = std::min(size * count, me.message_.size() - me.read_);
  std::memcpy(buffer, me.message_.data() + me.read_, length);
  me.read_ += length;
  return length;
}

std::size_t MailTransfer::on_reply(char* bytes, std::size_t size, std::size_t count, void* self) {
  auto& reply = static_cast<MailTransfer*>(self)->last_reply_;
  reply.assign(bytes, size * count);
  while (!reply.empty() && (reply.back() == '\n' || reply.back() == '\r')) reply.pop_back();
  return size * count;
}

CurlTransfer::Next MailTransfer::end(CURLcode code) {
  if (code == CURLE_OK)
    finish(Json(JsonObject{{"status", "sent"}, {"message_id", mail_.message_id}}));
  else
    finish(make_error(code));
  return Next::done;
}

Error MailTransfer::make_error(CURLcode code) const {
  const auto peer = server_.url.authority();
  if (peer_.refused && code == CURLE_COULDNT_CONNECT) return {codes::smtp_blocked_address, *peer_.refused};
  long reply = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &reply);
  const auto& found = code_of(code, reply);
  const bool spoke =
      found.id == codes::smtp_4xx.id || found.id == codes::smtp_5xx.id || found.id == codes::smtp_auth.id;
  // What a server says is shown, except that some repeat what was sent to log in.
  const bool show = spoke && !last_reply_.empty() && code != CURLE_LOGIN_DENIED && is_utf8(last_reply_);
  Error error(found, fmt::format("{}: {}", peer,
                                 show ? std::string(cut_utf8(last_reply_, 300)) : curl_easy_strerror(code)));
  if (reply >= 400) error.details = JsonObject{{"reply_code", reply}};
  return error;
}

void MailTransfer::abandon() {
  finish(Error(codes::task_cancelled, fmt::format("the mail to {} was stopped", server_.url.authority())));
}

void MailTransfer::finish(ports::TaskHandler::Output output) {
  control_->set_cancel_hook({});
  done_(std::move(output));
}

}  // namespace fp::tasks
