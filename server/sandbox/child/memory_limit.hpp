#pragma once

#include <cstddef>
#include <cstdint>

namespace fp::sandbox {

inline constexpr std::size_t kDefaultMemoryBytes = 64u << 20;

/// Remembers what the process has mapped with nothing to do yet; limits are counted from there. Call once.
bool measure_idle_memory();
/// What the process may allocate beyond its idle state, kept by the kernel.
bool limit_memory(std::uint64_t bytes);

}  // namespace fp::sandbox
