#pragma once

#include "ports/task_handler.hpp"
#include "tasks/curl_loop.hpp"
#include "tasks/mail_message.hpp"
#include "tasks/url.hpp"

namespace fp::tasks {

struct MailServer {
  Url url;
  bool clear_text = false;  // no STARTTLS wanted: loopback, or tls=none in the URL
};
/// smtp://[user:password@]host[:port][/?tls=none] or smtps://...; error smtp.url, which never repeats the
/// text.
Result<MailServer> parse_mail_server(std::string_view text);

/// One attempt of send_email: hands the finished message over by SMTP. Lives on the curl loop's thread.
class MailTransfer final : public CurlTransfer {
 public:
  MailTransfer(const AddressGuard& guard, MailServer server, Mail mail, std::string message,
               Milliseconds timeout, std::shared_ptr<ports::AttemptControl> control,
               ports::TaskHandler::Done done);

  CURL* easy() override { return easy_.get(); }
  bool is_wanted() const override { return !control_->is_cancelled(); }
  Next end(CURLcode code) override;
  void abandon() override;

 private:
  struct ListCloser {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };
  void prepare(Milliseconds timeout);
  Error make_error(CURLcode code) const;
  void finish(ports::TaskHandler::Output output);
  static std::size_t on_read(char* buffer, std::size_t size, std::size_t count, void* self);
  static std::size_t on_reply(char* bytes, std::size_t size, std::size_t count, void* self);

  MailServer server_;
  Mail mail_;
  std::string message_;
  std::size_t read_ = 0;
  std::string last_reply_;
  std::shared_ptr<ports::AttemptControl> control_;
  ports::TaskHandler::Done done_;
  CurlHandle easy_;
  std::unique_ptr<curl_slist, ListCloser> recipients_;
  PeerCheck peer_;
};

}  // namespace fp::tasks
