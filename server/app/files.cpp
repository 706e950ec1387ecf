#include "app/files.hpp"

#include "base/error_code.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fp::app {

namespace {

Error unreadable(const std::string& path, int reason) {
  if (reason == ENOENT) return Error(codes::file_missing, fmt::format("there is no file {}", path));
  return Error(codes::file_unreadable, fmt::format("{} can not be read: {}", path, std::strerror(reason)));
}

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t most_bytes) {
  const bool is_input = path == "-";
  const int fd = is_input ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return unreadable(path, errno);
  std::string out;
  char chunk[1 << 16];
  int reason = 0;
  while (out.size() <= most_bytes) {
    const auto got = read(fd, chunk, sizeof chunk);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) reason = errno;
    if (got <= 0) break;
    out.append(chunk, static_cast<std::size_t>(got));
  }
  if (!is_input) close(fd);
  if (reason != 0) return unreadable(path, reason);
  if (out.size() > most_bytes)
    return Error(codes::file_too_large, fmt::format("{} has more than {} bytes", path, most_bytes));
  return out;
}

}  // namespace fp::app
