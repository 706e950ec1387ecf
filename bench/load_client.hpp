#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace fp::bench {

/// What to send, how fast, and which answers count.
struct Load {
  std::size_t connections = 1;
  std::size_t requests = 1000;
  double per_second = 0;  // 0: the next request of a connection goes out when its answer is in
  std::function<std::string(std::size_t)> make;
  std::function<bool(unsigned status, std::string_view body)> fits;
  double give_up_after = 60;  // seconds; what is open then is wrong
};

/// Times from the moment a request was due, also when no connection was free for it then.
struct Measured {
  std::vector<double> ms;  // sorted; of the answers that fit
  double seconds = 0;      // from the first request to the last answer
  std::size_t wrong = 0;
  std::string first_wrong;

  double quantile(double q) const;
  double p50() const { return quantile(0.5); }
  double p99() const { return quantile(0.99); }
  double rate() const { return seconds > 0 ? static_cast<double>(ms.size()) / seconds : 0; }
  void add(const Measured& more);
};

/// HTTP/1.1 over kept-alive connections and one epoll, all on the calling thread, so that the load costs
/// little of the machine it shares with the server.
Measured run_load(std::uint16_t port, const Load& load);

std::string get_request(std::string_view target);
std::string post_request(std::string_view target, std::string_view body);

/// A connected, non-blocking socket with Nagle off; throws std::runtime_error.
int connect_to(std::uint16_t port);

}  // namespace fp::bench
