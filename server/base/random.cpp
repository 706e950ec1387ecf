#include "base/random.hpp"

#include <sys/random.h>

#include "base/assert.hpp"

namespace fp {

std::uint64_t SystemRng::next() {
  std::uint64_t value = 0;
  FP_ASSERT(getrandom(&value, sizeof value, 0) == sizeof value, "getrandom gives 8 bytes once the pool is ready");
  return value;
}

}  // namespace fp
