#include "app/commands.hpp"
#include "app/escape_probes.hpp"
#include "base/error_code.hpp"
#include "base/json_parse.hpp"
#include "launcher/launcher.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace fp::app {

namespace {

constexpr std::uint64_t kMemoryBytes = 256u << 20;
constexpr std::uint64_t kTmpBytes = 64u << 20;
constexpr std::uint64_t kFileBytes = 64u << 20;
constexpr std::uint64_t kCpuSeconds = 2;
constexpr std::chrono::milliseconds kWall{60'000};
constexpr std::size_t kMostLineBytes = 16u << 10;

/// What the probes go for: a data directory with a secret, a secret in the environment, sockets that accept.
/// All of this process's own, and gone with it.
class Targets {
 public:
  Targets() {
    char path[] = "/var/tmp/flowpilot.XXXXXX";
    if (mkdtemp(path) != nullptr) folder_ = path;
    chmod(folder_.c_str(), 0755);  // only the jail stands between it and the probes
    std::filesystem::create_directory(folder_ / "mount_point");
    std::ofstream(folder_ / "secret") << "s3cret\n";
    std::ofstream(folder_ / "other_tmp") << "s3cret\n";
    setenv("FLOWPILOT_PROBE_SECRET", "s3cret", 1);
    listen_on_loopback(SOCK_STREAM, tcp_port_);
    listen_on_loopback(SOCK_DGRAM, udp_port_);
    abstract_ = "flowpilot-probe-" + std::to_string(getpid());
    listen_on_unix((folder_ / "socket").string(), false);
    listen_on_unix(abstract_, true);
  }
  ~Targets() {
    for (const int fd : sockets_) close(fd);
    unsetenv("FLOWPILOT_PROBE_SECRET");
    std::error_code ec;
    if (!folder_.empty()) std::filesystem::remove_all(folder_, ec);
  }
  Targets(const Targets&) = delete;
  Targets& operator=(const Targets&) = delete;

  std::string to_json(launcher::Level level) const {
    return to_text(Json(JsonObject{{"secret_file", (folder_ / "secret").string()},
                                   {"other_tmp", (folder_ / "other_tmp").string()},
                                   {"unix_socket", (folder_ / "socket").string()},
                                   {"abstract_socket", abstract_},
                                   {"tcp_port", tcp_port_},
                                   {"udp_port", udp_port_},
                                   {"mount_point", (folder_ / "mount_point").string()},
                                   {"level", std::string(launcher::to_text(level))},
                                   {"server_pid", getpid()},
                                   {"disk", find_disk()}}));
  }

 private:
  static std::string find_disk() {
    for (const char* disk : {"/dev/vda", "/dev/sda", "/dev/nvme0n1", "/dev/xvda", "/dev/loop0"}) {
      if (access(disk, F_OK) == 0) return disk;
    }
    return "/dev/mem";
  }

  void listen_on_loopback(int kind, std::uint16_t& port) {
    const int fd = socket(AF_INET, kind | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    if (bind(fd, reinterpret_cast<sockaddr*>(&address), length) == 0 &&
        (kind == SOCK_DGRAM || listen(fd, 8) == 0) &&
        getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) == 0) {
      port = ntohs(address.sin_port);
    }
    sockets_.push_back(fd);
  }

  void listen_on_unix(const std::string& name, bool is_abstract) {
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path + (is_abstract ? 1 : 0), name.data(),
                std::min(name.size(), sizeof address.sun_path - 2));
    const auto length = offsetof(sockaddr_un, sun_path) + name.size() + 1;
    if (bind(fd, reinterpret_cast<sockaddr*>(&address), static_cast<socklen_t>(length)) == 0) listen(fd, 8);
    if (!is_abstract) chmod(name.c_str(), 0777);
    sockets_.push_back(fd);
  }

  std::filesystem::path folder_;
  std::string abstract_;
  std::uint16_t tcp_port_ = 0;
  std::uint16_t udp_port_ = 0;
  std::vector<int> sockets_;
};

struct Probe {
  std::string name;
  std::string expected;
  std::string got;
  bool is_held = false;
};

Probe to_probe(const Json& line) {
  Probe out{json_string(line, "probe"), "", json_string(line, "got")};
  for (const auto& answer : line.at("expected").as_array()) {
    const auto text = to_display_text(answer);
    out.expected += (out.expected.empty() ? "" : " or ") + text;
    out.is_held = out.is_held || text == out.got;
  }
  return out;
}

struct Suite {
  launcher::Layers layers;
  std::vector<Probe> probes;
  launcher::Outcome outcome;
};

Result<Suite> attack(launcher::Level level, bool allow_weaker) {
  const Targets targets;
  int output[2];
  if (pipe2(output, O_CLOEXEC) != 0) return Error(codes::worker_spawn_failed, "no pipe");
  launcher::Policy policy;
  policy.level = level;
  policy.allow_weaker = allow_weaker;
  policy.memory_bytes = kMemoryBytes;
  policy.cpu_seconds = kCpuSeconds;
  policy.wall = kWall;
  policy.processes = 48;
  policy.open_files = 128;
  policy.tmp_bytes = kTmpBytes;
  policy.file_bytes = kFileBytes;
  launcher::Command command;
  command.program.argv = {"/usr/bin/python3",    "-I", "-B", "-c", std::string(kEscapeProbes),
                          targets.to_json(level)};
  command.program.env = {"PATH=/usr/bin:/bin", "LANG=C.UTF-8"};
  command.out = output[1];
  command.err = STDERR_FILENO;
  auto child = launcher::Launcher().launch(policy, command);
  close(output[1]);
  if (!child) {
    close(output[0]);
    return child.error();
  }
  Suite out;
  out.layers = child->layers();
  std::string text;
  char bytes[4096];
  for (ssize_t got = 0; (got = read(output[0], bytes, sizeof bytes)) > 0;)
    text.append(bytes, static_cast<std::size_t>(got));
  close(output[0]);
  out.outcome = child->wait();
  for (std::size_t from = 0; from < text.size();) {
    const auto end = std::min(text.find('\n', from), text.size());
    if (const auto line = parse_json(text.substr(from, end - from), {.max_bytes = kMostLineBytes}))
      out.probes.push_back(to_probe(*line));
    from = end + 1;
  }
  return out;
}

void print_table(const Suite& suite, launcher::Level level) {
  fmt::print("level {}; layers:", launcher::to_text(level));
  for (const auto& [name, value] : launcher::to_text(suite.layers)) fmt::print(" {}={}", name, value);
  fmt::print("\n{:<34} {:<30} {:<18} {}\n", "probe", "expected", "got", "ok");
  for (const auto& probe : suite.probes) {
    fmt::print("{:<34} {:<30} {:<18} {}\n", probe.name, probe.expected, probe.got,
               probe.is_held ? "ok" : "NO");
  }
}

void print_json(const Suite& suite, launcher::Level level, bool is_whole) {
  JsonArray probes;
  for (const auto& probe : suite.probes) {
    probes.push_back(JsonObject{
        {"probe", probe.name}, {"expected", probe.expected}, {"got", probe.got}, {"ok", probe.is_held}});
  }
  JsonObject layers;
  for (const auto& [name, value] : launcher::to_text(suite.layers)) layers[name] = value;
  fmt::print("{}\n", to_pretty_text(JsonObject{{"level", std::string(launcher::to_text(level))},
                                               {"layers", std::move(layers)},
                                               {"complete", is_whole},
                                               {"probes", std::move(probes)}}));
}

}  // namespace

ExitCode sandbox_test_command(const std::string& level_name, bool as_json, const Settings& settings) {
  const auto level = launcher::parse_level(level_name.empty() ? settings.text("isolation") : level_name)
                         .value_or(launcher::Level::strict);
  if (level == launcher::Level::off) {
    fmt::print(
        stderr,
        "flowpilot: with isolation off the probes would attack this machine itself; say --level strict\n");
    return kUsage;
  }
  const auto suite = attack(level, settings.flag("allow_weaker_isolation"));
  if (!suite) return report(suite.error());
  // The script ends by itself: a suite that was killed has shown nothing.
  const bool is_whole =
      suite->outcome.end == launcher::End::exited && suite->outcome.exit_code == 0 && !suite->probes.empty();
  const auto broken = std::ranges::count_if(suite->probes, [](const Probe& probe) { return !probe.is_held; });
  as_json ? print_json(*suite, level, is_whole) : print_table(*suite, level);
  fmt::print(stderr, "{} probes, {} held, {} did not{}\n", suite->probes.size(),
             suite->probes.size() - static_cast<std::size_t>(broken), broken,
             is_whole ? "" : "; the suite did not come to its end: it " + launcher::describe(suite->outcome));
  return is_whole && broken == 0 ? kOk : kExecutionFailed;
}

}  // namespace fp::app
