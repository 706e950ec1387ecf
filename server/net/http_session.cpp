#include "net/http_session.hpp"

#include "base/error_code.hpp"
#include "net/compression.hpp"
#include "net/lane.hpp"
#include "net/response_head.hpp"
#include "net/text.hpp"
#include "net/websocket_handshake.hpp"
#include "net/websocket_session.hpp"

#include <boost/asio/error.hpp>

#include <algorithm>
#include <cstring>

namespace fp::net {

namespace {

constexpr std::size_t kFirstBuffer = 4 * 1024;
constexpr std::size_t kBodyBuffer = 64 * 1024;
constexpr std::size_t kMostUnwritten = 64 * 1024;     // replies that wait; then no more requests are taken
constexpr std::size_t kMostCompressedHere = 1 << 20;  // on the network's thread: about 10 ms
constexpr std::size_t kMostCompressed = 64 << 20;     // on the thread of who answers
constexpr Milliseconds kLingerTime{1'000};
constexpr std::size_t kLingerBytes = 1 << 20;  // besides what a body may have

bool is_sane_id(std::string_view id) {
  return !id.empty() && id.size() <= 128 && std::ranges::all_of(id, [](char c) {
    const char lower = to_lower(c);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  });
}

std::string peer_text(const boost::asio::ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6()).to_string();
  }
  return address.to_string();
}

bool is_loopback_text(std::string_view peer) {
  return peer.starts_with("127.") || peer == "::1";
}

/// How a Handler's answer comes back, from whatever thread and however late.
class Reply {
 public:
  Reply(std::shared_ptr<Mailbox> mailbox, std::uint64_t connection, std::uint64_t request,
        std::size_t compress_from)
      : mailbox_(std::move(mailbox)),
        connection_(connection),
        request_(request),
        compress_from_(compress_from) {}

  void operator()(Response response) {
    if (mailbox_->is_at_home()) return mailbox_->lane().answer(connection_, request_, std::move(response));
    if (compress_from_ > 0) compress(response, compress_from_, kMostCompressed);
    mailbox_->post({connection_, request_, std::move(response)});
  }

 private:
  std::shared_ptr<Mailbox> mailbox_;
  std::uint64_t connection_;
  std::uint64_t request_;
  std::size_t compress_from_;  // 0: the client does not take it
};

}  // namespace

HttpSession::HttpSession(Lane& lane, Socket socket, const boost::asio::ip::address& peer)
    : Connection(lane, std::move(socket)),
      peer_(peer_text(peer)),
      is_loopback_(is_loopback_text(peer_)),
      parser_(lane.server().limits, lane.server().hosts) {}

void HttpSession::start() {
  advance();
}

void HttpSession::read() {
  if (is_reading_ || input_ended_ || is_finished()) return;
  if (begin_ == end_) begin_ = end_ = 0;
  const bool wants_body =
      parser_.state() == RequestParser::State::kBody && parser_.body_left() > kFirstBuffer;
  if (begin_ > 0) {
    std::memmove(in_.data(), in_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (wants_body && in_.size() < kBodyBuffer) in_.resize(kBodyBuffer);
  if (!wants_body && end_ == 0 && in_.size() > kFirstBuffer) in_ = std::vector<char>(kFirstBuffer);
  if (end_ == in_.size())
    in_.resize(std::max(kFirstBuffer, in_.size() * 2));  // bounded by the parser's limits
  is_reading_ = true;
  socket_.async_read_some(boost::asio::buffer(in_.data() + end_, in_.size() - end_),
                          [this, self = shared_from_this()](boost::system::error_code error,
                                                            std::size_t count) { on_read(error, count); });
}

void HttpSession::on_read(boost::system::error_code error, std::size_t count) {
  is_reading_ = false;
  if (is_finished()) return;
  if (error == boost::asio::error::eof) return on_end_of_input();
  if (error) return finish();
  if (phase_ == Phase::kLinger) {
    if (count > linger_left_) return finish();
    linger_left_ -= count;
    return read();
  }
  end_ += count;
  advance();
}

void HttpSession::on_end_of_input() {
  *is_gone_ = true;
  input_ended_ = true;
  takes_requests_ = false;
  if (phase_ == Phase::kLinger || (slots_.empty() && out_.empty())) return finish();
  if (slots_.empty()) is_closing_ = true;
  phase_ = Phase::kNone;  // half a request never gets complete now; the others are still answered
}

void HttpSession::on_writable() {
  advance();
}

void HttpSession::advance() {
  if (is_advancing_) return;
  is_advancing_ = true;
  const auto self = shared_from_this();
  do {
    flush();
  } while (!is_finished() && parse_some());
  is_advancing_ = false;
  if (is_finished()) return;
  if (is_closing_ && out_.empty()) return linger();
  set_phase();
  if (held_upgrade_) return;  // the socket changes hands with nothing under way
  const bool is_full = begin_ < end_ && !may_parse();
  if (!is_full && takes_requests_) read();
  // A client that only waits is watched too: its going shows as the end of input.
  if (!takes_requests_ && !is_closing_ && !slots_.empty() && begin_ == end_) read();
}

/// False when there is nothing more to take now and nothing new to write.
bool HttpSession::parse_some() {
  const auto before = out_.bytes();
  const auto position = begin_;
  while (may_parse() && begin_ < end_) {
    const auto at = begin_;
    feed_parser();
    if (is_finished()) return false;
    if (begin_ == at && parser_.state() != RequestParser::State::kDone) break;
  }
  if (held_upgrade_ && slots_.empty() && out_.empty()) {
    Request request = std::move(*held_upgrade_);
    held_upgrade_.reset();
    try_upgrade(std::move(request));
    return !is_finished();
  }
  return !is_blocked() && (out_.bytes() > before || begin_ > position);
}

bool HttpSession::may_parse() const {
  return takes_requests_ && !is_closing_ && !held_upgrade_ && !is_blocked() &&
         slots_.size() < lane_.server().limits.pipelined_requests && out_.bytes() < kMostUnwritten;
}

void HttpSession::feed_parser() {
  begin_ += parser_.feed({in_.data() + begin_, end_ - begin_});
  switch (parser_.state()) {
    case RequestParser::State::kDone:
      return dispatch();
    case RequestParser::State::kRefused:
      return refuse(parser_.refusal());
    case RequestParser::State::kBody:
      return greet_expectation();
    default:
      return;
  }
}

void HttpSession::greet_expectation() {
  if (slots_.empty() && begin_ == end_ && parser_.take_expectation())
    out_.append("HTTP/1.1 100 Continue\r\n\r\n");
}

HttpSession::Slot& HttpSession::add_slot(const Request& request) {
  Slot& slot = slots_.emplace_back();
  slot.number = ++last_number_;
  slot.request_id = request.id;
  slot.is_head = request.method == "HEAD";
  const auto* encodings = find_field(request.headers, "Accept-Encoding");
  slot.takes_gzip = encodings != nullptr && takes_gzip(*encodings);
  return slot;
}

void HttpSession::dispatch() {
  phase_ = Phase::kNone;
  const bool is_last = !parser_.keeps_alive() || lane_.is_stopping();
  const bool wants_websocket = parser_.wants_websocket();
  Request request = parser_.take();
  request.peer = peer_;
  request.from_loopback = is_loopback_;
  request.is_gone = is_gone_;
  const auto* id = find_field(request.headers, "X-Request-Id");
  request.id = id != nullptr && is_sane_id(*id) ? *id : lane_.make_request_id();
  if (wants_websocket) {
    held_upgrade_ = std::move(request);
    return;
  }
  Slot& slot = add_slot(request);
  slot.closes = is_last;
  takes_requests_ = !is_last;
  serve(std::move(request), slot);
}

void HttpSession::serve(Request request, const Slot& slot) {
  auto& server = lane_.server();
  const auto number = slot.number;
  const std::string request_id = slot.request_id;  // the slot is gone when the answer comes at once
  Reply reply(lane_.mailbox(), id(), slot.number,
              slot.takes_gzip ? std::max<std::size_t>(server.limits.compress_from_bytes, 1) : 0);
  try {
    server.handler.handle(std::move(request), std::move(reply));
  } catch (const Unavailable& unavailable) {
    const Error& error = unavailable.error();
    answer(number, server.handler.refuse(503, error.code, error.message, request_id));
  }
}

void HttpSession::answer(std::uint64_t request, Response response) {
  const auto slot = std::ranges::find(slots_, request, &Slot::number);
  if (is_finished() || slot == slots_.end() || slot->response) return;
  slot->response = std::move(response);
  settle();
}

void HttpSession::wake() {
  if (!is_finished()) advance();
}

void HttpSession::settle() {
  while (!slots_.empty() && slots_.front().response && !is_closing_) {
    Slot& slot = slots_.front();
    const bool is_last_when_stopping = lane_.is_stopping() && slots_.size() == 1 && !takes_requests_;
    is_closing_ = slot.closes || is_last_when_stopping || (input_ended_ && slots_.size() == 1);
    write_reply(slot, is_closing_);
    slots_.pop_front();
  }
  if (is_closing_) slots_.clear();
}

void HttpSession::write_reply(Slot& slot, bool closes) {
  Response& response = *slot.response;
  const auto compress_from = lane_.server().limits.compress_from_bytes;
  if (slot.takes_gzip) compress(response, compress_from, kMostCompressedHere);
  HeadFacts facts;
  facts.request_id = slot.request_id;
  facts.date = lane_.http_date();
  facts.body_bytes = response.content().size();
  facts.closes = closes;
  facts.varies_by_encoding = varies_by_encoding(response, compress_from);
  out_.append_with([&](std::string& out) { append_head(out, response, facts); });
  if (slot.is_head || !may_have_body(response.status)) return;
  if (response.static_body.data() != nullptr) {
    out_.append_static(response.static_body);
  } else if (response.shared_body) {
    out_.append_shared(response.shared_body);
  } else {
    out_.append_owned(std::move(response.body));
  }
}

void HttpSession::refuse(Refusal refusal) {
  takes_requests_ = false;
  Request nameless;
  nameless.id = lane_.make_request_id();
  nameless.method = parser_.method();
  Slot& slot = add_slot(nameless);
  slot.closes = true;
  slot.response =
      lane_.server().handler.refuse(refusal.status, refusal.code, std::move(refusal.detail), slot.request_id);
  for (auto& field : refusal.headers) slot.response->headers.push_back(std::move(field));
  settle();
}

void HttpSession::try_upgrade(Request request) {
  if (auto refusal = check_websocket_handshake(request)) return refuse(std::move(*refusal));
  auto agreed = ask_for_listener(request);
  if (auto* listener = std::get_if<std::unique_ptr<WebSocketListener>>(&agreed)) {
    return become_websocket(std::move(*listener), request);
  }
  Slot& slot = add_slot(request);
  slot.closes = lane_.is_stopping();
  slot.response = std::move(std::get<Response>(agreed));
  settle();
}

std::variant<std::unique_ptr<WebSocketListener>, Response> HttpSession::ask_for_listener(
    const Request& request) {
  auto& handler = lane_.server().handler;
  try {
    return handler.upgrade(request);
  } catch (const Unavailable& unavailable) {
    return handler.refuse(503, unavailable.error().code, unavailable.error().message, request.id);
  }
}

void HttpSession::become_websocket(std::unique_ptr<WebSocketListener> listener, const Request& request) {
  std::string first = websocket_accept_head(request);
  std::string unread(in_.data() + begin_, end_ - begin_);
  auto session = std::make_shared<WebSocketSession>(lane_, release_socket(), std::move(listener),
                                                    std::move(first), std::move(unread));
  lane_.replace(*this, std::move(session));
}

void HttpSession::set_phase() {
  const auto& limits = lane_.server().limits;
  auto phase = Phase::kNone;
  auto time = limits.idle_time;
  if (takes_requests_ && may_parse()) {
    if (parser_.state() == RequestParser::State::kHead) {
      phase = Phase::kHead;
      time = limits.header_time;
    } else if (parser_.state() == RequestParser::State::kBody) {
      phase = Phase::kBody;
      time = limits.body_time;
    } else if (slots_.empty()) {
      phase = Phase::kIdle;
    }
  }
  if (phase == phase_) return;
  phase_ = phase;
  read_deadline_ = lane_.now() + time;
}

void HttpSession::check_time(SteadyPoint now) {
  if (is_write_late(now)) return finish();
  if (phase_ == Phase::kNone || now < read_deadline_) return;
  if (phase_ == Phase::kIdle || phase_ == Phase::kLinger) return finish();
  const bool is_head = phase_ == Phase::kHead;
  phase_ = Phase::kNone;
  refuse({408,
          codes::request_timeout.id,
          is_head ? "The header did not arrive in time." : "The body did not arrive in time.",
          {}});
  advance();
}

void HttpSession::begin_stop() {
  const bool is_idle = parser_.state() == RequestParser::State::kIdle && begin_ == end_;
  if (!is_idle || is_closing_)
    return;  // what comes in half is served; dispatch() then sees that it is the last
  takes_requests_ = false;
  if (slots_.empty() && out_.empty()) return finish();
  if (slots_.empty()) is_closing_ = true;
}

void HttpSession::linger() {
  if (input_ended_) return finish();
  boost::system::error_code ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
  begin_ = end_ = 0;
  phase_ = Phase::kLinger;
  read_deadline_ = lane_.now() + kLingerTime;
  linger_left_ = lane_.server().limits.body_bytes + kLingerBytes;
  read();
}

}  // namespace fp::net
