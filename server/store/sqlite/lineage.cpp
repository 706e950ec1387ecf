#include "store/sqlite/lineage.hpp"

#include "base/hash.hpp"
#include "store/sqlite/backup.hpp"
#include "store/sqlite/durable_files.hpp"

#include <fmt/format.h>

#include <sstream>
#include <unistd.h>

namespace fp::store {

namespace {

std::filesystem::path file_of(const DataDirectory& directory) {
  return directory.path() / "lineage";
}

std::optional<Lineage> read_remembered(const DataDirectory& directory) {
  const auto text = read_file(file_of(directory));
  if (!text) return std::nullopt;
  std::istringstream fields(*text);
  Lineage remembered;
  if (!(fields >> remembered.id >> remembered.epoch)) return std::nullopt;
  return remembered;
}

std::string replaced_warning(const DataDirectory& directory, const Lineage& found,
                             const Lineage& remembered) {
  if (found.id != remembered.id) {
    return fmt::format(
        "{} was replaced by a database of another lineage: what was recorded here before is not in it. "
        "Owners of either are shut out",
        directory.database());
  }
  return fmt::format(
      "{} was replaced by an older copy (epoch {}, this directory has seen {}): what was recorded in "
      "between is lost. Owners from that time are shut out",
      directory.database(), found.epoch, remembered.epoch);
}

/// Somebody started on a backup itself instead of restoring it.
std::string adopt_backup(Connection& writer, const DataDirectory& directory, const BackupManifest& manifest) {
  begin_lineage(writer);
  unlink((directory.path() / kManifest).c_str());  // it is no backup any more once it is written to
  return fmt::format(
      "{} is a backup made at {}: what was recorded after that is not in it. It goes on as a history of its "
      "own, and whatever still holds work of the other one is shut out",
      directory.path().string(), to_rfc3339(manifest.made_at));
}

}  // namespace

Lineage find_lineage(Connection& connection) {
  auto statement = connection.use(sql::find_lineage);
  if (!statement.step()) connection.fail(SQLITE_CORRUPT);
  std::array<std::uint8_t, 16> id{};
  statement.copy_bytes(0, id);
  return {to_hex(id), statement.unsigned_integer(1)};
}

LineageCheck check_lineage(Connection& writer, const DataDirectory& directory) {
  if (const auto manifest = read_manifest(directory.path()))
    return {adopt_backup(writer, directory, *manifest), 0};
  const auto remembered = read_remembered(directory);
  if (!remembered) return {};
  const auto found = find_lineage(writer);
  // A note behind the database is a crash between a claim and its note.
  if (found.id == remembered->id && remembered->epoch <= found.epoch) return {};
  return {replaced_warning(directory, found, *remembered), remembered->epoch};
}

void remember_lineage(const DataDirectory& directory, const Lineage& lineage) {
  write_durably(file_of(directory), fmt::format("{} {}\n", lineage.id, lineage.epoch));
}

Lineage begin_lineage(Connection& writer) {
  writer.use(sql::begin_write).run();
  const auto before = find_lineage(writer);
  writer.use(sql::begin_lineage).bind(1, before.epoch + kEpochsAhead).run();
  const auto begun = find_lineage(writer);
  writer.use(sql::commit).run();
  return begun;
}

}  // namespace fp::store
