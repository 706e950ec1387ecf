#include "machine_limits.hpp"

#include <chrono>
#include <fcntl.h>
#include <fstream>
#include <string>
#include <sys/resource.h>
#include <unistd.h>

namespace fp::bench {

double measure_fdatasync_rate(const std::filesystem::path& folder, double seconds) {
  const auto file = folder / "fdatasync.probe";
  const int fd = open(file.c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);
  const std::string block(256, 'x');
  const auto start = std::chrono::steady_clock::now();
  std::size_t count = 0;
  std::chrono::duration<double> took{};
  while (took.count() < seconds && write(fd, block.data(), block.size()) > 0 && fdatasync(fd) == 0) {
    ++count;
    took = std::chrono::steady_clock::now() - start;
  }
  close(fd);
  std::filesystem::remove(file);
  return double(count) / took.count();
}

ProcessUse measure_process() {
  ProcessUse out;
  rusage use{};
  getrusage(RUSAGE_SELF, &use);
  const auto seconds = [](const timeval& t) { return double(t.tv_sec) + double(t.tv_usec) / 1e6; };
  out.cpu_seconds = seconds(use.ru_utime) + seconds(use.ru_stime);
  std::ifstream io("/proc/self/io");
  for (std::string key; io >> key;) {
    std::uint64_t value = 0;
    io >> value;
    if (key == "write_bytes:") out.written_bytes = value;
  }
  std::ifstream statm("/proc/self/statm");
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  statm >> total >> resident;
  out.resident_bytes = resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  return out;
}

}  // namespace fp::bench
