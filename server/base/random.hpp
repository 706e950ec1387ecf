#pragma once

#include <cstdint>

namespace fp {

/// The only source of randomness; seeded in tests.
class Rng {
 public:
  virtual ~Rng() = default;
  virtual std::uint64_t next() = 0;
};

/// The kernel's randomness (getrandom); safe from any thread.
class SystemRng final : public Rng {
 public:
  std::uint64_t next() override;
};

/// SplitMix64 (Steele, Lea, Flood 2014): one step of a well-mixed sequence. Pure.
constexpr std::uint64_t split_mix(std::uint64_t state) {
  state += 0x9E3779B97F4A7C15ULL;
  state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9ULL;
  state = (state ^ (state >> 27)) * 0x94D049BB133111EBULL;
  return state ^ (state >> 31);
}

/// The same seed gives the same sequence, on every machine.
class SeededRng final : public Rng {
 public:
  explicit SeededRng(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() override {
    state_ += 0x9E3779B97F4A7C15ULL;
    return split_mix(state_);
  }

 private:
  std::uint64_t state_;
};

}  // namespace fp
