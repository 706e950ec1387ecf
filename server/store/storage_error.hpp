#pragma once

#include "base/error.hpp"

#include <string>
#include <string_view>

namespace fp::store {

/// What an errno means for the data directory: storage.full, storage.readonly or storage.io. `what` names the
/// file and what was tried: "writing /data/blobs/ab/...".
Error file_error(int error_number, std::string_view what);
[[noreturn]] void throw_file_error(int error_number, std::string_view what);

/// What a SQLite result code means, with the errno beneath it (0 when there is none).
Error sqlite_error(int result_code, int error_number, std::string_view message, std::string_view path);

}  // namespace fp::store
