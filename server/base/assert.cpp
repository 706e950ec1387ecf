#include "base/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace fp::detail {

void assertion_failed(const char* condition, const char* why, const char* file, int line) {
  std::fprintf(stderr, "flowpilot: bug at %s:%d: %s (%s)\n", file, line, why, condition);
  std::abort();
}

}  // namespace fp::detail
