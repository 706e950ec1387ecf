#pragma once

#include "base/json.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <sys/types.h>
#include <thread>
#include <vector>

namespace fp::bench {

/// `flowpilot serve` in a process of its own, on a free port and the given data directory. Killed by the
/// destructor; its messages after the first go to DATA_DIR.log.
class ServerProcess {
 public:
  ServerProcess(const std::filesystem::path& program, const std::filesystem::path& data_dir,
                const std::vector<std::string>& more = {});
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  std::uint16_t port() const { return port_; }
  double start_ms() const { return start_ms_; }  // from the fork to "ready"
  std::uint64_t unfinished() const { return unfinished_; }
  /// Proportional memory of the server and its children, in bytes.
  std::uint64_t memory() const;
  /// The highest resident memory of the server itself since the last call.
  std::uint64_t take_peak();
  double cpu_seconds() const;
  void end(int signal);

 private:
  void wait_until_ready(int fd);

  pid_t pid_ = -1;
  std::uint16_t port_ = 0;
  double start_ms_ = 0;
  std::uint64_t unfinished_ = 0;
  std::filesystem::path log_;
  std::thread reader_;
};

/// One request over a connection of its own; throws std::runtime_error unless it answers 2xx.
Json call_api(std::uint16_t port, const std::string& method, const std::string& target,
              const Json& body = nullptr);

}  // namespace fp::bench
