#pragma once

#include "base/result.hpp"

#include <filesystem>
#include <string>

namespace fp::app {

/// The secret that workers of this data directory send: the text of its file `worker-token` (mode 0600), made
/// when it is missing. Errors: storage.io, file.unreadable.
Result<std::string> load_worker_token(const std::filesystem::path& data_dir);

}  // namespace fp::app
