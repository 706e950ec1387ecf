#include "app/commands.hpp"
#include "app/host.hpp"
#include "runtime/verify.hpp"
#include "store/sqlite/sqlite_store.hpp"

#include <fmt/format.h>

namespace fp::app {

ExitCode verify_command(const Settings& settings) {
  const SystemClock clock;
  const auto types = make_registry({}, clock);
  auto store = store::SqliteStore::open(settings.data_dir(), {.read_only = true});
  if (!store) return report(store.error());
  runtime::Catalog catalog(**store, types);
  runtime::Journal journal(**store, catalog);
  const auto result = runtime::verify_store(**store, journal);
  for (const auto& finding : result.findings) fmt::print("{}\n", finding);
  fmt::print(
      "{}: {} executions ({} unfinished), {} events, {}\n", settings.data_dir().string(), result.executions,
      result.unfinished, result.events,
      result.findings.empty() ? "every invariant holds" : fmt::format("{} findings", result.findings.size()));
  return result.findings.empty() ? kOk : kExecutionFailed;
}

}  // namespace fp::app
