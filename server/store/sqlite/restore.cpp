#include "base/error_code.hpp"
#include "base/failpoint.hpp"
#include "base/hash.hpp"
#include "store/sqlite/backup.hpp"
#include "store/sqlite/blob_directory.hpp"
#include "store/sqlite/durable_files.hpp"
#include "store/sqlite/migrate.hpp"
#include "store/sqlite/reads.hpp"
#include "store/sqlite/sqlite_writer.hpp"
#include "store/storage_error.hpp"

#include <fmt/format.h>

#include <fstream>
#include <memory>

namespace fp::store {

namespace fs = std::filesystem;
using ports::BlobRef;

namespace {

constexpr Milliseconds kPatience{5'000};

Error invalid(const fs::path& from, std::string_view why) {
  return Error(codes::backup_invalid, fmt::format("{} is not a whole backup: {}", from.string(), why));
}

/// The large values that a sound database refers to; an error says what is wrong with it.
Result<std::vector<BlobRef>> check_database(const fs::path& from) {
  const auto file = from / "flowpilot.db";
  std::error_code none;
  if (!fs::is_regular_file(file, none)) return invalid(from, "there is no flowpilot.db in it");
  const auto wal = fs::file_size(file.string() + "-wal", none);
  if (!none && wal > 0) return invalid(from, "its database was written to after it was made");
  Connection copy(file.string(), Access::immutable, kPatience, "");
  check_schema_number(copy);
  const auto found = reads::check_database(copy);
  if (!found.empty()) return invalid(from, found.front());
  return reads::list_blobs(copy);
}

Result<void> copy_blobs(const fs::path& from, const fs::path& to, const std::vector<BlobRef>& refs) {
  const BlobDirectory source(from, false);
  BlobDirectory target(to, true);
  for (const auto& ref : refs) {
    const auto bytes = source.load(ref);
    if (!bytes) return invalid(from, bytes.error().message);
    target.put(*bytes);
  }
  return {};
}

/// Under another name until it is whole: a start in between finds no database.
RestoreReport copy_database(const fs::path& from, const fs::path& to, TimePoint now) {
  const auto unfinished = to / "restoring.db";
  copy_durably(from / "flowpilot.db", unfinished);
  RestoreReport report;
  {
    auto connection = std::make_unique<Connection>(unfinished.string(), Access::read_write, kPatience, "");
    connection->execute(sql::synchronous_full);
    migrate(*connection);
    report.epoch = begin_lineage(*connection).epoch;
    {
      auto counts = connection->use(sql::count_executions);
      counts.bind(1, now).step();
      report.executions = counts.unsigned_integer(0);
      report.unfinished = counts.unsigned_integer(1);
      report.overdue_timers = counts.unsigned_integer(2);
    }
    SqliteWriter(std::move(connection)).close();
  }
  sync_file(unfinished);
  FP_FAILPOINT("restore.before_rename");
  fs::rename(unfinished, to / "flowpilot.db");
  sync_directory(to);
  sync_directory(fs::absolute(to).parent_path());
  return report;
}

/// Stands in a directory while it is restored to, so that what a killed restore left there is known as such.
constexpr const char* kMark = "restoring";

/// Throws away what a killed restore left; never anything else.
void clear_half_restored(const fs::path& to) {
  std::error_code none;
  if (fs::exists(to / kMark, none) && !fs::exists(to / "flowpilot.db", none)) empty_directory(to);
}

Result<RestoreReport> restore(const fs::path& from, const fs::path& to, const BackupManifest& manifest,
                              TimePoint now) {
  const auto blobs = check_database(from);
  if (!blobs) return blobs.error();
  std::ofstream(to / kMark).flush();
  fs::create_directory(to / "blobs");
  fs::permissions(to / "blobs", fs::perms::owner_all);
  if (const auto copied = copy_blobs(from / "blobs", to / "blobs", *blobs); !copied) return copied.error();
  auto report = copy_database(from, to, now);
  fs::remove(to / kMark);
  report.blobs = blobs->size();
  report.backup_time = manifest.made_at;
  return report;
}

}  // namespace

Result<RestoreReport> restore_backup(const fs::path& from, const fs::path& to, TimePoint now) {
  try {
    const auto manifest = read_manifest(from);
    if (!manifest)
      return invalid(from,
                     fmt::format("there is no {} in it, which is written when a backup is whole", kManifest));
    clear_half_restored(to);
    if (!make_empty_directory(to)) {
      return Error(
          codes::backup_exists,
          fmt::format("{} is not empty; name a new directory, or move away what is there", to.string()));
    }
    auto report = Result<RestoreReport>(Error());
    try {
      report = restore(from, to, *manifest, now);
    } catch (const fs::filesystem_error& failed) {
      report = file_error(failed.code().value(), fmt::format("writing {}", to.string()));
    } catch (const Unavailable& failed) {
      const bool is_damage = failed.error().code == codes::storage_corrupt.id;
      report = is_damage ? invalid(from, failed.error().message) : failed.error();
    }
    if (!report) empty_directory(to);
    return report;
  } catch (const Unavailable& failed) {
    return failed.error();
  }
}

}  // namespace fp::store
