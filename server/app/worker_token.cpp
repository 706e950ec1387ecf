#include "app/worker_token.hpp"

#include "app/files.hpp"
#include "base/error_code.hpp"
#include "base/secret.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace fp::app {

namespace {

constexpr std::size_t kMostBytes = 1024;

bool sync(const std::filesystem::path& place) {
  const int fd = open(place.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = fd >= 0 && fsync(fd) == 0;
  if (fd >= 0) close(fd);
  return synced;
}

/// There as a whole, also after a crash, or not there.
Result<std::string> make_token(const std::filesystem::path& file) {
  auto token = make_secret("fpw_");
  const auto draft = file.string() + ".new";
  unlink(draft.c_str());
  const int fd = open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  const auto text = token + "\n";
  const bool written = fd >= 0 && write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       fsync(fd) == 0 && rename(draft.c_str(), file.c_str()) == 0 && sync(file.parent_path());
  const auto reason = errno;
  if (fd >= 0) close(fd);
  if (written) return token;
  return Error(codes::storage_io,
               fmt::format("{} can not be written: {}", file.string(), std::strerror(reason)));
}

}  // namespace

Result<std::string> load_worker_token(const std::filesystem::path& data_dir) {
  const auto file = data_dir / "worker-token";
  if (!std::filesystem::exists(file)) return make_token(file);
  auto text = read_file(file.string(), kMostBytes);
  if (!text) return text.error();
  while (!text->empty() && (text->back() == '\n' || text->back() == '\r' || text->back() == ' '))
    text->pop_back();
  if (text->size() < 32)
    return Error(codes::file_unreadable,
                 fmt::format("{} holds no token (at least 32 characters); remove it and a new one is made",
                             file.string()));
  return *text;
}

}  // namespace fp::app
