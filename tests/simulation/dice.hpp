#pragma once

#include "base/random.hpp"
#include "base/time.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace fp::simulation {

/// Every choice of one simulated run, in the words tests think in. The same seed makes the same choices.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : rng_(split_mix(seed)) {}
  Rng& rng() { return rng_; }
  std::size_t below(std::size_t limit) { return rng_.next() % limit; }
  std::size_t between(std::size_t low, std::size_t high) { return low + below(high - low + 1); }
  bool one_in(std::size_t n) { return below(n) == 0; }
  Milliseconds up_to(Milliseconds most) {
    return Milliseconds(below(static_cast<std::size_t>(most.count()) + 1));
  }
  template <class List>
  const auto& pick(const List& list) {
    return list[below(list.size())];
  }

 private:
  SeededRng rng_;
};

}  // namespace fp::simulation
