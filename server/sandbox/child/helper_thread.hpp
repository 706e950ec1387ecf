#pragma once

namespace fp::sandbox {

/// Gives the engine the one thread it may use besides the main thread (sweeping garbage), before the process
/// loses the right to make threads. Call once, between JS_Init and the first context.
void start_helper_thread();

}  // namespace fp::sandbox
