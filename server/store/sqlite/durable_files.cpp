#include "store/sqlite/durable_files.hpp"

#include "store/sqlite/data_directory.hpp"
#include "store/storage_error.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <sys/stat.h>
#include <unistd.h>

namespace fp::store {

namespace {

void check(const std::error_code& failed, std::string_view what, const std::filesystem::path& path) {
  if (failed) throw_file_error(failed.value(), fmt::format("{} {}", what, path.string()));
}

class Descriptor {
 public:
  Descriptor(const std::filesystem::path& path, int flags)
      : path_(path), value_(open(path.c_str(), flags, 0600)) {
    if (value_ < 0) throw_file_error(errno, fmt::format("opening {}", path.string()));
  }
  ~Descriptor() { close(value_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  void write(std::string_view bytes) const {
    while (!bytes.empty()) {
      const auto written = ::write(value_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) throw_file_error(errno, fmt::format("writing {}", path_.string()));
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
  }
  void sync() const {
    if (fsync(value_) != 0) throw_file_error(errno, fmt::format("syncing {}", path_.string()));
  }

 private:
  const std::filesystem::path& path_;
  int value_;
};

}  // namespace

std::optional<std::string> read_file(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) {
    if (errno == ENOENT) return std::nullopt;
    throw_file_error(errno, fmt::format("opening {}", file.string()));
  }
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

void write_durably(const std::filesystem::path& file, std::string_view text) {
  const auto beside = std::filesystem::path(file.string() + ".new");
  {
    const Descriptor out(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC);
    out.write(text);
    out.sync();
  }
  if (rename(beside.c_str(), file.c_str()) != 0)
    throw_file_error(errno, fmt::format("naming {}", file.string()));
  sync_directory(file.parent_path());
}

void sync_file(const std::filesystem::path& file) {
  Descriptor(file, O_RDONLY | O_CLOEXEC).sync();
}

void copy_durably(const std::filesystem::path& from, const std::filesystem::path& to) {
  std::error_code failed;
  std::filesystem::copy_file(from, to, failed);
  check(failed, "writing", to);
  sync_file(to);
}

bool link_or_copy(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (link(from.c_str(), to.c_str()) == 0 || errno == EEXIST) return true;
  if (errno == ENOENT) return false;
  copy_durably(from, to);
  return true;
}

bool make_empty_directory(const std::filesystem::path& path) {
  std::error_code failed;
  if (std::filesystem::create_directories(path, failed)) chmod(path.c_str(), 0700);
  check(failed, "making", path);
  const bool is_empty = std::filesystem::is_empty(path, failed);
  check(failed, "reading", path);
  return is_empty;
}

void empty_directory(const std::filesystem::path& path) noexcept {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(path, ignored))
    std::filesystem::remove_all(entry.path(), ignored);
}

}  // namespace fp::store
