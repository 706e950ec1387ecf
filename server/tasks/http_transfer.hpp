#pragma once

#include "ports/task_handler.hpp"
#include "tasks/curl_loop.hpp"
#include "tasks/http_call.hpp"
#include "tasks/http_reply.hpp"

namespace fp::tasks {

/// The limits of a transfer that no step can change; tests shorten them.
struct HttpLimits {
  Milliseconds connect{10'000};
  Milliseconds low_speed_window{30'000};  // once the body has begun, each such span must bring
  std::size_t low_speed_bytes = 30 * 16;  // at least so much
  std::size_t header_bytes = 64u << 10;
  int redirects = 5;
};

/// What every HTTP transfer of a process shares; outlives them.
struct HttpContext {
  const AddressGuard& guard;
  const Clock& clock;
  std::string proxy_url;
  HttpLimits limits;
};

/// One attempt of http_request: the request, its redirects, and the reply. Lives on the curl loop's thread.
class HttpTransfer final : public CurlTransfer {
 public:
  HttpTransfer(const HttpContext& context, HttpCall call, Milliseconds timeout,
               std::shared_ptr<ports::AttemptControl> control, ports::TaskHandler::Done done);

  CURL* easy() override { return easy_.get(); }
  bool is_wanted() const override { return !control_->is_cancelled(); }
  Next end(CURLcode code) override;
  void abandon() override;

 private:
  enum class Stop { none, too_large, header_too_large, low_speed, error_body_read };
  struct ListCloser {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };
  struct MimeCloser {
    void operator()(curl_mime* mime) const { curl_mime_free(mime); }
  };

  void prepare();
  void prepare_request();
  void prepare_limits();
  /// Http.blocked_address when the URL's own host is a special address (a proxy hides the peer).
  std::optional<Error> refuse_literal() const;
  bool is_redirect() const;
  Result<void> redirect();
  Error make_error(CURLcode code) const;
  ports::TaskHandler::Output make_output() const;
  void finish(ports::TaskHandler::Output output);
  Milliseconds elapsed() const;
  std::size_t take_body(std::string_view bytes);
  std::size_t take_header(std::string_view line);
  bool is_slow();
  static std::size_t on_body(char* bytes, std::size_t size, std::size_t count, void* self);
  static std::size_t on_header(char* bytes, std::size_t size, std::size_t count, void* self);
  static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t);

  const HttpContext& context_;
  HttpCall call_;
  Milliseconds timeout_;
  std::shared_ptr<ports::AttemptControl> control_;
  ports::TaskHandler::Done done_;
  CurlHandle easy_;
  std::unique_ptr<curl_slist, ListCloser> header_list_;
  std::unique_ptr<curl_mime, MimeCloser> mime_;
  PeerCheck peer_;
  HttpReply reply_;
  std::size_t header_bytes_ = 0;
  Stop stop_ = Stop::none;
  int redirects_ = 0;
  SteadyPoint started_;
  std::optional<SteadyPoint> window_start_;
  std::size_t window_bytes_ = 0;
};

}  // namespace fp::tasks
