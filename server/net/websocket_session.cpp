#include "net/websocket_session.hpp"

#include "net/lane.hpp"

#include <algorithm>
#include <utility>

namespace fp::net {

namespace {

using Kind = FrameReader::Event::Kind;
constexpr std::size_t kBatchBytes = 64 * 1024;  // taken from the queue at once
constexpr Milliseconds kClosingTime{5'000};     // for what is queued and the client's close frame, at most
constexpr Milliseconds kEndingTime{1'000};

}  // namespace

WebSocketSession::WebSocketSession(Lane& lane, Socket socket, std::unique_ptr<WebSocketListener> listener,
                                   std::string first, std::string unread)
    : Connection(lane, std::move(socket)),
      listener_(std::move(listener)),
      outlet_(std::make_shared<WebSocketOutlet>(lane.mailbox(), id(),
                                                lane.server().limits.websocket_queue_bytes)),
      reader_(lane.server().limits.websocket_message_bytes),
      first_(std::move(first)),
      unread_(std::move(unread)),
      last_heard_(lane.now()),
      window_start_(last_heard_) {
  ++lane.server().websockets;
}

WebSocketSession::~WebSocketSession() {
  --lane_.server().websockets;
}

void WebSocketSession::start() {
  out_.append(std::exchange(first_, {}));
  flush();
  tell([this] { listener_->on_open(outlet_); });
  if (lane_.is_stopping()) begin_stop();
  if (is_finished()) return;
  consume(std::exchange(unread_, {}));
  if (!is_finished()) read();
}

void WebSocketSession::read() {
  socket_.async_read_some(boost::asio::buffer(in_),
                          [this, self = shared_from_this()](boost::system::error_code error,
                                                            std::size_t count) { on_read(error, count); });
}

void WebSocketSession::on_read(boost::system::error_code error, std::size_t count) {
  if (is_finished()) return;
  if (error) return finish();
  consume({in_.data(), count});
  if (!is_finished()) read();
}

void WebSocketSession::consume(std::string_view bytes) {
  if (bytes.empty()) return;
  last_heard_ = lane_.now();
  was_pinged_ = false;
  while (state_ != State::kEnding && !is_finished()) {
    const auto event = reader_.next(bytes);
    if (!event) return;
    on_event(*event);
  }
}

void WebSocketSession::on_event(const FrameReader::Event& event) {
  if (event.kind == Kind::kBroken) return end_with(event.code, event.payload);
  if (event.kind == Kind::kClose) {
    const auto code = event.code == close_codes::kNoStatus ? close_codes::kNormal : event.code;
    return end_with(code, {});
  }
  if (state_ != State::kOpen) return;
  if (is_too_fast()) return end_with(close_codes::kPolicy, "too many messages in a second");
  if (event.kind == Kind::kText) tell([&] { listener_->on_text(event.payload); });
  if (event.kind != Kind::kPing) return;
  out_.append_with([&](std::string& out) {
    append_frame_head(out, Opcode::kPong, event.payload.size());
    out += event.payload;
  });
  pump();
}

bool WebSocketSession::is_too_fast() {
  if (last_heard_ - window_start_ >= std::chrono::seconds(1)) {
    window_start_ = last_heard_;
    frames_in_window_ = 0;
  }
  return ++frames_in_window_ > lane_.server().limits.websocket_messages_per_second;
}

template <class Call>
void WebSocketSession::tell(Call call) {
  try {
    call();
  } catch (const Unavailable&) {
    end_with(close_codes::kInternalError, "the server can not go on");
  }
}

void WebSocketSession::wake() {
  if (is_finished() || state_ == State::kEnding) return;
  if (deadline_ == SteadyPoint::max() && outlet_->closing()) {
    deadline_ = lane_.now() + std::min(kClosingTime, lane_.server().limits.write_time);
  }
  pump();
}

void WebSocketSession::on_writable() {
  pump();
}

void WebSocketSession::pump() {
  if (is_pumping_) return;
  is_pumping_ = true;
  const auto self = shared_from_this();
  for (;;) {
    flush();
    if (is_finished() || is_blocked()) break;
    note_written();
    if (state_ == State::kOpen && out_.empty()) take_texts();
    if (is_finished() || out_.empty()) break;
  }
  is_pumping_ = false;
  if (state_ == State::kEnding && !is_finished() && out_.empty()) shut_down();
}

void WebSocketSession::take_texts() {
  outlet_->take(texts_, kBatchBytes);
  for (const auto& text : texts_) {
    taken_bytes_ += text->size();
    out_.append_with([&](std::string& out) { append_frame_head(out, Opcode::kText, text->size()); });
    out_.append_shared(text);
  }
  if (!texts_.empty()) {
    texts_.clear();
    return;
  }
  texts_.shrink_to_fit();
  if (const auto closing = outlet_->closing()) send_close(closing->code, closing->reason);
}

void WebSocketSession::note_written() {
  if (taken_bytes_ == 0) return;
  const bool has_drained = outlet_->release(std::exchange(taken_bytes_, 0));
  if (has_drained && state_ == State::kOpen) tell([this] { listener_->on_drained(); });
}

void WebSocketSession::send_close(std::uint16_t code, std::string_view reason) {
  out_.append(close_frame(code, reason));
  state_ = State::kClosing;
}

void WebSocketSession::end_with(std::uint16_t code, std::string_view reason) {
  if (state_ == State::kOpen) out_.append(close_frame(code, reason));
  state_ = State::kEnding;
  deadline_ = lane_.now() + kEndingTime;
  end_listening();
  pump();
}

void WebSocketSession::shut_down() {
  if (std::exchange(is_shut_down_, true)) return;
  boost::system::error_code ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
}

void WebSocketSession::end_listening() {
  outlet_->shut();
  if (!std::exchange(has_ended_, true)) listener_->on_close();
}

void WebSocketSession::on_finish() {
  state_ = State::kEnding;
  end_listening();
}

void WebSocketSession::check_time(SteadyPoint now) {
  if (is_write_late(now) || now >= deadline_) return finish();
  if (state_ != State::kOpen) return;
  const auto silence = now - last_heard_;
  const auto patience = lane_.server().limits.websocket_ping;
  if (silence >= 2 * patience) return finish();
  if (silence < patience || std::exchange(was_pinged_, true)) return;
  out_.append_with([](std::string& out) { append_frame_head(out, Opcode::kPing, 0); });
  pump();
}

void WebSocketSession::begin_stop() {
  outlet_->close(close_codes::kGoingAway, "the server is stopping");
}

}  // namespace fp::net
