#include "app/signals.hpp"

#include <csignal>
#include <pthread.h>
#include <unistd.h>

namespace fp::app {

namespace {
/// SIGUSR2 ends the watch itself.
sigset_t watched_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGUSR2);
  return set;
}
}  // namespace

void block_signals() {
  const auto set = watched_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a full quota is an error of the write, not the end of the process
}

SignalWatch::SignalWatch(std::function<void(int)> on_signal) {
  thread_ = std::thread([on_signal = std::move(on_signal)] {
    const auto set = watched_signals();
    bool first = true;
    for (int number = 0; sigwait(&set, &number) == 0;) {
      if (number == SIGUSR2) return;
      if (!first) _exit(130);
      first = false;
      on_signal(number);
    }
  });
}

SignalWatch::~SignalWatch() {
  pthread_kill(thread_.native_handle(), SIGUSR2);
  thread_.join();
}

}  // namespace fp::app
