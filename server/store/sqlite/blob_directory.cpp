#include "store/sqlite/blob_directory.hpp"

#include "base/error_code.hpp"
#include "base/failpoint.hpp"
#include "store/sqlite/data_directory.hpp"
#include "store/storage_error.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fp::store {

using namespace fp::ports;

namespace {

class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  ~File() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

unsigned shard_of(const std::string& hash) {
  unsigned shard = 0;
  std::from_chars(hash.data(), hash.data() + 2, shard, 16);
  return shard;
}

Error missing(const BlobRef& ref) {
  return Error(codes::blob_missing,
               fmt::format("the large value {} ({} bytes) is gone from the data directory; restore it "
                           "from a backup",
                           ref.hash, ref.size));
}

bool is_hash(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

BlobDirectory::BlobDirectory(std::filesystem::path path, bool writable) : path_(std::move(path)) {
  if (!writable) return;
  const auto unfinished = path_ / "tmp";
  std::error_code ignored;  // a leftover that can not be removed costs space, nothing else
  std::filesystem::remove_all(unfinished, ignored);
  if (mkdir(unfinished.c_str(), 0700) != 0 && errno != EEXIST) {
    throw_file_error(errno, fmt::format("making {}", unfinished.string()));
  }
}

bool BlobDirectory::has(const BlobRef& ref) const {
  if (!is_hash(ref.hash)) return false;
  struct stat found{};
  return stat(file_of(ref.hash).c_str(), &found) == 0 &&
         static_cast<std::uint64_t>(found.st_size) == ref.size;
}

void BlobDirectory::make_shard_durable(const std::string& hash) {
  durable_shards_.with([&](std::bitset<256>& durable) {
    const auto shard = shard_of(hash);
    if (durable.test(shard)) return;
    const auto directory = path_ / hash.substr(0, 2);
    if (mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
      throw_file_error(errno, fmt::format("making {}", directory.string()));
    }
    sync_directory(path_);
    durable.set(shard);
  });
}

void BlobDirectory::write_file(const std::filesystem::path& temporary, std::string_view bytes) const {
  const File file(open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (file.get() < 0) throw_file_error(errno, fmt::format("making {}", temporary.string()));
  while (!bytes.empty()) {
    const auto written = write(file.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw_file_error(errno, fmt::format("writing {}", temporary.string()));
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  if (fsync(file.get()) != 0) throw_file_error(errno, fmt::format("syncing {}", temporary.string()));
}

BlobRef BlobDirectory::put(std::string_view bytes) {
  BlobRef ref{to_hex(hash_256(bytes)), bytes.size()};
  pins_.with([&](BlobPins& pins) { pins.pin(ref.hash); });
  make_shard_durable(ref.hash);
  const auto file = file_of(ref.hash);
  if (!has(ref)) {
    const auto temporary = path_ / "tmp" / fmt::format("{}.{}", ref.hash, next_temporary_++);
    try {
      write_file(temporary, bytes);
      FP_FAILPOINT("blob.rename.before");
      if (rename(temporary.c_str(), file.c_str()) != 0)
        throw_file_error(errno, fmt::format("naming {}", file.string()));
    } catch (const Unavailable&) {
      unlink(temporary.c_str());
      throw;
    }
    FP_FAILPOINT("blob.rename.after");
  }
  // Also for a known blob: whoever renamed it may have died, or be about to sync, before its name was
  // durable.
  sync_directory(file.parent_path());
  return ref;
}

Result<std::string> BlobDirectory::load(const BlobRef& ref) const {
  if (!is_hash(ref.hash)) return missing(ref);
  const auto path = file_of(ref.hash);
  const File file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0 && errno == ENOENT) return missing(ref);
  if (file.get() < 0) throw_file_error(errno, fmt::format("opening {}", path.string()));
  struct stat found{};
  if (fstat(file.get(), &found) != 0) throw_file_error(errno, fmt::format("reading {}", path.string()));
  std::string bytes;
  if (static_cast<std::uint64_t>(found.st_size) == ref.size) {
    bytes.resize(ref.size);
    std::size_t at = 0;
    while (at < bytes.size()) {
      const auto got = read(file.get(), bytes.data() + at, bytes.size() - at);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw_file_error(errno, fmt::format("reading {}", path.string()));
      if (got == 0) break;
      at += static_cast<std::size_t>(got);
    }
    if (at == ref.size && to_hex(hash_256(bytes)) == ref.hash) return bytes;
  }
  return Error(codes::blob_corrupt,
               fmt::format("the large value {} ({} bytes) does not match its checksum; restore it from a "
                           "backup",
                           ref.hash, ref.size));
}

void BlobDirectory::release(const std::vector<BlobRef>& refs) {
  if (refs.empty()) return;
  pins_.with([&](BlobPins& pins) {
    for (const auto& ref : refs) pins.release(ref.hash);
  });
}

BlobDirectory::Sweep BlobDirectory::sweep(std::size_t files,
                                          const std::function<bool(const std::string&)>& is_referenced) {
  Sweep result;
  std::size_t seen = 0;
  while (sweep_at_ < 256 && seen < files) {
    std::error_code no_such_shard;
    for (const auto& entry : std::filesystem::directory_iterator(
             path_ / fmt::format("{:02x}", sweep_at_.load()), no_such_shard)) {
      ++seen;
      const auto hash = entry.path().filename().string();
      // Under the lock of the pins: a put that comes now waits, then finds the file gone and writes it again.
      pins_.with([&](const BlobPins& pins) {
        if (!is_hash(hash) || pins.is_pinned(hash) || is_referenced(hash)) return;
        if (unlink(entry.path().c_str()) == 0) ++result.removed;
      });
    }
    ++sweep_at_;
  }
  result.finished = sweep_at_ >= 256;
  if (result.finished) {
    sweep_at_ = 0;
    pins_.with([](BlobPins& pins) { pins.end_sweep(); });
  }
  return result;
}

}  // namespace fp::store
