#pragma once

#include <filesystem>

namespace fp::bench {

/// Requests of strangers: accepted, answered with the result, answered by a `respond` step. `syncs`: of this
/// disk, a second.
void webhooks(const std::filesystem::path& folder, double syncs);

}  // namespace fp::bench
