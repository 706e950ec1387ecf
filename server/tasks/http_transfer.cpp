#include "tasks/http_transfer.hpp"

#include "base/error_code.hpp"
#include "tasks/text_codec.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fp::tasks {

namespace {

constexpr std::size_t kErrorBody = 64u << 10;  // of a reply that fails the step anyway

/// Headers that may follow a redirect to another origin; anything else may be a secret.
bool may_cross_origin(const std::string& name) {
  static constexpr const char* kHarmless[] = {"accept", "accept-language", "content-type", "user-agent",
                                              "idempotency-key"};
  return std::find(std::begin(kHarmless), std::end(kHarmless), to_lower(name)) != std::end(kHarmless);
}

bool is_connect_phase(CURL* easy) {
  curl_off_t connected = 0;
  curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &connected);
  return connected == 0;
}

const ErrorCode& code_of(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return codes::http_dns;
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_PROXY:
      return codes::http_proxy;
    case CURLE_COULDNT_CONNECT:
      return codes::http_connect;
    case CURLE_OPERATION_TIMEDOUT:
      return codes::http_timeout;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
      return codes::http_tls;
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
      return codes::http_broken;
    case CURLE_URL_MALFORMAT:
      return codes::http_url;
    case CURLE_OUT_OF_MEMORY:
      return codes::http_too_large;  // a header line beyond curl's own limit
    default:
      return codes::http_protocol;
  }
}

}  // namespace

HttpTransfer::HttpTransfer(const HttpContext& context, HttpCall call, Milliseconds timeout,
                           std::shared_ptr<ports::AttemptControl> control, ports::TaskHandler::Done done)
    : context_(context),
      call_(std::move(call)),
      timeout_(timeout),
      control_(std::move(control)),
      done_(std::move(done)),
      easy_(curl_easy_init()),
      started_(context.clock.steady_now()) {
  prepare();
}

Milliseconds HttpTransfer::elapsed() const {
  return std::chrono::duration_cast<Milliseconds>(context_.clock.steady_now() - started_);
}

void HttpTransfer::prepare() {
  CURL* easy = easy_.get();
  curl_easy_reset(easy);
  reply_ = {};
  header_bytes_ = 0;
  window_start_.reset();
  curl_easy_setopt(easy, CURLOPT_URL, call_.url.text.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);  // redirects are followed here, where each is checked
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, long(CURL_HTTP_VERSION_2TLS));
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, long(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
  curl_easy_setopt(easy, CURLOPT_NETRC, long(CURL_NETRC_IGNORED));
  curl_easy_setopt(easy, CURLOPT_PROXY, context_.proxy_url.c_str());
  curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT,
                   1L);  // never wait for a resolver thread when a transfer is given up
  peer_ = {&context_.guard, call_.url.host, call_.url.port, !context_.proxy_url.empty(), std::nullopt};
  peer_.install(easy);
  prepare_request();
  prepare_limits();
}

void HttpTransfer::prepare_request() {
  CURL* easy = easy_.get();
  if (!call_.url.user.empty() || !call_.url.password.empty()) {
    curl_easy_setopt(easy, CURLOPT_HTTPAUTH, long(CURLAUTH_BASIC));
    curl_easy_setopt(easy, CURLOPT_USERNAME, call_.url.user.c_str());
    curl_easy_setopt(easy, CURLOPT_PASSWORD, call_.url.password.c_str());
  }
  if (!call_.parts.empty()) {
    mime_.reset(curl_mime_init(easy));
    for (const auto& part : call_.parts) {
      auto* added = curl_mime_addpart(mime_.get());
      curl_mime_name(added, part.name.c_str());
      curl_mime_data(added, part.content.data(), part.content.size());
      if (!part.file_name.empty()) curl_mime_filename(added, part.file_name.c_str());
      if (!part.content_type.empty()) curl_mime_type(added, part.content_type.c_str());
    }
    curl_easy_setopt(easy, CURLOPT_MIMEPOST, mime_.get());
  } else if (call_.body) {
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call_.body->size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call_.body->data());
  } else if (call_.method == "POST" || call_.method == "PUT" || call_.method == "PATCH") {
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, 0L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, "");
  }
  if (call_.method == "HEAD")
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
  else
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call_.method.c_str());
  curl_slist* list = curl_slist_append(nullptr, "Expect:");
  if (!call_.has_header("content-type") && call_.parts.empty())
    list = curl_slist_append(list, "Content-Type:");
  for (const auto& [name, value] : call_.headers) {
    list = curl_slist_append(list, (value.empty() ? name + ";" : fmt::format("{}: {}", name, value)).c_str());
  }
  header_list_.reset(list);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list);
  curl_easy_setopt(easy, CURLOPT_HEADEROPT, long(CURLHEADER_SEPARATE));
}

void HttpTransfer::prepare_limits() {
  CURL* easy = easy_.get();
  const auto left = std::max(Milliseconds(1), timeout_ - elapsed());
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(left.count()));
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(std::min(left, context_.limits.connect).count()));
  curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 64L << 10);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &HttpTransfer::on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &HttpTransfer::on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, &HttpTransfer::on_progress);
  curl_easy_setopt(easy, CURLOPT_XFERINFODATA, this);
}

std::size_t HttpTransfer::on_body(char* bytes, std::size_t size, std::size_t count, void* self) {
  return static_cast<HttpTransfer*>(self)->take_body({bytes, size * count});
}

std::size_t HttpTransfer::on_header(char* bytes, std::size_t size, std::size_t count, void* self) {
  return static_cast<HttpTransfer*>(self)->take_header({bytes, size * count});
}

int HttpTransfer::on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<HttpTransfer*>(self)->is_slow() ? 1 : 0;
}

/// Fewer bytes taken than given makes curl end the transfer.
std::size_t HttpTransfer::take_body(std::string_view bytes) {
  long status = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
  if (!window_start_) window_start_ = context_.clock.steady_now();
  if (!call_.expects(status) && reply_.body.size() + bytes.size() > kErrorBody) {
    reply_.body += bytes.substr(0, kErrorBody - reply_.body.size());
    reply_.body_cut = true;
    stop_ = Stop::error_body_read;
    return 0;
  }
  curl_off_t announced = -1;
  if (reply_.header("content-encoding").empty())
    curl_easy_getinfo(easy_.get(), CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
  const bool too_large = reply_.body.size() + bytes.size() > call_.max_bytes ||
                         (announced > 0 && static_cast<std::size_t>(announced) > call_.max_bytes);
  if (too_large && call_.expects(status)) {
    stop_ = Stop::too_large;
    return 0;
  }
  reply_.body += bytes;
  return bytes.size();
}

std::size_t HttpTransfer::take_header(std::string_view line) {
  header_bytes_ += line.size();
  if (header_bytes_ > context_.limits.header_bytes) {
    stop_ = Stop::header_too_large;
    return 0;
  }
  reply_.add_header_line(line);
  return line.size();
}

/// curl's own low-speed limit would also end requests whose peer thinks long before it answers.
bool HttpTransfer::is_slow() {
  if (!window_start_) return false;
  const auto now = context_.clock.steady_now();
  if (now - *window_start_ < context_.limits.low_speed_window) return false;
  const bool slow = reply_.body.size() - window_bytes_ < context_.limits.low_speed_bytes;
  window_start_ = now;
  window_bytes_ = reply_.body.size();
  if (slow) stop_ = Stop::low_speed;
  return slow;
}

bool HttpTransfer::is_redirect() const {
  static constexpr long kRedirects[] = {301, 302, 303, 307, 308};
  const bool status =
      std::find(std::begin(kRedirects), std::end(kRedirects), reply_.status) != std::end(kRedirects);
  return call_.follow_redirects && status && !reply_.header("location").empty();
}

Result<void> HttpTransfer::redirect() {
  if (++redirects_ > context_.limits.redirects)
    return Error(codes::http_redirects, fmt::format("{} redirects again, after {} redirects",
                                                    call_.url.authority(), context_.limits.redirects));
  auto next = parse_url(reply_.header("location"), &call_.url.text);
  if (const auto fit = check_http_url(next); !fit)
    return Error(fit.error().code,
                 fmt::format("{} redirects to where nobody may follow: {}", call_.url.authority(),
                             fit.error().message),
                 false);
  const bool same_origin = next->same_origin(call_.url);
  next->user = same_origin ? call_.url.user : "";
  next->password = same_origin ? call_.url.password : "";
  if (!same_origin)
    std::erase_if(call_.headers, [](const auto& header) { return !may_cross_origin(header.first); });
  const bool becomes_get = (reply_.status == 303 && call_.method != "HEAD") ||
                           ((reply_.status == 301 || reply_.status == 302) && call_.method == "POST");
  if (becomes_get) {
    call_.method = "GET";
    call_.body.reset();
    call_.parts.clear();
    std::erase_if(call_.headers, [](const auto& header) { return to_lower(header.first) == "content-type"; });
  }
  call_.url = std::move(*next);
  prepare();
  return {};
}

CurlTransfer::Next HttpTransfer::end(CURLcode code) {
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &reply_.status);
  const bool replied = code == CURLE_OK || stop_ == Stop::error_body_read;
  if (!replied) {
    finish(make_error(code));
    return Next::done;
  }
  if (is_redirect()) {
    stop_ = Stop::none;
    if (auto next = redirect(); !next) {
      finish(next.error());
      return Next::done;
    }
    if (auto refused = refuse_literal()) {
      finish(std::move(*refused));
      return Next::done;
    }
    return Next::again;
  }
  finish(make_output());
  return Next::done;
}

std::optional<Error> HttpTransfer::refuse_literal() const {
  const auto literal = parse_ip(call_.url.host);
  if (!literal) return std::nullopt;
  const auto why = context_.guard.refuse(call_.url.host, *literal, call_.url.port);
  return why ? std::optional(Error(codes::http_blocked_address, *why)) : std::nullopt;
}

Error HttpTransfer::make_error(CURLcode code) const {
  const auto peer = call_.url.authority();
  switch (stop_) {
    case Stop::too_large:
      return {codes::http_too_large,
              fmt::format("the reply of {} is larger than {} bytes", peer, call_.max_bytes)};
    case Stop::header_too_large:
      return {codes::http_too_large,
              fmt::format("the headers of {} are larger than {} bytes", peer, context_.limits.header_bytes)};
    case Stop::low_speed:
      return {codes::http_low_speed,
              fmt::format("the reply of {} trickles: {} bytes so far", peer, reply_.body.size())};
    default:
      break;
  }
  if (peer_.refused && (code == CURLE_COULDNT_CONNECT || code == CURLE_SEND_ERROR))
    return {codes::http_blocked_address, *peer_.refused};
  if (code == CURLE_OPERATION_TIMEDOUT) {
    return {codes::http_timeout, fmt::format("{} took longer than {} {}", peer, to_display_text(elapsed()),
                                             is_connect_phase(easy_.get()) ? "to connect" : "to answer")};
  }
  return {code_of(code), fmt::format("{}: {}", peer, curl_easy_strerror(code))};
}

ports::TaskHandler::Output HttpTransfer::make_output() const {
  if (!call_.expects(reply_.status))
    return make_status_error(reply_, call_.url.authority(), context_.clock.now());
  auto decoded = decode_body(reply_, call_.response);
  if (!decoded) return decoded.error();
  JsonObject headers;
  for (const auto& [name, value] : reply_.headers) headers[name] = value;
  JsonObject out{
      {"status_code", reply_.status}, {"headers", std::move(headers)}, {"data", std::move(decoded->data)}};
  if (!decoded->encoding.empty()) out["encoding"] = decoded->encoding;
  out["url"] = call_.url.text;
  out["elapsed_ms"] = elapsed().count();
  return Json(std::move(out));
}

void HttpTransfer::abandon() {
  finish(Error(codes::task_cancelled, fmt::format("the request to {} was stopped", call_.url.authority())));
}

void HttpTransfer::finish(ports::TaskHandler::Output output) {
  control_->set_cancel_hook({});
  done_(std::move(output));
}

}  // namespace fp::tasks
