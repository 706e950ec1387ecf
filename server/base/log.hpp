#pragma once

#include "base/json.hpp"

#include <string_view>

namespace fp {

enum class LogLevel { debug, info, warning, error };

/// What is left out: nothing below this goes to stderr. Set once at start.
void set_log_level(LogLevel lowest);
/// One line of JSON on stderr: {time, level, message, ...fields}. Never pass secrets or data of users: ids,
/// names, sizes and codes only. Thread-safe; a line is written whole. When nobody reads, lines are dropped
/// and counted: a log must not stop a server.
void log(LogLevel level, std::string_view message, JsonObject fields = {});

}  // namespace fp
