#include "net/http_client.hpp"

#include "base/error_code.hpp"
#include "net/client_connection.hpp"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <fmt/format.h>

#include <optional>

namespace fp::net {

namespace {

namespace http = boost::beast::http;
constexpr std::size_t kMostReplyBytes = 64u << 20;
constexpr std::uint32_t kMostHeadBytes = 64 * 1024;

/// What one try came to: a reply, or why not and whether another try may help.
struct Outcome {
  std::optional<Response> response;
  Error error;
  bool may_repeat = false;
};

Response to_response(http::response<http::string_body>&& reply) {
  Response response;
  response.status = reply.result_int();
  response.content_type.clear();
  for (const auto& field : reply) {
    std::string name(field.name_string());
    std::string value(field.value());
    if (field.name() == http::field::content_type) response.content_type = value;
    response.headers.emplace_back(std::move(name), std::move(value));
  }
  response.body = std::move(reply.body());
  return response;
}

}  // namespace

class HttpClient::Inner {
 public:
  Inner(Address address, Milliseconds timeout) : address_(std::move(address)), timeout_(timeout) {}

  Result<Response> send(const http::request<http::string_body>& request) {
    const bool is_kept = stream_.has_value();
    auto outcome = try_once(request);
    // The server may have closed a kept connection just as the request went out; only what changes nothing is
    // repeated.
    const bool is_harmless = request.method() == http::verb::get || request.method() == http::verb::head;
    if (!outcome.response && is_kept && outcome.may_repeat && is_harmless) outcome = try_once(request);
    if (!outcome.response) return outcome.error;
    return std::move(*outcome.response);
  }

  const Address& address() const { return address_; }

 private:
  Outcome try_once(const http::request<http::string_body>& request) {
    if (!stream_) {
      stream_.emplace(context_);
      buffer_.clear();
      stream_->expires_after(timeout_);
      if (auto error = connect(context_, *stream_, address_)) {
        stream_.reset();
        return {std::nullopt, std::move(*error), false};
      }
    }
    stream_->expires_after(timeout_);
    boost::system::error_code error;
    http::async_write(*stream_, request,
                      [&](boost::system::error_code result, std::size_t) { error = result; });
    run();
    // A server that refuses a request early has answered all the same.
    const bool could_write = !error;
    http::response_parser<http::string_body> parser;
    parser.body_limit(kMostReplyBytes);
    parser.header_limit(kMostHeadBytes);
    parser.skip(request.method() == http::verb::head);
    http::async_read(*stream_, buffer_, parser,
                     [&](boost::system::error_code result, std::size_t) { error = result; });
    run();
    if (error) {
      const bool got_nothing = !parser.got_some();
      stream_.reset();
      return {std::nullopt, to_error(error), got_nothing};
    }
    if (!parser.keep_alive() || !could_write) stream_.reset();
    return {to_response(parser.release()), {}, false};
  }

  void run() {
    context_.restart();
    context_.run();
  }

  Error to_error(boost::system::error_code error) const {
    const auto where = authority(address_);
    if (error == boost::beast::error::timeout) {
      return Error(codes::net_timeout,
                   fmt::format("http://{} did not answer within {}", where, to_display_text(timeout_)));
    }
    if (error == http::error::body_limit) {
      return Error(codes::net_protocol, fmt::format("the answer of http://{} is larger than 64 MiB", where));
    }
    const bool was_closed = error == http::error::end_of_stream || error == http::error::partial_message ||
                            error == boost::asio::error::connection_reset ||
                            error == boost::asio::error::eof || error == boost::asio::error::broken_pipe;
    return Error(codes::net_protocol,
                 was_closed ? fmt::format("http://{} closed the connection before it had answered", where)
                            : fmt::format("what http://{} answers is not HTTP: {}", where, error.message()));
  }

  const Address address_;
  const Milliseconds timeout_;
  boost::asio::io_context context_{1};
  std::optional<boost::beast::tcp_stream> stream_;
  boost::beast::flat_buffer buffer_;
};

HttpClient::HttpClient(Address address, Milliseconds timeout)
    : inner_(std::make_unique<Inner>(std::move(address), timeout)) {}

HttpClient::~HttpClient() = default;

Result<Response> HttpClient::send(const std::string& method, const std::string& target,
                                  const std::string& body, const Fields& headers) {
  http::request<http::string_body> request;
  request.method_string(method);
  request.target(target);
  request.version(11);
  request.set(http::field::host, authority(inner_->address()));
  request.set(http::field::user_agent, "flowpilot/" FLOWPILOT_VERSION);
  if (!body.empty()) request.set(http::field::content_type, "application/json");
  for (const auto& [name, value] : headers) request.set(name, value);
  request.body() = body;
  request.prepare_payload();
  return inner_->send(request);
}

}  // namespace fp::net
