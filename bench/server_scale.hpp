#pragma once

#include <cstddef>
#include <filesystem>

namespace fp::bench {

// What the server does when there is much of something. Each works in folder/data and prints its lines.

/// Executions that wait for a day: memory above idle, and the start with them.
void sleepers(const std::filesystem::path& folder, std::size_t count);
/// kill -9 with 10,000 executions under way.
void recovery(const std::filesystem::path& folder);
/// Lists, counts and one execution with 100,000 executions that the server ran itself.
void many(const std::filesystem::path& folder);
/// The same with 1,000,000 that were put into the store.
void million(const std::filesystem::path& folder);

}  // namespace fp::bench
