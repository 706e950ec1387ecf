#pragma once

#include "base/text.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace fp::tasks {

/// Each byte as the character of that number.
std::string latin1_to_utf8(std::string_view bytes);

/// RFC 4648 section 4, padded.
std::string to_base64(std::string_view bytes);
/// Padding may be missing; white space is skipped; anything else is no base64.
std::optional<std::string> from_base64(std::string_view text);
/// RFC 2045 section 6.7, lines up to 76 characters; `text` has CRLF line ends.
std::string to_quoted_printable(std::string_view text);

/// RFC 3986: everything but letters, digits and -._~ as %XX.
std::string percent_encode(std::string_view text);
std::string percent_decode(std::string_view text);

/// Lower case for ASCII letters; the rest stays.
std::string to_lower(std::string_view text);

}  // namespace fp::tasks
