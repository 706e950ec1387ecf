#pragma once

#include "net/host_names.hpp"
#include "net/http_server.hpp"
#include "net/message.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fp::net {

/// Why a request is not served, for Handler::refuse.
struct Refusal {
  unsigned status = 400;
  std::string_view code;
  std::string detail;
  Fields headers;  // such as Allow
};

/// Bytes to requests, one after another (RFC 9112). Stricter than it has to be wherever two readers of the
/// same bytes could see different requests (smuggling): line ends are CRLF, one Content-Length or one
/// `Transfer-Encoding: chunked`, no folded lines, no blank before a colon. Checks the limits and the Host as
/// soon as the bytes are there. No I/O.
class RequestParser {
 public:
  enum class State { kIdle, kHead, kBody, kDone, kRefused };

  RequestParser(const Limits& limits, const HostNames& hosts) : limits_(limits), hosts_(hosts) {}

  /// `bytes` is what was not taken yet, with more behind it at each call. Returns how much of it was taken;
  /// what is left over must be shown again. Call take() once the state is kDone before feeding on.
  std::size_t feed(std::string_view bytes);
  State state() const { return state_; }
  const Refusal& refusal() const { return refusal_; }

  /// Empty until the request line is read.
  const std::string& method() const { return request_.method; }
  // From the end of the head on:
  bool keeps_alive() const { return keeps_alive_; }
  bool wants_websocket() const { return wants_websocket_; }
  /// The client waits for `100 Continue` before it sends the body; true once.
  bool take_expectation();
  /// Bytes of the body still to come, as far as known.
  std::size_t body_left() const { return static_cast<std::size_t>(left_); }

  /// The request, complete but for what only the connection knows; the parser is idle again.
  Request take();

 private:
  enum class Part { kPlain, kChunkSize, kChunkData, kChunkEnd, kTrailer };

  std::size_t feed_head(std::string_view bytes);
  std::size_t feed_body(std::string_view bytes);
  std::size_t feed_line(std::string_view bytes);
  std::size_t take_bytes(std::string_view bytes);
  void check_size(std::string_view bytes);
  void parse_head(std::string_view head);
  void parse_request_line(std::string_view line);
  void parse_field(std::string_view line);
  void note_field(std::string_view name, std::string_view value);
  void note_length(std::string_view value);
  void note_coding(std::string_view value);
  void finish_head();
  void check_host();
  void parse_chunk_size(std::string_view line);
  void refuse(unsigned status, std::string_view code, std::string detail);
  void refuse_malformed(std::string detail);

  const Limits& limits_;
  const HostNames& hosts_;
  State state_ = State::kIdle;
  Part part_ = Part::kPlain;
  Refusal refusal_;
  Request request_;
  std::string authority_;  // of an absolute target
  std::optional<std::string> host_;
  std::size_t scanned_ = 0;  // of the head, known to hold no end
  std::size_t line_start_ = 0;
  std::size_t first_line_ = 0;  // its length with CRLF; 0 while unknown
  std::optional<std::uint64_t> length_;
  std::uint64_t left_ = 0;  // of the body, or of the chunk
  std::size_t trailer_bytes_ = 0;
  bool skipped_blank_line_ = false;
  bool is_http_10_ = false;
  bool is_chunked_ = false;
  bool keeps_alive_ = true;
  bool has_connection_upgrade_ = false;
  bool wants_websocket_ = false;
  bool expects_continue_ = false;
};

}  // namespace fp::net
