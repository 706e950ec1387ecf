// Starts executions in a data directory for ever and names each on standard output once its commit was
// acknowledged. power_cut_driver DIRECTORY full|normal
#include "store/sqlite/sqlite_store.hpp"

#include <cstdio>
#include <string_view>
#include <unistd.h>

int main(int argc, char** argv) {
  using namespace fp;
  if (argc != 3) return 2;
  store::SqliteOptions options;
  if (std::string_view(argv[2]) == "normal")
    options.durability = store::Durability::loses_commits_on_power_cut;
  auto opened = store::SqliteStore::open(argv[1], options);
  if (!opened) {
    std::fprintf(stderr, "%s\n", opened.error().message.c_str());
    return 7;
  }
  SystemRng rng;
  const SystemClock clock;
  ports::Batch batch;
  batch.fence = (*opened)->claim_shard(0, "power cut");
  try {
    while (true) {
      ports::ExecutionWrite write;
      write.id = make_uuid7<ExecutionId>(clock.now(), rng);
      write.row = ports::JournalRow{1, 1, clock.now(), "[{\"type\":\"execution_started\"}]", {}};
      write.summary.emplace();
      write.summary->id = write.id;
      write.summary->status = "running";
      const auto name = to_string(write.id) + "\n";
      batch.executions.assign(1, std::move(write));
      const auto committed = (*opened)->commit(batch);
      if (!committed || committed->front() != ports::WriteOutcome::committed) return 1;
      if (::write(STDOUT_FILENO, name.data(), name.size()) < 0) return 0;
    }
  } catch (const Unavailable& gone) {
    return 7;  // the disk is cut off
  }
}
