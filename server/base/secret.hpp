#pragma once

#include <string>
#include <string_view>

namespace fp {

/// A new secret: `prefix` and 256 random bits in base64url (RFC 4648 section 5).
std::string make_secret(std::string_view prefix);
/// Compares in a time that tells nothing about where they differ.
bool is_same_secret(std::string_view a, std::string_view b);

}  // namespace fp
