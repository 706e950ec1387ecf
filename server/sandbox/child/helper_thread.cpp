#include "sandbox/child/helper_thread.hpp"

#include <csignal>
// clang-format off: the second header needs the first
#include <jstypes.h>
#include <js/HelperThreadAPI.h>
// clang-format on
#include <semaphore.h>
#include <thread>

namespace fp::sandbox {

namespace {

constexpr std::size_t kHelperStackBytes = 512u << 10;

sem_t g_tasks;
sem_t g_started;

void on_task(JS::DispatchReason) {
  sem_post(&g_tasks);
}

}  // namespace

void start_helper_thread() {
  sem_init(&g_tasks, 0, 0);
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // the timer's signal belongs to the main thread
  sem_init(&g_started, 0, 0);
  std::thread([] {
    sem_post(&g_started);
    for (;;) {
      if (sem_wait(&g_tasks) == 0) JS::RunHelperThreadTask();
    }
  }).detach();
  // What a thread asks of the kernel as it begins (rseq, ...) is not allowed once the process is confined.
  while (sem_wait(&g_started) != 0) {
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  JS::SetHelperThreadTaskCallback(on_task, 1, kHelperStackBytes);
}

}  // namespace fp::sandbox
