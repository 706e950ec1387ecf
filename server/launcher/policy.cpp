#include "launcher/policy.hpp"

#include <array>
#include <charconv>
#include <utility>

namespace fp::launcher {

namespace {

constexpr std::array<std::string_view, 3> kLevels{"off", "basic", "strict"};

struct Flag {
  const char* name;
  bool Layers::* member;
};
constexpr std::array kFlags{Flag{"user", &Layers::user},
                            Flag{"pid", &Layers::pid},
                            Flag{"mount", &Layers::mount},
                            Flag{"net", &Layers::net},
                            Flag{"ipc", &Layers::ipc},
                            Flag{"uts", &Layers::uts},
                            Flag{"proc", &Layers::proc},
                            Flag{"uid", &Layers::uid},
                            Flag{"no_new_privs", &Layers::no_new_privs},
                            Flag{"rlimits", &Layers::rlimits},
                            Flag{"seccomp", &Layers::seccomp}};

/// Calls `visit(name, value)` until it gives false.
template <class Visit>
void each_field(std::string_view bytes, Visit visit) {
  while (!bytes.empty()) {
    const auto name_end = bytes.find('\0');
    if (name_end == std::string_view::npos) return;
    const auto value_end = bytes.find('\0', name_end + 1);
    if (value_end == std::string_view::npos) return;
    if (!visit(bytes.substr(0, name_end), bytes.substr(name_end + 1, value_end - name_end - 1))) return;
    bytes.remove_prefix(value_end + 1);
  }
}

}  // namespace

std::vector<std::string> list_missing(const Policy& policy, const Layers& layers) {
  std::vector<std::string> out;
  const auto need = [&out](bool holds, const char* name) {
    if (!holds) out.emplace_back(name);
  };
  if (policy.level == Level::off) return out;
  need(layers.no_new_privs, "no_new_privs");
  need(layers.rlimits, "rlimits");
  need(layers.seccomp, "seccomp");
  if (policy.level == Level::basic) return out;
  need(layers.pid, "pid");
  need(layers.mount, "mount");
  if (policy.network == Network::none) need(layers.net, "net");
  need(layers.uid || layers.user || policy.keep_user, "uid");
  return out;
}

std::vector<std::pair<std::string, std::string>> to_text(const Layers& layers) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& flag : kFlags) out.emplace_back(flag.name, layers.*flag.member ? "true" : "false");
  out.emplace_back("cgroup", layers.cgroup);
  out.emplace_back("landlock", std::to_string(layers.landlock));
  return out;
}

std::string_view to_text(Level level) {
  return kLevels[static_cast<std::size_t>(level)];
}

std::optional<Level> parse_level(std::string_view text) {
  for (std::size_t i = 0; i < kLevels.size(); ++i) {
    if (kLevels[i] == text) return static_cast<Level>(i);
  }
  return std::nullopt;
}

void Message::put(std::string_view name, std::string_view value) {
  bytes_.append(name).push_back('\0');
  bytes_.append(value).push_back('\0');
}

std::string_view Message::get(std::string_view name) const {
  std::string_view out;
  each_field(bytes_, [&](std::string_view field, std::string_view value) {
    if (field == name) out = value;
    return field != name;
  });
  return out;
}

std::uint64_t Message::number(std::string_view name) const {
  const auto text = get(name);
  std::uint64_t out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

std::vector<std::string> Message::list(std::string_view name) const {
  std::vector<std::string> out;
  each_field(bytes_, [&](std::string_view field, std::string_view value) {
    if (field == name) out.emplace_back(value);
    return true;
  });
  return out;
}

Message to_message(const Policy& policy, const Program& program) {
  Message out;
  out.put("level", to_text(policy.level));
  out.put("allow_weaker", policy.allow_weaker ? 1 : 0);
  out.put("network", policy.network == Network::host ? "host" : "none");
  out.put("memory_bytes", policy.memory_bytes);
  out.put("cpu_seconds", policy.cpu_seconds);
  out.put("wall_ms", static_cast<std::uint64_t>(policy.wall.count()));
  out.put("processes", policy.processes);
  out.put("file_bytes", policy.file_bytes);
  out.put("open_files", policy.open_files);
  out.put("tmp_bytes", policy.tmp_bytes);
  out.put("keep_user", policy.keep_user ? 1 : 0);
  out.put("linger_ms", static_cast<std::uint64_t>(policy.linger.count()));
  out.put("slot", policy.slot);
  for (const auto& path : policy.readable) out.put("readable", path);
  for (const auto& path : policy.writable) out.put("writable", path);
  out.put("cwd", program.cwd);
  for (const auto& argument : program.argv) out.put("arg", argument);
  for (const auto& variable : program.env) out.put("env", variable);
  return out;
}

Policy to_policy(const Message& message) {
  Policy out;
  out.level = parse_level(message.get("level")).value_or(Level::strict);
  out.allow_weaker = message.number("allow_weaker") != 0;
  out.network = message.get("network") == "host" ? Network::host : Network::none;
  out.memory_bytes = message.number("memory_bytes");
  out.cpu_seconds = message.number("cpu_seconds");
  out.wall = std::chrono::milliseconds(message.number("wall_ms"));
  out.processes = static_cast<std::uint32_t>(message.number("processes"));
  out.file_bytes = message.number("file_bytes");
  out.open_files = static_cast<std::uint32_t>(message.number("open_files"));
  out.tmp_bytes = message.number("tmp_bytes");
  out.keep_user = message.number("keep_user") != 0;
  out.linger = std::chrono::milliseconds(message.number("linger_ms"));
  out.slot = static_cast<std::uint32_t>(message.number("slot"));
  out.readable = message.list("readable");
  out.writable = message.list("writable");
  return out;
}

Program to_program(const Message& message) {
  return {message.list("arg"), message.list("env"), std::string(message.get("cwd"))};
}

void put(Message& message, const Layers& layers) {
  for (const auto& [name, value] : to_text(layers)) message.put(name, value);
}

Layers to_layers(const Message& message) {
  Layers out;
  for (const auto& flag : kFlags) out.*flag.member = message.get(flag.name) == "true";
  out.cgroup = message.get("cgroup");
  out.landlock = static_cast<int>(message.number("landlock"));
  return out;
}

void put(Message& message, const Outcome& outcome) {
  message.put("end", static_cast<std::uint64_t>(outcome.end));
  message.put("exit_code", static_cast<std::uint64_t>(outcome.exit_code));
  message.put("signal", static_cast<std::uint64_t>(outcome.signal));
  message.put("memory_kills", outcome.memory_kills);
  message.put("refused_processes", outcome.refused_processes);
  message.put("peak_memory", outcome.peak_memory);
}

Outcome to_outcome(const Message& message) {
  Outcome out;
  out.end = static_cast<End>(message.number("end"));
  out.exit_code = static_cast<int>(message.number("exit_code"));
  out.signal = static_cast<int>(message.number("signal"));
  out.memory_kills = message.number("memory_kills");
  out.refused_processes = message.number("refused_processes");
  out.peak_memory = message.number("peak_memory");
  return out;
}

}  // namespace fp::launcher
