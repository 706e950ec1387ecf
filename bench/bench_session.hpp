#pragma once

#include "base/json.hpp"
#include "load_client.hpp"
#include "server_process.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace fp::bench {

using SteadyClock = std::chrono::steady_clock;

double ms_since(SteadyClock::time_point start);
double megabytes(std::uint64_t bytes);

/// One line of the table: what was measured, the figure, what design.md asks for, and what stands beside it.
void row(const std::string& what, const std::string& figure, const std::string& floor,
         const std::string& goal, const std::string& beside);
std::string pair_of(const Measured& m);
/// "" when every answer fitted.
std::string faults(const Measured& m);

Json step(const std::string& id, const std::string& type, std::vector<std::string> after, Json config = {});
Json document(const std::string& name, JsonArray steps);
/// Steps that do nothing, one after the other.
Json chain(std::size_t steps, const std::string& type = "noop");

/// A server on a data directory, and what is asked of it.
class Bench {
 public:
  explicit Bench(const std::filesystem::path& folder, bool keep = false,
                 const std::vector<std::string>& more = {});

  ServerProcess& server() { return *server_; }
  std::uint16_t port() const { return server_->port(); }

  /// Creates and publishes it; returns the path to run it.
  std::string make(const Json& workflow);
  Measured run(const std::string& path, std::size_t connections, std::size_t requests, double per_second = 0,
               const std::string& body = R"({"input":{},"wait_seconds":60})");
  Measured submit(const std::string& path, std::size_t connections, std::size_t requests,
                  double per_second = 0);
  Measured read(std::vector<std::string> targets, std::size_t connections, std::size_t requests,
                double per_second = 0);
  std::uint64_t count(const std::string& query);
  /// Until nothing runs any more; asks often enough to see the end within 2 ms.
  void drain();

 private:
  std::filesystem::path folder_;
  std::optional<ServerProcess> server_;
};

bool is_accepted(unsigned status, std::string_view body);

}  // namespace fp::bench
