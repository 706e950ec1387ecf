#include "launcher/jail/cgroup.hpp"

#include "launcher/jail/files.hpp"

#include <charconv>
#include <csignal>
#include <cstring>
#include <ctime>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace fp::launcher {

namespace {

constexpr std::uint32_t kInit = 1;  // the tree's first process is ours

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> out;
  std::stringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) out.push_back(part);
  return out;
}

bool has_word(const std::string& text, const std::string& word, char separator) {
  for (const auto& part : split(text, separator)) {
    if (part == word) return true;
  }
  return false;
}

/// This process's own group of `controller` ("" is version 2), as /proc/self/cgroup names it.
std::string own_group(const std::string& controller) {
  for (const auto& line : split(read_text("/proc/self/cgroup"), '\n')) {
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const auto names = line.substr(first + 1, second - first - 1);
    if (controller.empty() ? names.empty() : has_word(names, controller, ',')) return line.substr(second + 1);
  }
  return {};
}

/// The folder of this process's own group, "" when it is not mounted.
std::string own_folder(const std::string& controller) {
  const auto group = own_group(controller);
  if (group.empty()) return {};
  for (const auto& line : split(read_text("/proc/self/mountinfo"), '\n')) {
    const auto fields = split(line, ' ');
    const auto dash = line.find(" - ");
    if (fields.size() < 5 || dash == std::string::npos) continue;
    const auto tail = split(line.substr(dash + 3), ' ');
    if (tail.size() < 3 || tail[0] != (controller.empty() ? "cgroup2" : "cgroup")) continue;
    if (!controller.empty() && !has_word(tail[2], controller, ',')) continue;
    const auto& root = fields[3];
    const auto& place = fields[4];
    const auto below = group.starts_with(root) && root != "/" ? group.substr(root.size()) : group;
    const auto folder = below == "/" ? place : place + below;
    return is_folder(folder) ? folder : place;  // another cgroup namespace names it otherwise
  }
  return {};
}

std::uint64_t counter(const std::string& path, const std::string& name) {
  for (const auto& line : split(read_text(path), '\n')) {
    const auto space = line.find(' ');
    if (!name.empty() && (space == std::string::npos || line.substr(0, space) != name)) continue;
    const char* from = line.data() + (name.empty() ? 0 : space + 1);
    std::uint64_t out = 0;
    std::from_chars(from, line.data() + line.size(), out);
    return out;
  }
  return 0;
}

/// Version 2 counts in a group that holds no processes itself: alone in our group (a systemd service with
/// Delegate=yes) the server steps into a group of its own. The root group is exempt from that rule.
bool delegate(const std::string& folder) {
  const auto controls = folder + "/cgroup.subtree_control";
  const auto is_on = [&] {
    const auto on = read_text(controls);
    return on.find("memory") != std::string::npos && on.find("pids") != std::string::npos;
  };
  if (is_on()) return true;
  const auto offered = read_text(folder + "/cgroup.controllers");
  if (offered.find("memory") == std::string::npos || offered.find("pids") == std::string::npos) return false;
  if (write_text(controls, "+memory +pids") && is_on()) return true;
  const auto members = split(read_text(folder + "/cgroup.procs"), '\n');
  const auto parent = std::to_string(getppid());
  const auto self = std::to_string(getpid());
  for (const auto& member : members) {
    if (member != parent && member != self) return false;  // others live here: not ours to move
  }
  const auto own = folder + "/flowpilot.server";
  mkdir(own.c_str(), 0755);
  for (const auto& member : members) write_text(own + "/cgroup.procs", member);
  return write_text(controls, "+memory +pids") && is_on();
}

}  // namespace

bool Cgroup::make(const Policy& policy) {
  const auto name = "/flowpilot." + std::to_string(getpid());
  if (const auto memory = own_folder("memory"), pids = own_folder("pids"); !memory.empty() && !pids.empty()) {
    if (mkdir((memory + name).c_str(), 0755) != 0) return false;
    memory_ = memory + name;
    if (mkdir((pids + name).c_str(), 0755) != 0) return remove(), false;
    pids_ = pids + name;
    version_ = "v1";
  } else if (auto folder = own_folder(""); !folder.empty()) {
    if (folder.ends_with("/flowpilot.server")) folder.resize(folder.rfind('/'));
    if (!delegate(folder) || mkdir((folder + name).c_str(), 0755) != 0) return false;
    memory_ = pids_ = folder + name;
    version_ = "v2";
  } else {
    return false;
  }
  const bool holds = limit_memory(policy.memory_bytes) &&
                     write_text(pids_ + "/pids.max", std::to_string(policy.processes + kInit));
  if (!holds) remove();
  return holds;
}

bool Cgroup::limit_memory(std::uint64_t bytes) const {
  if (version_.empty()) return false;
  if (bytes == 0) return true;
  const auto text = std::to_string(bytes);
  if (version_ == "v2") {
    write_text(memory_ + "/memory.swap.max", "0");  // there may be no swap to limit
    write_text(memory_ + "/memory.oom.group", "0");
    return write_text(memory_ + "/memory.max", text);
  }
  // Raising needs the larger limit first, lowering the smaller one: one of the two orders holds.
  const auto both = memory_ + "/memory.memsw.limit_in_bytes";
  write_text(both, text);
  const bool holds = write_text(memory_ + "/memory.limit_in_bytes", text);
  write_text(both, text);
  return holds;
}

bool Cgroup::add(pid_t pid) const {
  const auto text = std::to_string(pid);
  return !version_.empty() && write_text(memory_ + "/cgroup.procs", text) &&
         (pids_ == memory_ || write_text(pids_ + "/cgroup.procs", text));
}

void Cgroup::kill_all() const {
  if (version_.empty() || write_text(pids_ + "/cgroup.kill", "1")) return;
  for (const auto& member : split(read_text(pids_ + "/cgroup.procs"), '\n')) {
    const pid_t pid = static_cast<pid_t>(std::atoi(member.c_str()));
    if (pid > 0) kill(pid, SIGKILL);
  }
}

void Cgroup::read(Outcome& outcome) const {
  if (version_.empty()) return;
  const bool is_new = version_ == "v2";
  outcome.memory_kills = counter(memory_ + (is_new ? "/memory.events" : "/memory.oom_control"), "oom_kill");
  outcome.refused_processes = counter(pids_ + "/pids.events", "max");
  outcome.peak_memory = counter(memory_ + (is_new ? "/memory.peak" : "/memory.max_usage_in_bytes"), "");
}

void Cgroup::remove() {
  constexpr int kTries = 100;
  constexpr timespec kPause{0, 2'000'000};
  for (auto* folder : {&memory_, &pids_}) {
    // The kernel lets go of a dead process's group a moment after its end was reported.
    for (int tries = 0; !folder->empty() && rmdir(folder->c_str()) != 0 && errno == EBUSY && tries < kTries;
         ++tries)
      nanosleep(&kPause, nullptr);
    folder->clear();
  }
  version_.clear();
}

Cgroup::~Cgroup() {
  remove();
}

}  // namespace fp::launcher
