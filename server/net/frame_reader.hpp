#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fp::net {

/// WebSocket close codes (RFC 6455 section 7.4.1)
namespace close_codes {
inline constexpr std::uint16_t kNormal = 1000;
inline constexpr std::uint16_t kGoingAway = 1001;
inline constexpr std::uint16_t kProtocolError = 1002;
inline constexpr std::uint16_t kUnsupportedData = 1003;
inline constexpr std::uint16_t kNoStatus = 1005;
inline constexpr std::uint16_t kBadText = 1007;
inline constexpr std::uint16_t kPolicy = 1008;
inline constexpr std::uint16_t kTooBig = 1009;
inline constexpr std::uint16_t kInternalError = 1011;
}  // namespace close_codes

enum class Opcode : std::uint8_t {
  kContinuation = 0,
  kText = 1,
  kBinary = 2,
  kClose = 8,
  kPing = 9,
  kPong = 10
};

/// The frames of a client (masked, RFC 6455 section 5) to whole text messages and control frames. Knows the
/// limits on size and on the number of fragments, and the codes that what breaks them is closed with. No I/O.
class FrameReader {
 public:
  struct Event {
    enum class Kind { kText, kPing, kPong, kClose, kBroken };
    Kind kind = Kind::kText;
    std::string_view payload;  // until the next call; of kBroken a plain sentence
    std::uint16_t code = 0;    // of kClose and kBroken
  };

  explicit FrameReader(std::size_t message_bytes) : message_bytes_(message_bytes) {}
  /// The next event in `bytes`, from which what was read is cut off; nothing when they are used up. Not to be
  /// called again after kBroken.
  std::optional<Event> next(std::string_view& bytes);

 private:
  bool read_head(std::string_view& bytes);
  std::optional<Event> check_head();
  void read_payload(std::string_view& bytes);
  std::optional<Event> finish_frame();
  Event finish_close() const;
  std::optional<Event> finish_message();
  bool is_control() const { return opcode_ >= Opcode::kClose; }

  const std::size_t message_bytes_;
  std::string head_;  // bytes of a frame's head so far
  bool has_head_ = false;
  bool is_final_ = false;
  Opcode opcode_ = Opcode::kText;
  std::uint64_t length_ = 0;
  std::uint64_t read_ = 0;
  char mask_[4] = {};
  std::string message_;
  std::string control_;
  std::size_t fragments_ = 0;  // of the message under way; 0 when there is none
  bool is_delivered_ = false;  // message_ was handed out
};

/// The head of an unmasked, unfragmented frame.
void append_frame_head(std::string& out, Opcode opcode, std::size_t payload_bytes);
/// A close frame; the reason is cut to what fits.
std::string close_frame(std::uint16_t code, std::string_view reason);

}  // namespace fp::net
