#pragma once

#include "base/result.hpp"

#include <string>

namespace fp::app {

/// The text of a file, or of standard input for "-". Errors name the path and the reason: file.missing,
/// file.unreadable, file.too_large.
Result<std::string> read_file(const std::string& path, std::size_t most_bytes);

}  // namespace fp::app
