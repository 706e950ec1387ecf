#include "base/ids.hpp"

#include "base/error_code.hpp"
#include "base/hash.hpp"
#include "base/text.hpp"

#include <fmt/format.h>

#include <cctype>

namespace fp::detail {

namespace {
void set_version(std::array<std::uint8_t, 16>& bytes, std::uint8_t version) {
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0F) | (version << 4));
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3F) | 0x80);
}
}  // namespace

std::array<std::uint8_t, 16> make_uuid7_bytes(TimePoint now, Rng& rng) {
  std::array<std::uint8_t, 16> bytes{};
  const auto ms = static_cast<std::uint64_t>(now.time_since_epoch().count());
  for (std::size_t i = 0; i < 6; ++i) bytes[i] = static_cast<std::uint8_t>(ms >> (40 - 8 * i));
  const std::uint64_t high = rng.next();
  const std::uint64_t low = rng.next();
  bytes[6] = static_cast<std::uint8_t>(high);
  bytes[7] = static_cast<std::uint8_t>(high >> 8);
  for (std::size_t i = 0; i < 8; ++i) bytes[8 + i] = static_cast<std::uint8_t>(low >> (8 * i));
  set_version(bytes, 7);
  return bytes;
}

std::array<std::uint8_t, 16> derive_uuid_bytes(std::string_view name) {
  auto bytes = hash_128(name);
  set_version(bytes, 8);
  return bytes;
}

std::string uuid_text(const std::array<std::uint8_t, 16>& bytes) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  out.reserve(36);
  for (std::size_t i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
    out += kHex[bytes[i] >> 4];
    out += kHex[bytes[i] & 15];
  }
  return out;
}

Result<std::array<std::uint8_t, 16>> parse_uuid_bytes(std::string_view text) {
  const auto bad = [&] {
    return Error(codes::id_syntax,
                 fmt::format("\"{}\" is not an id like 01890a5d-ac96-774b-bcce-b302099a8057", echo(text)));
  };
  std::array<std::uint8_t, 16> bytes{};
  std::size_t digits = 0;
  if (text.size() != 36) return bad();
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      if (text[i] != '-') return bad();
      continue;
    }
    const auto c = static_cast<unsigned char>(text[i]);
    if (std::isxdigit(c) == 0) return bad();
    const int nibble = std::isdigit(c) != 0 ? c - '0' : std::tolower(c) - 'a' + 10;
    bytes[digits / 2] = static_cast<std::uint8_t>(bytes[digits / 2] << 4 | nibble);
    ++digits;
  }
  return bytes;
}

}  // namespace fp::detail
