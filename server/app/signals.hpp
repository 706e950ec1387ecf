#pragma once

#include <functional>
#include <thread>

namespace fp::app {

/// Blocks SIGINT and SIGTERM for this thread and those it starts. Call before any thread starts.
void block_signals();

/// Calls back on the first SIGINT or SIGTERM; a second one ends the process at once with 130. Ends with its
/// life.
class SignalWatch {
 public:
  explicit SignalWatch(std::function<void(int)> on_signal);
  ~SignalWatch();

 private:
  std::thread thread_;
};

}  // namespace fp::app
