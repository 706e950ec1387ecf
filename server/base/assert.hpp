#pragma once

namespace fp::detail {
[[noreturn]] void assertion_failed(const char* condition, const char* why, const char* file, int line);
}

/// A bug when false; on in release builds, never reachable from user input.
#define FP_ASSERT(condition, why) \
  ((condition) ? static_cast<void>(0) : ::fp::detail::assertion_failed(#condition, why, __FILE__, __LINE__))
