#include "net/frame_reader.hpp"

#include "net/text.hpp"

#include <algorithm>
#include <utility>

namespace fp::net {

namespace {

using Event = FrameReader::Event;
constexpr std::size_t kMostFragments = 1024;
constexpr std::size_t kMostControlBytes = 125;
constexpr std::size_t kKeptCapacity = 1024;  // by an idle connection

Event broken(std::uint16_t code, std::string_view why) {
  return {Event::Kind::kBroken, why, code};
}

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

/// The length of a frame's head by its first two bytes, with the mask.
std::size_t head_bytes(std::string_view head) {
  if (head.size() < 2) return 2;
  const auto second = static_cast<unsigned char>(head[1]);
  const std::size_t mask = (second & 0x80) != 0 ? 4 : 0;
  const auto length = second & 0x7F;
  return 2 + mask + (length == 126 ? 2 : length == 127 ? 8 : 0);
}

bool is_close_code(std::uint16_t code) {
  const bool is_defined = code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006;
  return is_defined || (code >= 3000 && code <= 4999);
}

}  // namespace

std::optional<Event> FrameReader::next(std::string_view& bytes) {
  if (is_delivered_) {
    if (message_.capacity() > kKeptCapacity) message_ = {};
    message_.clear();
    is_delivered_ = false;
  }
  for (;;) {
    if (!has_head_) {
      if (!read_head(bytes)) return std::nullopt;
      if (const auto event = check_head()) return event;
    }
    read_payload(bytes);
    if (read_ < length_) return std::nullopt;
    has_head_ = false;
    if (const auto event = finish_frame()) return event;
  }
}

bool FrameReader::read_head(std::string_view& bytes) {
  for (auto want = head_bytes(head_); head_.size() < want; want = head_bytes(head_)) {
    const auto step = std::min(want - head_.size(), bytes.size());
    if (step == 0) return false;
    head_ += bytes.substr(0, step);
    bytes.remove_prefix(step);
  }
  has_head_ = true;
  return true;
}

std::optional<Event> FrameReader::check_head() {
  using namespace close_codes;
  const std::string head = std::exchange(head_, {});
  const auto first = static_cast<unsigned char>(head[0]);
  const auto second = static_cast<unsigned char>(head[1]);
  const auto kind = first & 0x0F;
  if ((first & 0x70) != 0) return broken(kProtocolError, "a reserved bit is set");
  if ((second & 0x80) == 0) return broken(kProtocolError, "a frame is not masked");
  if ((kind > 2 && kind < 8) || kind > 10) return broken(kProtocolError, "an opcode is unknown");
  is_final_ = (first & 0x80) != 0;
  opcode_ = static_cast<Opcode>(kind);
  const std::string_view length = std::string_view(head).substr(2, head.size() - 6);
  length_ = length.empty() ? second & 0x7F : big_endian(length);
  std::copy_n(head.end() - 4, 4, mask_);
  read_ = 0;
  if (is_control()) {
    control_.clear();
    if (!is_final_ || length_ > kMostControlBytes)
      return broken(kProtocolError, "a control frame is too long or in parts");
    return std::nullopt;
  }
  const bool continues = opcode_ == Opcode::kContinuation;
  if (continues != (fragments_ > 0)) return broken(kProtocolError, "fragments of messages are mixed");
  if (opcode_ == Opcode::kBinary) return broken(kUnsupportedData, "only text is understood");
  if (length_ > message_bytes_ - message_.size() || ++fragments_ > kMostFragments) {
    return broken(kTooBig, "the message is too large or in too many parts");
  }
  return std::nullopt;
}

void FrameReader::read_payload(std::string_view& bytes) {
  std::string& to = is_control() ? control_ : message_;
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(length_ - read_, bytes.size()));
  const auto start = to.size();
  to.append(bytes.substr(0, size));
  for (std::size_t i = 0; i < size; ++i)
    to[start + i] = static_cast<char>(to[start + i] ^ mask_[(read_ + i) & 3]);
  read_ += size;
  bytes.remove_prefix(size);
}

std::optional<Event> FrameReader::finish_frame() {
  switch (opcode_) {
    case Opcode::kPing:
      return Event{Event::Kind::kPing, control_, 0};
    case Opcode::kPong:
      return Event{Event::Kind::kPong, control_, 0};
    case Opcode::kClose:
      return finish_close();
    default:
      return finish_message();
  }
}

Event FrameReader::finish_close() const {
  using namespace close_codes;
  const std::string_view payload = control_;
  if (payload.empty()) return {Event::Kind::kClose, {}, kNoStatus};
  const auto code = static_cast<std::uint16_t>(big_endian(payload.substr(0, 2)));
  if (payload.size() < 2 || !is_close_code(code)) return broken(kProtocolError, "the close code is not one");
  if (!is_utf8(payload.substr(2))) return broken(kBadText, "the close reason is not UTF-8");
  return {Event::Kind::kClose, payload.substr(2), code};
}

std::optional<Event> FrameReader::finish_message() {
  if (!is_final_) return std::nullopt;
  fragments_ = 0;
  is_delivered_ = true;
  if (!is_utf8(message_)) return broken(close_codes::kBadText, "the text is not UTF-8");
  return Event{Event::Kind::kText, message_, 0};
}

void append_frame_head(std::string& out, Opcode opcode, std::size_t payload_bytes) {
  const auto put = [&out](std::uint64_t value, int bytes) {
    for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xFF);
  };
  out += static_cast<char>(0x80 | static_cast<int>(opcode));
  if (payload_bytes < 126) {
    put(payload_bytes, 1);
  } else if (payload_bytes <= 0xFFFF) {
    out += 126;
    put(payload_bytes, 2);
  } else {
    out += 127;
    put(payload_bytes, 8);
  }
}

std::string close_frame(std::uint16_t code, std::string_view reason) {
  std::size_t size = 0;
  while (size < reason.size()) {
    const auto length = utf8_length(reason.substr(size));
    if (length == 0 || size + length > kMostControlBytes - 2) break;
    size += length;
  }
  std::string frame;
  append_frame_head(frame, Opcode::kClose, size + 2);
  frame += static_cast<char>(code >> 8);
  frame += static_cast<char>(code & 0xFF);
  frame += reason.substr(0, size);
  return frame;
}

}  // namespace fp::net
