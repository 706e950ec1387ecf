#pragma once

#include <cstddef>
#include <cstdint>

namespace fp::sandbox {

inline constexpr std::size_t kDefaultMemoryBytes = 64u << 20;
inline constexpr std::size_t kMostMemoryBytes = 512u << 20;

/// Remembers what the process has mapped with nothing to do yet; limits are counted from there. Call once.
bool measure_idle_memory();
/// Makes kMostMemoryBytes the most that limit_memory can ever allow. Call once.
bool cap_memory();
/// What the process may allocate beyond its idle state, kept by the kernel.
bool limit_memory(std::uint64_t bytes);

}  // namespace fp::sandbox
