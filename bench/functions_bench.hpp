#pragma once

#include <filesystem>

namespace fp::bench {

/// Python functions that do nothing, through a server and the worker it supervises. `syncs`: of this disk, a
/// second.
void functions(const std::filesystem::path& folder, double syncs);

}  // namespace fp::bench
