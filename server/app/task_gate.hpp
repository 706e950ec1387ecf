#pragma once

#include "api/server.hpp"
#include "app/host.hpp"
#include "app/task_worker.hpp"
#include "net/http_server.hpp"

#include <memory>

namespace fp::app {

/// For a process without a server (`flowpilot run --tasks DIR`): a door on loopback through which the worker
/// of the folder, and nobody else, speaks the worker protocol. Ends before its host.
class TaskGate {
 public:
  /// With the functions registered. Errors: usage.tasks, worker.spawn_failed, net.*.
  static Result<std::unique_ptr<TaskGate>> open(Host& host, const Settings& settings);
  /// For the worker of whoever started this process: `fd` gets one line, {url, token}, and is closed. Returns
  /// when that worker has registered. Errors: worker.spawn_failed when it does not, net.*.
  static Result<std::unique_ptr<TaskGate>> open_for_caller(Host& host, int fd);
  ~TaskGate();

 private:
  explicit TaskGate(Host& host);
  Result<void> listen();
  std::string url() const;

  Host& host_;
  const std::string token_;
  runtime::ThreadLoop loop_;
  std::unique_ptr<api::Server> api_;
  std::unique_ptr<net::HttpServer> http_;
  std::unique_ptr<TaskWorker> worker_;
};

}  // namespace fp::app
