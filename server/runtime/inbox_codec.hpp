#pragma once

#include "engine/engine.hpp"

#include <string>
#include <string_view>

namespace fp::runtime {

/// Inputs that travel between executions through the store's inbox: child_ended, cancel, signal, event.
std::string encode_input(const engine::Input& input);
/// Throws Unavailable (storage.corrupt) when it is none of these.
engine::Input decode_input(std::string_view text);

}  // namespace fp::runtime
