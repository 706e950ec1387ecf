#pragma once

#include "load_client.hpp"

namespace fp::bench {

/// What a crowd of WebSocket clients saw.
struct LiveMeasured {
  Measured delays;  // from the moment a log line was written to its arrival, ms
  std::size_t frames = 0;
  std::size_t gaps = 0;     // a number that did not follow the one before
  std::size_t resyncs = 0;  // told to start over
  std::size_t ended = 0;    // clients that saw the end of their execution
};

/// Clients of /ws/executions/{id}/, on one epoll.
class LiveClients {
 public:
  LiveClients(std::uint16_t port, const std::vector<std::string>& executions, std::size_t clients);
  ~LiveClients();
  LiveClients(const LiveClients&) = delete;
  LiveClients& operator=(const LiveClients&) = delete;

  /// Reads until every client has its snapshot.
  void wait_for_snapshots();
  /// Reads until every client saw the end of its execution, or the time is over.
  LiveMeasured follow(double seconds);

 private:
  struct Client {
    int fd = -1;
    std::string in;
    std::uint64_t seq = 0;
    bool has_snapshot = false;
    bool has_ended = false;
  };
  void read_some();
  void take(Client& client, std::string_view frame);

  int epoll_;
  std::vector<Client> clients_;
  std::size_t snapshots_ = 0;
  LiveMeasured out_;
};

}  // namespace fp::bench
