#pragma once

#include <cstddef>
#include <string_view>

namespace fp {

/// The longest beginning of `text` of at most `most` bytes that cuts no UTF-8 character.
std::string_view cut_utf8(std::string_view text, std::size_t most);

/// The length in bytes of the well-formed UTF-8 character (RFC 3629) `text` starts with; 0 when there is
/// none.
constexpr std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : static_cast<unsigned char>(0);
  };
  const auto is_tail = [&](std::size_t i) { return (byte(i) & 0xC0) == 0x80; };
  const auto first = byte(0);
  if (text.empty()) return 0;
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return is_tail(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const bool is_short = first == 0xE0 && byte(1) < 0xA0;
    const bool is_surrogate = first == 0xED && byte(1) >= 0xA0;
    return is_tail(1) && is_tail(2) && !is_short && !is_surrogate ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool is_short = first == 0xF0 && byte(1) < 0x90;
    const bool is_beyond = first == 0xF4 && byte(1) >= 0x90;
    return is_tail(1) && is_tail(2) && is_tail(3) && !is_short && !is_beyond ? 4 : 0;
  }
  return 0;
}

/// Well-formed UTF-8: no overlong forms, surrogates or values beyond U+10FFFF.
constexpr bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

/// So much of what a client sent is repeated in messages to it.
inline constexpr std::size_t kEchoedBytes = 64;
inline std::string_view echo(std::string_view text) {
  return cut_utf8(text, kEchoedBytes);
}

}  // namespace fp
