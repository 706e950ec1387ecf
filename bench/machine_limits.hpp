#pragma once

#include <cstdint>
#include <filesystem>

namespace fp::bench {

/// How often this disk can make 256 appended bytes durable (write + fdatasync), measured for about `seconds`.
double measure_fdatasync_rate(const std::filesystem::path& folder, double seconds = 0.5);

struct ProcessUse {
  double cpu_seconds = 0;           // user and system, all threads
  std::uint64_t written_bytes = 0;  // that reached the block layer (/proc/self/io write_bytes)
  std::uint64_t resident_bytes = 0;
};
ProcessUse measure_process();

}  // namespace fp::bench
