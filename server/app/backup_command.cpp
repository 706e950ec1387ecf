#include "app/commands.hpp"
#include "store/sqlite/backup.hpp"
#include "store/sqlite/sqlite_store.hpp"

#include <fmt/format.h>

namespace fp::app {

ExitCode backup_command(const std::string& target, const Settings& settings) {
  // Beside a running server: reading takes no lock and holds no commit up.
  auto store = store::SqliteStore::open(settings.data_dir(), {.read_only = true});
  if (!store) return report(store.error());
  const auto done = (*store)->back_up(target);
  if (!done) return report(done.error());
  const auto manifest = store::read_manifest(target);
  fmt::print("backed up {} executions ({} unfinished) to {}\n", manifest ? manifest->executions : 0,
             manifest ? manifest->unfinished : 0, target);
  return kOk;
}

ExitCode restore_command(const std::string& from, const Settings& settings) {
  const auto to = settings.data_dir();
  const auto restored = store::restore_backup(from, to);
  if (!restored) return report(restored.error());
  fmt::print(
      "restored {} executions to {}, as of {}: {} unfinished go on and {} overdue timers fire once when it "
      "starts\n"
      "owners of the data it was copied from are shut out (epoch {}); what was done outside after {} is not "
      "known here\n",
      restored->executions, to.string(), to_rfc3339(restored->backup_time), restored->unfinished,
      restored->overdue_timers, restored->epoch, to_rfc3339(restored->backup_time));
  return kOk;
}

}  // namespace fp::app
