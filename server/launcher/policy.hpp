#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What the server and its launcher program tell each other. Knows neither Boost nor the rest of the product:
/// it is compiled into both.
namespace fp::launcher {

/// off: limits only. basic: own rights (uid, capabilities), seccomp, Landlock. strict: namespaces on top, so
/// that nothing of the host is there to be reached.
enum class Level : std::uint8_t { off, basic, strict };
/// none: not even loopback. host: the machine's own network.
enum class Network : std::uint8_t { none, host };

struct Policy {
  Level level = Level::strict;
  bool allow_weaker = false;  // go on with the layers there are instead of refusing
  Network network = Network::none;
  std::uint64_t memory_bytes = 256u << 20;  // of all its processes and its tmp; 0: no limit
  std::uint64_t cpu_seconds = 0;            // of each process; 0: no limit
  std::chrono::milliseconds wall{0};        // from launch to SIGKILL; 0: no limit
  std::uint32_t processes = 64;             // and threads
  std::uint64_t file_bytes = 256u << 20;    // of one file
  std::uint32_t open_files = 256;
  std::uint64_t tmp_bytes = 64u << 20;
  std::vector<std::string> readable;  // absolute paths besides the system's own, seen where they are
  std::vector<std::string>
      writable;            // absolute folders; run by root, the folder itself is given to the slot's user
  bool keep_user = false;  // with a root of its own it stays this process's user, whose files it is there for
  std::chrono::milliseconds linger{0};  // it may go on for so long when this process is gone
  std::uint32_t slot = 0;  // run by root, what runs at the same time has different slots: one user each
};

/// What holds around one launched process.
struct Layers {
  bool user = false;  // user namespace
  bool pid = false;
  bool mount = false;
  bool net = false;
  bool ipc = false;
  bool uts = false;
  bool proc = false;          // a /proc of its own
  std::string cgroup;         // "v1", "v2" or ""
  bool uid = false;           // a user of its own (only root can give one)
  bool no_new_privs = false;  // and no capabilities
  bool rlimits = false;
  int landlock = 0;  // ABI in force; 0: none
  bool seccomp = false;
  bool operator==(const Layers&) const = default;
};

/// The layers that `policy` asks for and `layers` lacks, in the words of to_text; empty: it may start.
std::vector<std::string> list_missing(const Policy& policy, const Layers& layers);

enum class End : std::uint8_t { exited, signalled, killed, timed_out, out_of_memory };

/// How it ended. `out_of_memory`: the kernel killed it at its memory limit. `killed`: by Child::kill or
/// because the server went away.
struct Outcome {
  End end = End::exited;
  int exit_code = 0;
  int signal = 0;
  std::uint64_t memory_kills = 0;       // processes of the tree killed at the memory limit
  std::uint64_t refused_processes = 0;  // attempts to start one beyond `processes`; needs a cgroup
  std::uint64_t peak_memory = 0;        // bytes; 0 without a cgroup
};

/// The name and value of each layer, for people and machines: ("landlock", "7"), ("pid", "true").
std::vector<std::pair<std::string, std::string>> to_text(const Layers& layers);
std::string_view to_text(Level level);
std::optional<Level> parse_level(std::string_view text);

/// A message between the two: `name NUL value NUL` repeated, at most kMostMessageBytes.
inline constexpr std::size_t kMostMessageBytes = 160u << 10;
class Message {
 public:
  Message() = default;
  explicit Message(std::string bytes) : bytes_(std::move(bytes)) {}
  void put(std::string_view name, std::string_view value);
  void put(std::string_view name, std::uint64_t value) { put(name, std::to_string(value)); }
  std::string_view get(std::string_view name) const;  // the first, "" when there is none
  std::uint64_t number(std::string_view name) const;
  std::vector<std::string> list(std::string_view name) const;
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

/// What to run. `env` is all of its environment, NAME=VALUE.
struct Program {
  std::vector<std::string> argv;
  std::vector<std::string> env;
  std::string cwd;  // "": its tmp
};

Message to_message(const Policy& policy, const Program& program);
Policy to_policy(const Message& message);
Program to_program(const Message& message);
void put(Message& message, const Layers& layers);
Layers to_layers(const Message& message);
void put(Message& message, const Outcome& outcome);
Outcome to_outcome(const Message& message);

}  // namespace fp::launcher
