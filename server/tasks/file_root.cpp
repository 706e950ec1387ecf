#include "tasks/file_root.hpp"

#include "base/error_code.hpp"
#include "base/hash.hpp"
#include "tasks/text_codec.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <vector>

namespace fp::tasks {

namespace {

int open_at(int folder, const std::string& path, int flags) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  return static_cast<int>(syscall(SYS_openat2, folder, path.c_str(), &how, sizeof how));
}

std::vector<std::string> split_path(std::string_view path) {
  std::vector<std::string> out;
  while (!path.empty()) {
    const auto part = path.substr(0, path.find('/'));
    if (!part.empty() && part != ".") out.emplace_back(part);
    path.remove_prefix(std::min(path.size(), part.size() + 1));
  }
  return out;
}

Result<std::vector<std::string>> check_path(std::string_view path, bool for_writing) {
  const auto refuse = [&](const char* why) {
    return Error(codes::file_path, fmt::format("{} {}", cut_utf8(path, 200), why));
  };
  if (path.empty() || path.find('\0') != std::string_view::npos || path.size() > 4096)
    return Error(codes::file_path, "the path is empty or too long");
  if (path.front() == '/') return refuse("is absolute; paths start below the root");
  auto parts = split_path(path);
  for (const auto& part : parts) {
    if (part == "..") return refuse("leads upwards");
    if (for_writing && part.front() == '.') return refuse("has a part that starts with a dot");
  }
  return parts;
}

}  // namespace

Error make_file_error(int number, std::string_view path) {
  const auto shown = cut_utf8(path, 200);
  switch (number) {
    case ENOENT:
      return {codes::file_missing, fmt::format("there is no {}", shown)};
    case EACCES:
    case EPERM:
      return {codes::file_unreadable, fmt::format("no permission for {}", shown)};
    case EXDEV:
    case ELOOP:
    case ENAMETOOLONG:
      return {codes::file_path,
              fmt::format("{} leads out of the root, through a symbolic link, or is too long", shown)};
    case EISDIR:
    case ENOTDIR:
    case ENXIO:
      return {codes::file_kind, fmt::format("{} is not a plain file", shown)};
    case EEXIST:
      return {codes::file_exists, fmt::format("{} is there already", shown)};
    case ENOSPC:
    case EDQUOT:
      return {codes::file_full, fmt::format("no space for {}", shown)};
    default:
      return {codes::file_failed, fmt::format("{}: {}", shown, std::strerror(number))};
  }
}

Result<FileDescriptor> FileRoot::open_root() const {
  if (folder_.empty())
    return Error(codes::file_no_root, "no folder is open to file steps; start with --file-root DIR");
  FileDescriptor root(open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (root.get() < 0)
    return Error(codes::file_no_root,
                 fmt::format("the folder of file_root can not be opened: {}", std::strerror(errno)));
  return root;
}

Result<FileDescriptor> FileRoot::open_beneath(const std::string& path, int flags) const {
  if (const auto parts = check_path(path, false); !parts) return parts.error();
  auto root = open_root();
  if (!root) return root;
  FileDescriptor fd(open_at(root->get(), path, flags));
  if (fd.get() < 0) return make_file_error(errno, path);
  return fd;
}

Result<FileDescriptor> FileRoot::open_file(const std::string& path) const {
  auto fd = open_beneath(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  if (!fd) return fd;
  struct stat status{};
  if (fstat(fd->get(), &status) != 0) return make_file_error(errno, path);
  if (!S_ISREG(status.st_mode)) return make_file_error(EISDIR, path);
  return fd;
}

Result<FileDescriptor> FileRoot::open_folder(const std::string& path) const {
  return open_beneath(path, O_RDONLY | O_DIRECTORY);
}

Result<FileRoot::Place> FileRoot::find_place(const std::string& path, bool make_folders) const {
  auto parts = check_path(path, true);
  if (!parts) return parts.error();
  if (parts->empty() || path.back() == '/') return make_file_error(EISDIR, path);
  auto folder = open_root();
  if (!folder) return folder.error();
  Place place{std::move(*folder), parts->back()};
  parts->pop_back();
  for (const auto& part : *parts) {
    // One part at a time, each beneath the one before: a link that leads out of its folder is refused, which
    // is stricter than the root alone.
    if (make_folders && mkdirat(place.folder.get(), part.c_str(), 0777) != 0 && errno != EEXIST)
      return make_file_error(errno, path);
    FileDescriptor next(open_at(place.folder.get(), part, O_RDONLY | O_DIRECTORY));
    if (next.get() < 0) return make_file_error(errno, path);
    place.folder = std::move(next);
  }
  return place;
}

Result<std::string> read_all(int fd, const std::string& path) {
  std::string out;
  std::array<char, 65536> buffer;
  while (true) {
    const auto got = read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return make_file_error(errno, path);
    if (got == 0) return out;
    out.append(buffer.data(), static_cast<std::size_t>(got));
    if (out.size() > FileRoot::kMostBytes)
      return Error(codes::file_too_large, fmt::format("{} is larger than 16 MiB", cut_utf8(path, 200)));
  }
}

Result<void> write_all(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const auto put = write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return make_file_error(errno, path);
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

std::string sha256_hex(std::string_view bytes) {
  std::array<std::uint8_t, crypto_hash_sha256_BYTES> hash{};
  crypto_hash_sha256(hash.data(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  return to_hex(hash);
}

}  // namespace fp::tasks
