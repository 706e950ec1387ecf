#pragma once

#include <filesystem>

namespace fp::bench {

/// Schedules: how late ticks start their executions while a hundred thousand are stored, and how soon ten
/// thousand that are due in the same second have all started.
void schedules(const std::filesystem::path& folder);

}  // namespace fp::bench
