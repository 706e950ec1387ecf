#pragma once

/// A named place where tests stop, delay or fail the process:
/// `FLOWPILOT_FAILPOINTS=name:kill@3,other:sleep:200`. Actions: `kill@N` (SIGKILL at the N-th hit),
/// `sleep:MS`, `throw` (fp::Unavailable). Compiled out of release.
#ifdef FLOWPILOT_FAILPOINTS
namespace fp::detail {
void hit_failpoint(const char* name);
}
#define FP_FAILPOINT(name) ::fp::detail::hit_failpoint(name)
#else
#define FP_FAILPOINT(name) static_cast<void>(0)
#endif
