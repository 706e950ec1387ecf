#pragma once

#include "base/result.hpp"

#include <filesystem>
#include <string>

namespace fp::store {

/// The data directory: `flowpilot.db`, `blobs/`, `lock`. Holds the lock for one process as long as it lives;
/// the kernel lets go of it when the process dies, however it dies.
class DataDirectory {
 public:
  /// Makes what is missing. Errors: storage.in_use, storage.readonly, storage.full, storage.io.
  static Result<DataDirectory> lock(const std::filesystem::path& path);
  /// For readers that change nothing: takes no lock.
  static Result<DataDirectory> look_at(const std::filesystem::path& path);

  DataDirectory(DataDirectory&& other) noexcept;
  DataDirectory& operator=(DataDirectory&&) = delete;
  ~DataDirectory();

  std::string database() const { return (path_ / "flowpilot.db").string(); }
  std::filesystem::path blobs() const { return path_ / "blobs"; }
  const std::filesystem::path& path() const { return path_; }

 private:
  DataDirectory(std::filesystem::path path, int lock) : path_(std::move(path)), lock_(lock) {}

  std::filesystem::path path_;
  int lock_;
};

/// Makes the names in a directory durable. Throws Unavailable.
void sync_directory(const std::filesystem::path& path);

}  // namespace fp::store
