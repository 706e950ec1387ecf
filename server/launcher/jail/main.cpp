#include "launcher/jail/cgroup.hpp"
#include "launcher/jail/files.hpp"
#include "launcher/jail/init.hpp"
#include "launcher/jail/record.hpp"
#include "launcher/jail/rights.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace fp::launcher {

namespace {

constexpr int kExitUsage = 2;
constexpr int kExitFailed = 70;

using Time = std::chrono::steady_clock;

/// The process outside: starts the first process inside with the namespaces there are, watches it, kills the
/// whole tree when told to, when its time is up or when the server is gone, and says how it ended. Speaks
/// with the server in Messages over one socket of packets.
class Supervisor {
 public:
  Supervisor(int control, int kept) : control_(control) { inside_.kept = kept; }

  int run() {
    std::string bytes(kMostMessageBytes, '\0');
    const ssize_t got = recv(control_, bytes.data(), bytes.size(), 0);
    if (got <= 0) return kExitUsage;
    bytes.resize(static_cast<std::size_t>(got));
    const Message order(std::move(bytes));
    inside_.policy = to_policy(order);
    inside_.program = to_program(order);
    if (inside_.program.argv.empty()) return kExitUsage;
    prepare();
    if (!start()) return kExitFailed;
    set_deadline(inside_.policy.wall);
    watch();
    end();
    return 0;
  }

 private:
  void prepare() {
    const bool is_root = geteuid() == 0;
    const auto& policy = inside_.policy;
    inside_.uid = policy.level == Level::off ? 0 : kFirstSlotUid + policy.slot % kMostSlots;
    inside_.places = resolve_places(policy, is_root && !policy.keep_user ? inside_.uid : 0);
    if (cgroup_.make(policy)) inside_.layers.cgroup = cgroup_.version();
    // Orphans come here when no pid namespace takes them down.
    prctl(PR_SET_CHILD_SUBREAPER, 1);
  }

  bool start() {
    Channel go;
    if (!go.open() || !records_.open()) return refuse(errno, "pipe");
    inside_.go = go.read_end;
    inside_.report = records_.write_end;
    if (!fork_inside()) return refuse(errno, "starting a process");
    close(records_.write_end);
    records_.write_end = -1;
    close(go.read_end);
    if (inside_.layers.user) map_user();
    if (!inside_.layers.cgroup.empty() && !cgroup_.add(pid_)) {
      kill_tree();
      return refuse(errno, "joining the control group");
    }
    if (write(go.write_end, "g", 1) != 1) return refuse(errno, "pipe");
    close(go.write_end);
    return true;
  }

  /// Root's own namespaces are stronger than those of a user namespace, which hands out capabilities inside.
  bool fork_inside() {
    const auto& policy = inside_.policy;
    const std::uint64_t net = policy.network == Network::none ? CLONE_NEWNET : 0;
    const std::uint64_t mounts = is_without_mounts_ ? 0 : CLONE_NEWNS;
    const std::uint64_t all = CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP | mounts | net;
    if (policy.level == Level::strict) {
      if (geteuid() == 0 && fork_with(all)) return true;
      if (fork_with(all | CLONE_NEWUSER)) return true;
    }
    if (policy.level != Level::off && geteuid() != 0) inside_.uid = 0;
    return make_scratch() && fork_with(0);
  }

  bool fork_with(std::uint64_t flags) {
    auto& layers = inside_.layers;
    layers.user = flags & CLONE_NEWUSER;
    layers.pid = flags & CLONE_NEWPID;
    layers.mount = flags & CLONE_NEWNS;
    layers.net = flags & CLONE_NEWNET;
    layers.ipc = flags & CLONE_NEWIPC;
    layers.uts = flags & CLONE_NEWUTS;
    const long pid = syscall(SYS_clone, flags | SIGCHLD, nullptr, nullptr, nullptr, nullptr);
    if (pid == 0) {
      Inside inside = inside_;
      if (inside.layers.user) inside.uid = kFirstSlotUid + inside.policy.slot % kMostSlots;
      close(records_.read_end);
      run_init(std::move(inside));
    }
    pid_ = static_cast<pid_t>(pid);
    return pid > 0;
  }

  /// The user inside is the slot's by name and this process's own outside; the kernel gives nobody more.
  void map_user() {
    const auto folder = "/proc/" + std::to_string(pid_);
    const auto inside = std::to_string(kFirstSlotUid + inside_.policy.slot % kMostSlots);
    write_text(folder + "/setgroups", "deny");
    write_text(folder + "/uid_map", inside + " " + std::to_string(geteuid()) + " 1");
    write_text(folder + "/gid_map", inside + " " + std::to_string(getegid()) + " 1");
  }

  bool make_scratch() {
    if (!inside_.scratch.empty()) return true;
    char path[] = "/tmp/flowpilot.XXXXXX";
    if (mkdtemp(path) == nullptr) return false;
    if (geteuid() == 0 && inside_.uid != 0 && lchown(path, inside_.uid, inside_.uid) != 0) return false;
    inside_.scratch = path;
    return true;
  }

  void set_deadline(std::chrono::milliseconds wall) {
    if (wall.count() > 0)
      deadline_ = Time::now() + wall;
    else
      deadline_.reset();
  }

  void watch() {
    while (!is_over_) {
      pollfd fds[] = {{is_alone_ ? -1 : control_, POLLIN, 0}, {records_.read_end, POLLIN, 0}};
      const int ready = poll(fds, 2, time_left());
      if (ready < 0 && errno != EINTR) return;
      if (deadline_ && Time::now() >= *deadline_) return finish(End::timed_out);
      if (ready <= 0) continue;
      if (fds[1].revents != 0) take_record();
      if (fds[0].revents != 0) take_order();
    }
  }

  int time_left() const {
    if (!deadline_) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline_ - Time::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000));
  }

  void take_record() {
    Record record;
    if (!receive(records_.read_end, record)) {
      // All who could speak are gone, and nobody said how it ended: the first process was killed.
      if (!has_outcome_) finish(End::signalled), outcome_.signal = SIGKILL;
      is_over_ = true;
      return;
    }
    switch (record.kind) {
      case Record::Kind::layers:
        inside_.layers.landlock = record.value;
        inside_.layers.no_new_privs = record.no_new_privs;
        inside_.layers.rlimits = record.rlimits;
        inside_.layers.seccomp = record.seccomp;
        inside_.layers.mount = record.mount;
        inside_.layers.proc = record.proc;
        inside_.layers.uid = record.uid;
        return;
      case Record::Kind::no_mounts:
        return retry_without_mounts(record);
      case Record::Kind::running:
        for (int fd = 0; fd < 3 + inside_.kept; ++fd)
          close(fd);  // the program's own: their ends must be seen
        return say_started();
      case Record::Kind::refused:
      case Record::Kind::failed:
        say_failed(record.kind == Record::Kind::refused ? "missing" : "failed", record.text, record.value);
        has_outcome_ = is_over_ = true;
        return;
      case Record::Kind::ended:
        outcome_.end = WIFSIGNALED(record.value) ? End::signalled : End::exited;
        outcome_.signal = WIFSIGNALED(record.value) ? WTERMSIG(record.value) : 0;
        outcome_.exit_code = WIFEXITED(record.value) ? WEXITSTATUS(record.value) : 0;
        has_outcome_ = is_over_ = true;
        return;
      case Record::Kind::none:
        return;
    }
  }

  /// Some hosts give a mount namespace and forbid mounting in it.
  void retry_without_mounts(const Record& record) {
    kill_tree();
    if (is_without_mounts_ || !inside_.policy.allow_weaker) {
      say_failed("missing", std::string("mount (") + record.text + ")", record.value);
      has_outcome_ = is_over_ = true;
      return;
    }
    is_without_mounts_ = true;
    records_.close_both();
    if (!make_scratch() || !start()) has_outcome_ = is_over_ = true;
  }

  /// "limit": memory from now on, and time counted from now. Anything else, or nobody there: the end, for
  /// those who may linger a while later.
  void take_order() {
    char bytes[512];
    const ssize_t got = recv(control_, bytes, sizeof bytes, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got == 0 && inside_.policy.linger.count() > 0) {
      is_alone_ = true;
      return set_deadline(inside_.policy.linger);
    }
    const Message order(got > 0 ? std::string(bytes, static_cast<std::size_t>(got)) : std::string());
    if (order.get("order") != "limit") return finish(End::killed);
    if (const auto memory = order.number("memory_bytes"); memory > 0) cgroup_.limit_memory(memory);
    set_deadline(std::chrono::milliseconds(order.number("wall_ms")));
  }

  void finish(End end) {
    outcome_ = {};
    outcome_.end = end;
    has_outcome_ = is_over_ = true;
  }

  void say_started() {
    Message message;
    message.put("started", 1);
    message.put("inside", static_cast<std::uint64_t>(pid_));
    put(message, inside_.layers);
    say(message);
  }

  void say_failed(const char* what, std::string_view text, int number) {
    Message message;
    message.put(what, text);
    message.put("errno", static_cast<std::uint64_t>(number));
    put(message, inside_.layers);
    say(message);
  }

  bool refuse(int number, const char* step) {
    say_failed("failed", step, number);
    clean();
    return false;
  }

  void say(const Message& message) {
    ::send(control_, message.bytes().data(), message.bytes().size(), MSG_NOSIGNAL);
  }

  /// The death of a pid namespace's first process is the death of all in it. Without one the group is killed,
  /// and whoever became an orphan is a child of ours.
  void kill_tree() {
    kill(pid_, SIGKILL);
    const auto until = Time::now() + std::chrono::seconds(2);
    if (!inside_.layers.pid) cgroup_.kill_all();
    for (;;) {
      int status = 0;
      const pid_t ended = waitpid(-1, &status, inside_.layers.pid ? 0 : WNOHANG);
      if (ended > 0 || (ended < 0 && errno == EINTR)) continue;
      if (ended < 0 || Time::now() > until) return;
      cgroup_.kill_all();
      const auto self = std::to_string(getpid());
      const auto children = read_text("/proc/self/task/" + self + "/children");
      for (const char* at = children.c_str(); *at != 0;) {
        char* next = nullptr;
        const long child = std::strtol(at, &next, 10);
        if (next == at) break;
        if (child > 0) kill(static_cast<pid_t>(child), SIGKILL);
        at = next + (*next == ' ' ? 1 : 0);
      }
      poll(nullptr, 0, 1);
    }
  }

  void end() {
    kill_tree();
    cgroup_.read(outcome_);
    if (outcome_.end == End::signalled && outcome_.signal == SIGKILL && outcome_.memory_kills > 0)
      outcome_.end = End::out_of_memory;
    clean();
    Message message;
    put(message, outcome_);
    say(message);
  }

  void clean() {
    if (!inside_.scratch.empty()) remove_folder(inside_.scratch);
  }

  const int control_;
  Inside inside_;
  Cgroup cgroup_;
  Channel records_;
  pid_t pid_ = -1;
  std::optional<Time::time_point> deadline_;
  bool is_alone_ = false;  // the server is gone
  bool is_without_mounts_ = false;
  bool is_over_ = false;
  bool has_outcome_ = false;
  Outcome outcome_;
};

}  // namespace

}  // namespace fp::launcher

/// `flowpilot-launcher N`: N descriptors from 3 on are the program's; the one after them is the control
/// socket. Started by launcher/launcher.cpp only.
int main(int argc, char** argv) {
  constexpr int kMostKept = 64;
  const int kept = argc == 2 ? std::atoi(argv[1]) : -1;
  struct stat status{};
  if (kept < 0 || kept > kMostKept || fstat(3 + kept, &status) != 0 || !S_ISSOCK(status.st_mode)) {
    constexpr char kText[] = "flowpilot-launcher is started by flowpilot, not by people\n";
    return write(2, kText, sizeof kText - 1) < 0 ? fp::launcher::kExitUsage : fp::launcher::kExitUsage;
  }
  return fp::launcher::Supervisor(3 + kept, kept).run();
}
