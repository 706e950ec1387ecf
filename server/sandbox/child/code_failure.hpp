#pragma once

#include "sandbox/wire.hpp"

#include <jsapi.h>

namespace fp::sandbox {

/// The name under which the engine knows a step's code.
inline constexpr const char* kCodeName = "code";

/// Takes the pending exception, or whatever else stopped the engine, and says it in terms of the step's code.
wire::Ran take_code_failure(JSContext* cx);
/// The same while compiling, which has a position and no stack.
wire::Ran take_code_syntax_failure(JSContext* cx);
/// What a rejected promise says.
wire::Ran explain_rejection(JSContext* cx, JS::HandleObject promise);

/// Text of `value` for people: strings as they are, objects as JSON where they have any.
std::string to_console_text(JSContext* cx, JS::HandleValue value);

}  // namespace fp::sandbox
