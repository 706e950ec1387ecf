#pragma once

namespace fp::sandbox {

/// How the sandbox process ends when it ends by itself; the parent reads meaning from these.
inline constexpr int kExitDone = 0;          // the parent hung up
inline constexpr int kExitNoEngine = 70;     // SpiderMonkey did not start
inline constexpr int kExitNotConfined = 71;  // a layer that must hold could not be raised
inline constexpr int kExitProtocol = 72;     // the parent sent what is no frame
inline constexpr int kExitMemory = 73;       // out of memory where the engine can not go on

}  // namespace fp::sandbox
