#include "store/sqlite/backup.hpp"

#include "base/error_code.hpp"
#include "base/failpoint.hpp"
#include "base/json_parse.hpp"
#include "store/sqlite/durable_files.hpp"
#include "store/sqlite/reads.hpp"
#include "store/storage_error.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>

namespace fp::store {

namespace fs = std::filesystem;

namespace {

constexpr int kPagesAtATime = 512;  // 2 MB between two syncs
constexpr Milliseconds kPatience{5'000};

void link_blob(const fs::path& from, const fs::path& to, const std::string& hash) {
  const auto folder = hash.substr(0, 2);
  if (mkdir((to / folder).c_str(), 0700) != 0 && errno != EEXIST)
    throw_file_error(errno, fmt::format("making {}", (to / folder).string()));
  link_or_copy(from / folder / hash, to / folder / hash);
}

void link_all_blobs(const fs::path& from, const fs::path& to) {
  std::error_code none;
  for (const auto& folder : fs::directory_iterator(from, none)) {
    if (folder.path().filename() == "tmp" || !folder.is_directory()) continue;
    for (const auto& blob : fs::directory_iterator(folder, none))
      link_blob(from, to, blob.path().filename().string());
  }
}

void sync_tree(const fs::path& path) {
  for (const auto& entry : fs::directory_iterator(path)) {
    if (entry.is_directory()) sync_tree(entry.path());
  }
  sync_directory(path);
}

/// What was written so far goes to the disk now, so that the last sync is short: commits wait behind long
/// ones.
class EagerSync {
 public:
  explicit EagerSync(const std::string& file) : file_(open(file.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~EagerSync() {
    if (file_ >= 0) close(file_);
  }
  EagerSync(const EagerSync&) = delete;
  EagerSync& operator=(const EagerSync&) = delete;
  void sync() const {
    if (file_ >= 0) fdatasync(file_);  // only to spread the work: the copy is synced as a whole at its end
  }

 private:
  int file_;
};

void copy_pages(Connection& from, Connection& to, const EagerSync& eager) {
  const std::unique_ptr<sqlite3_backup, int (*)(sqlite3_backup*)> backup(
      sqlite3_backup_init(to.handle(), "main", from.handle(), "main"), sqlite3_backup_finish);
  if (!backup) to.fail(sqlite3_errcode(to.handle()));
  int code = SQLITE_OK;
  do {
    FP_FAILPOINT("backup.mid");
    eager.sync();
    code = sqlite3_backup_step(backup.get(), kPagesAtATime);
  } while (code == SQLITE_OK);
  if (code != SQLITE_DONE) to.fail(code);
}

void copy_database(const std::string& from, const std::string& to) {
  Connection reader(from, Access::read_only, kPatience, "");
  reader.execute(sql::configure_reader);
  // One snapshot from here on: a copy that followed the writer would begin anew with every commit.
  reader.use(sql::begin_read).run();
  reader.use(sql::read_schema).step();
  write_durably(to, "");
  const EagerSync eager(to);  // closed after the connection: closing drops the locks of this process
  Connection writer(to, Access::read_write, kPatience, "");
  writer.execute(sql::synchronous_full);
  copy_pages(reader, writer, eager);
  reader.abandon();
}

BackupManifest describe(Connection& copy) {
  BackupManifest manifest;
  manifest.lineage = find_lineage(copy);
  manifest.made_at = SystemClock().now();
  auto counts = copy.use(sql::count_executions);
  counts.bind(1, TimePoint::max()).step();
  manifest.executions = counts.unsigned_integer(0);
  manifest.unfinished = counts.unsigned_integer(1);
  manifest.timers = counts.unsigned_integer(2);
  return manifest;
}

void write_manifest(const fs::path& directory, const BackupManifest& manifest) {
  const Json json = JsonObject{{"format", 1},
                               {"made_at", to_rfc3339(manifest.made_at)},
                               {"lineage", manifest.lineage.id},
                               {"epoch", manifest.lineage.epoch},
                               {"executions", manifest.executions},
                               {"unfinished", manifest.unfinished},
                               {"timers", manifest.timers},
                               {"blobs", manifest.blobs}};
  write_durably(directory / kManifest, to_pretty_text(json) + "\n");
}

void copy_everything(const DataDirectory& from, const fs::path& target) {
  const auto database = (target / "flowpilot.db").string();
  const auto blobs = target / "blobs";
  fs::create_directory(blobs);
  chmod(blobs.c_str(), 0700);
  link_all_blobs(from.blobs(), blobs);
  copy_database(from.database(), database);
  Connection copy(database, Access::immutable, kPatience, "");
  auto manifest = describe(copy);
  // Those that were put and committed after the first look.
  for (const auto& blob : reads::list_blobs(copy)) {
    link_blob(from.blobs(), blobs, blob.hash);
    ++manifest.blobs;
  }
  sync_tree(target);
  FP_FAILPOINT("backup.before_manifest");
  write_manifest(target, manifest);
  sync_directory(fs::absolute(target).parent_path());
}

}  // namespace

std::optional<BackupManifest> read_manifest(const fs::path& directory) {
  const auto text = read_file(directory / kManifest);
  const auto json = text ? parse_json(*text) : Result<Json>(Error());
  if (!json || json_int(*json, "format") != 1) return std::nullopt;
  const auto count = [&](const char* name) {
    return static_cast<std::uint64_t>(json_int(*json, name).value_or(0));
  };
  const auto made_at = parse_rfc3339(json_string(*json, "made_at"));
  if (!made_at) return std::nullopt;
  return BackupManifest{{json_string(*json, "lineage"), count("epoch")},
                        *made_at,
                        count("executions"),
                        count("unfinished"),
                        count("timers"),
                        count("blobs")};
}

Result<void> back_up_directory(const DataDirectory& from, const fs::path& target) {
  try {
    if (!make_empty_directory(target))
      return Error(codes::backup_exists,
                   fmt::format("{} is not empty; name a new directory", target.string()));
    try {
      copy_everything(from, target);
    } catch (...) {
      empty_directory(target);
      throw;
    }
    return {};
  } catch (const fs::filesystem_error& failed) {
    return file_error(failed.code().value(), fmt::format("writing {}", target.string()));
  } catch (const Unavailable& failed) {
    return failed.error();
  }
}

}  // namespace fp::store
