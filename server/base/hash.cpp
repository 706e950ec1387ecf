#include "base/hash.hpp"

#include <sodium/crypto_auth_hmacsha256.h>
#include <sodium/crypto_generichash.h>

namespace fp {

namespace {
const unsigned char* raw(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
}  // namespace

Hash128 hash_128(std::string_view bytes) {
  Hash128 out{};
  crypto_generichash(out.data(), out.size(), raw(bytes), bytes.size(), nullptr, 0);
  return out;
}

Hash128 chain_hash(const Hash128& previous, std::string_view bytes) {
  Hash128 out{};
  crypto_generichash(out.data(), out.size(), raw(bytes), bytes.size(), previous.data(), previous.size());
  return out;
}

Hash256 hmac_sha256(std::string_view key, std::string_view bytes) {
  Hash256 out{};
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, raw(key), key.size());
  crypto_auth_hmacsha256_update(&state, raw(bytes), bytes.size());
  crypto_auth_hmacsha256_final(&state, out.data());
  return out;
}

Hash256 hash_256(std::string_view bytes) {
  Hash256 out{};
  crypto_generichash(out.data(), out.size(), raw(bytes), bytes.size(), nullptr, 0);
  return out;
}

std::string to_hex(std::span<const std::uint8_t> bytes) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const auto byte : bytes) {
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
  return out;
}

}  // namespace fp
