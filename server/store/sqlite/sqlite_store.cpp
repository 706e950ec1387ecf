#include "store/sqlite/sqlite_store.hpp"

#include "base/assert.hpp"
#include "base/error_code.hpp"
#include "store/sqlite/backup.hpp"
#include "store/sqlite/execution_rows.hpp"
#include "store/sqlite/lineage.hpp"
#include "store/sqlite/migrate.hpp"
#include "store/sqlite/reads.hpp"

#include <fmt/format.h>

#include <unistd.h>

namespace fp::store {

using namespace fp::ports;

namespace {

constexpr std::size_t kBlobsPerSweep = 1'000;

void use_wal(Connection& connection) {
  auto statement = connection.use(sql::use_wal);
  if (statement.step() && statement.text(0) == "wal") return;
  throw Unavailable(
      Error(codes::storage_io, fmt::format("{} can not use a write-ahead log on this file system; put the "
                                           "data directory on a local disk",
                                           connection.path())));
}

std::unique_ptr<Connection> open_writer(const DataDirectory& directory, const SqliteOptions& options) {
  auto connection = std::make_unique<Connection>(directory.database(), Access::read_write,
                                                 options.busy_timeout, options.vfs);
  check_schema_number(*connection);
  connection->execute(sql::create_file);
  use_wal(*connection);
  connection->execute(sql::configure_writer);
  connection->execute(options.durability == Durability::full ? sql::synchronous_full
                                                             : sql::synchronous_normal);
  migrate(*connection);
  // The names of the database and its WAL must survive a power cut as well as their content.
  sync_directory(directory.path());
  sync_directory(std::filesystem::absolute(directory.path()).parent_path());
  return connection;
}

Access reader_access(const DataDirectory& directory, const SqliteOptions& options) {
  // SQLite can not read a WAL database on read-only media, unless it is told that nobody writes to it.
  const bool is_frozen = access(directory.path().c_str(), W_OK) != 0;
  std::error_code no_wal;
  const auto wal_size = std::filesystem::file_size(directory.database() + "-wal", no_wal);
  const bool has_wal = !no_wal && wal_size > 0;
  return options.read_only && is_frozen && !has_wal ? Access::immutable : Access::read_only;
}

std::vector<std::unique_ptr<Connection>> open_readers(const DataDirectory& directory,
                                                      const SqliteOptions& options) {
  std::vector<std::unique_ptr<Connection>> readers;
  for (std::size_t i = 0; i < options.readers; ++i) {
    readers.push_back(std::make_unique<Connection>(directory.database(), reader_access(directory, options),
                                                   options.busy_timeout, options.vfs));
    readers.back()->execute(sql::configure_reader);
  }
  return readers;
}

}  // namespace

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const std::filesystem::path& path,
                                                       SqliteOptions options) {
  FP_ASSERT(options.readers > 0, "every reading verb needs a connection");
  try {
    auto directory = options.read_only ? DataDirectory::look_at(path) : DataDirectory::lock(path);
    if (!directory) return directory.error();
    std::unique_ptr<Writer> writer;
    LineageCheck check;
    if (!options.read_only) {
      auto connection = open_writer(*directory, options);
      check = check_lineage(*connection, *directory);
      writer = std::make_unique<Writer>(std::move(connection), check.claim_above);
    }
    auto readers = open_readers(*directory, options);
    if (options.read_only) check_schema_number(*readers.front());
    std::unique_ptr<SqliteStore> store(
        new SqliteStore(std::move(*directory), options, std::move(writer), std::move(readers)));
    store->open_warning_ = std::move(check.warning);
    return store;
  } catch (const Unavailable& failed) {
    return failed.error();
  }
}

SqliteStore::SqliteStore(DataDirectory directory, const SqliteOptions& options,
                         std::unique_ptr<Writer> writer, std::vector<std::unique_ptr<Connection>> readers)
    : directory_(std::move(directory)),
      options_(options),
      blobs_(directory_.blobs(), !options.read_only),
      writer_(std::move(writer)),
      readers_(std::make_unique<ReaderPool>(std::move(readers))),
      events_(
          std::make_unique<SqliteEventStore>(*readers_, [this](const std::function<void(Connection&)>& work) {
            this->writer().with([&](SqliteWriter& writer) { writer.transact(work); });
          })) {
  if (writer_) checkpoints_ = std::thread([this] { run_checkpoints(); });
}

SqliteStore::~SqliteStore() {
  if (checkpoints_.joinable()) {
    {
      const std::lock_guard lock(wake_mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    checkpoints_.join();
  }
  readers_.reset();
  if (writer_) writer_->with([](SqliteWriter& writer) { writer.close(); });
}

SqliteStore::Writer& SqliteStore::writer() {
  if (writer_) return *writer_;
  throw Unavailable(Error(codes::storage_readonly,
                          fmt::format("{} was opened for reading only", directory_.path().string())));
}

void SqliteStore::run_checkpoints() {
  std::unique_lock lock(wake_mutex_);
  while (true) {
    wake_.wait(lock, [&] { return stopping_ || checkpoint_wanted_; });
    if (stopping_) return;
    checkpoint_wanted_ = false;
    lock.unlock();
    try {
      writer_->with([](SqliteWriter& writer) { writer.checkpoint(); });
    } catch (const Unavailable&) {
      // The writer remembers: the next commit throws it where somebody listens.
    }
    lock.lock();
  }
}

void SqliteStore::keep_wal_short(int backlog) {
  if (backlog < options_.wal_pages_before_checkpoint) return;
  {
    const std::lock_guard lock(wake_mutex_);
    checkpoint_wanted_ = true;
  }
  wake_.notify_one();
}

Fence SqliteStore::claim_shard(std::uint32_t shard, std::string_view owner) {
  Lineage lineage;
  const auto fence = writer().with([&](SqliteWriter& writer) {
    const auto claimed = writer.claim_shard(shard, owner);
    lineage = writer.lineage();
    return claimed;
  });
  remember_lineage(directory_, lineage);
  return fence;
}

Result<std::vector<WriteOutcome>> SqliteStore::commit(const Batch& batch) {
  int backlog = 0;
  auto outcomes = writer().with([&](SqliteWriter& writer) {
    // Batches so large that the thread did not get its turn in time: this one pays.
    if (writer.checkpoint_backlog() > 2 * options_.wal_pages_before_checkpoint) writer.checkpoint();
    auto result = writer.commit(batch);
    backlog = writer.checkpoint_backlog();
    return result;
  });
  if (outcomes) {
    for (const auto& write : batch.executions) blobs_.release(write.blobs);
  }
  keep_wal_short(backlog);
  return outcomes;
}

void SqliteStore::put_keys(const std::vector<IdempotencyEntry>& entries) {
  writer().with([&](SqliteWriter& writer) {
    writer.transact([&](Connection& connection) {
      for (const auto& entry : entries) put_idempotency(connection, entry);
    });
  });
}

void SqliteStore::put_task_types(const std::vector<TaskTypeRecord>& types) {
  writer().with([&](SqliteWriter& writer) { writer.put_task_types(types); });
}

void SqliteStore::put_ticks(const std::vector<TickRecord>& ticks) {
  writer().with([&](SqliteWriter& writer) { writer.put_ticks(ticks); });
}

void SqliteStore::trim_ticks(const WorkflowId& workflow, std::string_view trigger, std::size_t keep) {
  writer().with([&](SqliteWriter& writer) { writer.trim_ticks(workflow, trigger, keep); });
}

BlobRef SqliteStore::put_blob(std::string_view bytes) {
  writer();
  return blobs_.put(bytes);
}

Result<std::string> SqliteStore::load_blob(const BlobRef& ref) {
  return blobs_.load(ref);
}

PruneResult SqliteStore::prune(TimePoint now, TimePoint ended_before, TimePoint keys_before,
                               std::size_t limit) {
  FP_ASSERT(limit > 0, "a chunk of nothing would never end");
  PruneResult result;
  int backlog = 0;
  const auto step = [&](auto&& work) {
    return writer().with([&](SqliteWriter& writer) {
      auto done = work(writer);
      backlog = writer.checkpoint_backlog();
      return done;
    });
  };
  const auto ended =
      step([&](SqliteWriter& writer) { return writer.prune_executions(now, ended_before, limit); });
  const auto keys = step([&](SqliteWriter& writer) { return writer.prune_keys(keys_before, limit); });
  step([&](SqliteWriter& writer) {
    writer.prune_hook_requests(ended_before, limit);
    return true;
  });
  result.executions = ended.count;
  const bool has_free_pages = step([](SqliteWriter& writer) { return writer.vacuum_some(); });
  result.more = ended.more || keys.more || has_free_pages;
  // Last, and once a round of calls: pins lapse by counting sweeps.
  if (!result.more) sweep_blobs(result);
  keep_wal_short(backlog);
  return result;
}

void SqliteStore::sweep_blobs(PruneResult& result) {
  const std::unique_lock alone(blobs_in_use_, std::try_to_lock);
  if (!alone) return;  // a backup copies them; the next round sweeps
  const auto sweep = readers_->with([&](Connection& reader) {
    return blobs_.sweep(kBlobsPerSweep,
                        [&](const std::string& hash) { return reads::is_blob_referenced(reader, hash); });
  });
  result.blobs = sweep.removed;
  result.more = !sweep.finished;
}

Result<void> SqliteStore::back_up(const std::filesystem::path& target) {
  const std::lock_guard alone(blobs_in_use_);
  return back_up_directory(directory_, target);
}

std::vector<std::string> SqliteStore::check_integrity() {
  std::vector<BlobRef> blobs;
  auto found = readers_->with([&](Connection& reader) {
    blobs = reads::list_blobs(reader);
    return reads::check_database(reader);
  });
  for (const auto& blob : blobs) {
    if (!blobs_.has(blob))
      found.push_back(
          fmt::format("the large value {} ({} bytes) is missing or cut short", blob.hash, blob.size));
  }
  return found;
}

}  // namespace fp::store
