#pragma once

#include "base/result.hpp"
#include "base/time.hpp"
#include "store/sqlite/data_directory.hpp"
#include "store/sqlite/lineage.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>

namespace fp::store {

/// Written last: a directory with a manifest is a whole backup.
constexpr const char* kManifest = "backup.json";
struct BackupManifest {
  Lineage lineage;
  TimePoint made_at{};
  std::uint64_t executions = 0;
  std::uint64_t unfinished = 0;
  std::uint64_t timers = 0;
  std::uint64_t blobs = 0;
  bool operator==(const BackupManifest&) const = default;
};
/// nullopt when there is none or it is not ours.
std::optional<BackupManifest> read_manifest(const std::filesystem::path& directory);

/// Copies the database of a running store and the large values it refers to into a new directory: whole pages
/// from one snapshot, beside commits, synced as it goes so that no commit waits behind one long sync. The
/// caller keeps the sweep for orphans away meanwhile. A failed one leaves nothing behind. Errors:
/// backup.exists, storage.*.
Result<void> back_up_directory(const DataDirectory& from, const std::filesystem::path& target);

struct RestoreReport {
  std::uint64_t executions = 0;
  std::uint64_t unfinished = 0;
  std::uint64_t overdue_timers = 0;  // they fire once it starts
  std::uint64_t blobs = 0;
  std::uint64_t epoch = 0;  // every claim is above it
  TimePoint backup_time{};
};
/// Checks a backup through and through and copies it to a data directory, which must be empty or missing. The
/// copy is a history of its own: owners of the one it was copied from are shut out. `now` says which timers
/// are overdue. A failed one leaves nothing behind. Errors: backup.exists, backup.invalid, storage.*.
Result<RestoreReport> restore_backup(const std::filesystem::path& from, const std::filesystem::path& to,
                                     TimePoint now = SystemClock().now());

}  // namespace fp::store
