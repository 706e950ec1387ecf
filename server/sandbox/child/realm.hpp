#pragma once

#include <cstdint>
#include <jsapi.h>

namespace fp::sandbox {

/// The one realm of the process, with every built-in frozen: null when that fails.
JSObject* make_frozen_realm(JSContext* cx);

/// What the clock and Math.random() give to expressions from now on.
void set_recorded_time(std::int64_t now_ms);
void restart_random(std::uint64_t seed);

}  // namespace fp::sandbox
