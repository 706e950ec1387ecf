#include "store/sqlite/data_directory.hpp"

#include "base/error_code.hpp"
#include "store/storage_error.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace fp::store {

namespace {

Error in_use_error(int lock, const std::filesystem::path& path) {
  char text[256] = {};
  const auto size = pread(lock, text, sizeof text - 1, 0);
  std::string owner(text, size > 0 ? static_cast<std::size_t>(size) : 0);
  while (!owner.empty() && owner.back() == '\n') owner.pop_back();
  return Error(codes::storage_in_use,
               fmt::format("data directory {} is in use by process {}; stop it or choose another "
                           "directory with --data-dir",
                           path.string(), owner.empty() ? "(unknown)" : owner));
}

void write_owner(int lock) {
  const auto text = fmt::format("{} ({})\n", getpid(), program_invocation_short_name);
  // Only for the sentence that a second process prints: the lock itself is the flock, so a failed write is no
  // matter.
  if (ftruncate(lock, 0) == 0 && pwrite(lock, text.data(), text.size(), 0) < 0) return;
}

}  // namespace

Result<DataDirectory> DataDirectory::lock(const std::filesystem::path& path) {
  std::error_code failed;
  const bool is_new = std::filesystem::create_directories(path, failed);
  if (failed) return file_error(failed.value(), fmt::format("making the data directory {}", path.string()));
  if (is_new) chmod(path.c_str(), 0700);
  const auto name = path / "lock";
  const int lock = open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) return file_error(errno, fmt::format("opening {}", name.string()));
  if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
    const auto error = errno == EWOULDBLOCK ? in_use_error(lock, path)
                                            : file_error(errno, fmt::format("locking {}", name.string()));
    close(lock);
    return error;
  }
  DataDirectory directory(path, lock);
  write_owner(lock);
  if (mkdir(directory.blobs().c_str(), 0700) != 0 && errno != EEXIST) {
    return file_error(errno, fmt::format("making {}", directory.blobs().string()));
  }
  return directory;
}

Result<DataDirectory> DataDirectory::look_at(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path / "flowpilot.db")) {
    return Error(codes::storage_io,
                 fmt::format("there is no flowpilot.db in {}; name the data directory with --data-dir",
                             path.string()));
  }
  return DataDirectory(path, -1);
}

DataDirectory::DataDirectory(DataDirectory&& other) noexcept
    : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)) {}

DataDirectory::~DataDirectory() {
  if (lock_ >= 0) close(lock_);
}

void sync_directory(const std::filesystem::path& path) {
  const int directory = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) throw_file_error(errno, fmt::format("opening {}", path.string()));
  const int result = fsync(directory);
  const int error = errno;
  close(directory);
  if (result != 0) throw_file_error(error, fmt::format("syncing {}", path.string()));
}

}  // namespace fp::store
