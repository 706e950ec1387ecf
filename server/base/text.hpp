#pragma once

#include <cstddef>
#include <string_view>

namespace fp {

/// The longest beginning of `text` of at most `most` bytes that cuts no UTF-8 character.
std::string_view cut_utf8(std::string_view text, std::size_t most);

/// So much of what a client sent is repeated in messages to it.
inline constexpr std::size_t kEchoedBytes = 64;
inline std::string_view echo(std::string_view text) {
  return cut_utf8(text, kEchoedBytes);
}

}  // namespace fp
