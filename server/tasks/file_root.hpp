#pragma once

#include "base/result.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <unistd.h>
#include <utility>

namespace fp::tasks {

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd = -1) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~FileDescriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }
  /// Gives it to somebody else to close.
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

/// The folder that the file_* types see. Every path is resolved by the kernel beneath it (openat2), so that
/// neither "..", nor symbolic links, nor races lead out. Immutable; any thread may use it.
class FileRoot {
 public:
  static constexpr std::size_t kMostBytes = 16u << 20;

  explicit FileRoot(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// The last part of a path, in its opened folder.
  struct Place {
    FileDescriptor folder;
    std::string name;
  };
  /// Opens the folder of a path that is going to be changed. Errors: file.no_root, file.path, file.missing.
  Result<Place> find_place(const std::string& path, bool make_folders) const;
  /// A regular file for reading. Errors besides: file.kind.
  Result<FileDescriptor> open_file(const std::string& path) const;
  Result<FileDescriptor> open_folder(const std::string& path) const;

 private:
  Result<FileDescriptor> open_root() const;
  Result<FileDescriptor> open_beneath(const std::string& path, int flags) const;

  std::filesystem::path folder_;
};

/// What an errno means for somebody who named `path`.
Error make_file_error(int number, std::string_view path);
/// The whole of an open file; error file.too_large beyond FileRoot::kMostBytes.
Result<std::string> read_all(int fd, const std::string& path);
Result<void> write_all(int fd, std::string_view bytes, const std::string& path);
/// Lower-case hex of SHA-256.
std::string sha256_hex(std::string_view bytes);

}  // namespace fp::tasks
