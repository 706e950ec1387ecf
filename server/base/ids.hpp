#pragma once

#include "base/random.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace fp {

/// 16 bytes in the order of RFC 9562; `Tag` keeps different kinds of ids apart.
template <class Tag>
struct Uuid {
  std::array<std::uint8_t, 16> bytes{};
  auto operator<=>(const Uuid&) const = default;
};

namespace detail {
std::array<std::uint8_t, 16> make_uuid7_bytes(TimePoint now, Rng& rng);
std::array<std::uint8_t, 16> derive_uuid_bytes(std::string_view name);
std::string uuid_text(const std::array<std::uint8_t, 16>& bytes);
Result<std::array<std::uint8_t, 16>> parse_uuid_bytes(std::string_view text);
}  // namespace detail

using ExecutionId = Uuid<struct ExecutionTag>;
using WorkflowId = Uuid<struct WorkflowTag>;
using EventId = Uuid<struct EventTag>;

/// UUIDv7 (RFC 9562 section 5.7): sorts by creation time.
template <class Id>
Id make_uuid7(TimePoint now, Rng& rng) {
  return Id{detail::make_uuid7_bytes(now, rng)};
}
/// UUIDv8 (RFC 9562 section 5.8) from a BLAKE2b hash: the same name always gives the same id.
template <class Id>
Id derive_uuid(std::string_view name) {
  return Id{detail::derive_uuid_bytes(name)};
}
template <class Tag>
std::string to_string(const Uuid<Tag>& id) {
  return detail::uuid_text(id.bytes);
}
/// The 36-character form, any case. Error: `id.syntax`.
template <class Id>
Result<Id> parse_uuid(std::string_view text) {
  auto bytes = detail::parse_uuid_bytes(text);
  if (!bytes) return bytes.error();
  return Id{*bytes};
}

}  // namespace fp

template <class Tag>
struct std::hash<fp::Uuid<Tag>> {
  std::size_t operator()(const fp::Uuid<Tag>& id) const noexcept {
    std::uint64_t low = 0;  // the random half of a UUIDv7
    for (int i = 8; i < 16; ++i) low = low << 8 | id.bytes[static_cast<std::size_t>(i)];
    return static_cast<std::size_t>(low * 0x9E3779B97F4A7C15ULL);
  }
};
