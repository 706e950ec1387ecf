#pragma once

#include "sandbox/wire.hpp"

#include <jsapi.h>

namespace fp::sandbox {

/// Lines that stand before the expression in the compiled function.
inline constexpr unsigned kLinesBefore = 2;

/// Takes the pending exception, or whatever else stopped the engine, and says it in terms of the expression.
wire::Outcome take_failure(JSContext* cx);
/// The same while compiling `expression`: always a problem of its text.
wire::Outcome take_syntax_failure(JSContext* cx, std::string_view expression);

/// UTF-8 text cut to what a frame takes, at a character.
std::string cut_message(std::string text);

}  // namespace fp::sandbox
