#include "launcher/jail/mounts.hpp"

#include "launcher/jail/files.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fcntl.h>
#include <linux/mount.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <tuple>
#include <unistd.h>

namespace fp::launcher {

namespace {

constexpr const char* kHost = "/host";

constexpr std::array kSystem{"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"};
constexpr std::array kEtc{"/etc/ld.so.cache",     "/etc/localtime",  "/etc/timezone",    "/etc/ssl/certs",
                          "/etc/ssl/openssl.cnf", "/etc/mime.types", "/etc/alternatives"};
constexpr std::array kEtcWithNetwork{"/etc/hosts",     "/etc/resolv.conf", "/etc/nsswitch.conf",
                                     "/etc/host.conf", "/etc/gai.conf",    "/etc/services",
                                     "/etc/protocols"};
constexpr std::array kDevices{"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"};

bool write_new(const char* path, const std::string& text) {
  const int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0444);
  if (fd < 0) return false;
  const bool is_written = write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  close(fd);
  return is_written;
}

/// Recursive, so that nothing mounted below stays writable.
bool set_attributes(const std::string& path, std::uint64_t attributes) {
  struct mount_attr change{};
  change.attr_set = attributes;
  return syscall(SYS_mount_setattr, AT_FDCWD, path.c_str(), AT_RECURSIVE, &change, sizeof change) == 0;
}

bool bind(const std::string& from, const std::string& to, std::uint64_t attributes) {
  struct stat source{};
  struct stat target{};
  if (stat(from.c_str(), &source) != 0) return true;  // not on this host: nothing to show
  if (S_ISDIR(source.st_mode)) {
    if (!make_folders(to)) return false;
  } else if (stat(to.c_str(), &target) != 0) {
    if (!make_folders(to.substr(0, std::max<std::size_t>(to.rfind('/'), 1)))) return false;
    const int fd = open(to.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0444);
    if (fd < 0) return false;
    close(fd);
  }
  return mount(from.c_str(), to.c_str(), nullptr, MS_BIND | MS_REC, nullptr) == 0 &&
         set_attributes(to, attributes);
}

/// /bin is a symbolic link on Debian 12 and a folder elsewhere: shown as what it is.
bool show_system(const char* path) {
  const auto host = std::string(kHost) + path;
  char target[256];
  const ssize_t length = readlink(host.c_str(), target, sizeof target - 1);
  if (length > 0) return symlink(std::string(target, static_cast<std::size_t>(length)).c_str(), path) == 0;
  return bind(host, path, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
}

bool mount_tmp(const char* path, std::uint64_t bytes) {
  const auto options = "mode=1777,nr_inodes=16384,size=" + std::to_string(bytes);
  return make_folders(path) &&
         mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, options.c_str()) == 0;
}

/// The kernel's settings belong to root, with or without capabilities: whoever stays root must not see them.
bool mount_proc(bool is_root) {
  if (!make_folders("/proc")) return false;
  for (const char* options : {"subset=pid,hidepid=2", "hidepid=2"}) {
    if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, options) == 0) return true;
    if (is_root) return false;
  }
  return false;
}

bool make_devices() {
  if (!make_folders("/dev")) return false;
  for (const char* device : kDevices) {
    if (!bind(std::string(kHost) + device, device, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC)) return false;
  }
  return symlink("/proc/self/fd", "/dev/fd") == 0 && symlink("/proc/self/fd/0", "/dev/stdin") == 0 &&
         symlink("/proc/self/fd/1", "/dev/stdout") == 0 && symlink("/proc/self/fd/2", "/dev/stderr") == 0;
}

bool make_etc(Network network, uid_t uid) {
  const auto id = std::to_string(uid);
  if (!make_folders("/etc")) return false;
  const auto show = [](const char* path) {
    return bind(std::string(kHost) + path, path,
                MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
  };
  if (!std::ranges::all_of(kEtc, show)) return false;
  if (network == Network::host && !std::ranges::all_of(kEtcWithNetwork, show)) return false;
  return write_new("/etc/passwd", "flowpilot:x:" + id + ":" + id + "::/tmp:/usr/sbin/nologin\n") &&
         write_new("/etc/group", "flowpilot:x:" + id + ":\n");
}

}  // namespace

std::vector<Place> resolve_places(const Policy& policy, uid_t owner) {
  std::vector<Place> out;
  const auto add = [&out](const std::string& path, bool is_writable) {
    char* resolved = realpath(path.c_str(), nullptr);
    if (resolved != nullptr && std::string(resolved) != "/" && path.starts_with('/'))
      out.push_back({path, resolved, is_writable});
    free(resolved);
  };
  for (const auto& path : policy.readable) add(path, false);
  for (const auto& path : policy.writable) add(path, true);
  if (geteuid() == 0 && owner != 0) {
    for (const auto& place : out) {
      // Not through a symbolic link that appeared meanwhile. What can not be given away stays unwritable, as
      // its user will say.
      if (place.is_writable && lchown(place.host.c_str(), owner, owner) != 0) continue;
    }
  }
  // A folder before what is in it, and what is writable last.
  std::ranges::sort(out, [](const Place& a, const Place& b) {
    return std::tuple(a.is_writable, a.inside.size(), a.inside) <
           std::tuple(b.is_writable, b.inside.size(), b.inside);
  });
  return out;
}

bool build_root(const Policy& policy, const std::vector<Place>& places, uid_t uid, bool& has_proc,
                std::string& failed) {
  const auto fail = [&failed](const char* step) {
    failed = step;
    return false;
  };
  if (mount(nullptr, "/", nullptr, MS_SLAVE | MS_REC, nullptr) != 0) return fail("slave mounts");
  if (mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=4m,nr_inodes=4096") != 0)
    return fail("tmpfs");
  umask(022);
  if (chdir("/tmp") != 0 || mkdir("host", 0700) != 0 || syscall(SYS_pivot_root, ".", "host") != 0 ||
      chdir("/") != 0)
    return fail("pivot_root");
  if (!std::ranges::all_of(kSystem, show_system)) return fail("system folders");
  if (!make_devices()) return fail("devices");
  if (!make_etc(policy.network, uid)) return fail("etc");
  constexpr std::uint64_t kSharedBytes = 16u << 20;
  if (!mount_tmp("/tmp", policy.tmp_bytes) ||
      !mount_tmp("/dev/shm", std::min(policy.tmp_bytes, kSharedBytes)))
    return fail("private tmp");
  for (const auto& place : places) {
    const std::uint64_t attributes =
        MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | (place.is_writable ? MOUNT_ATTR_NOEXEC : MOUNT_ATTR_RDONLY);
    if (!bind(kHost + place.host, place.inside, attributes)) return fail("given folders");
  }
  has_proc = mount_proc(uid == 0);
  if (umount2(kHost, MNT_DETACH) != 0 || rmdir(kHost) != 0) return fail("detaching the host");
  if (mount(nullptr, "/", nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV, nullptr) != 0)
    return fail("read-only root");
  return true;
}

}  // namespace fp::launcher
