#include "base/random.hpp"

#include "base/assert.hpp"

#include <sys/random.h>

namespace fp {

std::uint64_t SystemRng::next() {
  std::uint64_t value = 0;
  FP_ASSERT(getrandom(&value, sizeof value, 0) == sizeof value,
            "getrandom gives 8 bytes once the pool is ready");
  return value;
}

}  // namespace fp
