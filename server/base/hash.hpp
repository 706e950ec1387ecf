#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace fp {

/// BLAKE2b (RFC 7693), 16 and 32 bytes long.
using Hash128 = std::array<std::uint8_t, 16>;
using Hash256 = std::array<std::uint8_t, 32>;
Hash128 hash_128(std::string_view bytes);
/// The hash of `bytes` keyed to what came before: a chain in which a changed, lost or reordered link shows.
Hash128 chain_hash(const Hash128& previous, std::string_view bytes);
Hash256 hash_256(std::string_view bytes);
/// HMAC (RFC 2104) with SHA-256.
Hash256 hmac_sha256(std::string_view key, std::string_view bytes);
std::string to_hex(std::span<const std::uint8_t> bytes);

}  // namespace fp
