#include "launcher/jail/init.hpp"

#include "launcher/jail/record.hpp"
#include "launcher/jail/rights.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace fp::launcher {

namespace {

constexpr int kExitNotStarted = 125;

[[noreturn]] void give_up(const Inside& inside, Record::Kind kind, int number, const std::string& text) {
  Record record;
  record.kind = kind;
  record.value = number;
  std::snprintf(record.text, sizeof record.text, "%s", text.c_str());
  send(inside.report, record);
  _exit(kExitNotStarted);
}

std::string join(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

/// Read and run: the system and what was given. Written: tmp and what was given for it.
int restrict_to_places(const Inside& inside) {
  std::vector<std::string> readable{"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc"};
  std::vector<std::string> writable{inside.layers.mount ? "/tmp" : inside.scratch};
  if (inside.layers.mount) writable.emplace_back("/dev/shm");
  for (const auto& place : inside.places) (place.is_writable ? writable : readable).push_back(place.inside);
  return restrict_files(readable, writable, inside.policy.network);
}

void note_layers(const Inside& inside) {
  Record record;
  record.kind = Record::Kind::layers;
  record.value = inside.layers.landlock;
  record.no_new_privs = inside.layers.no_new_privs;
  record.rlimits = inside.layers.rlimits;
  record.seccomp = inside.layers.seccomp;
  record.mount = inside.layers.mount;
  record.proc = inside.layers.proc;
  record.uid = inside.layers.uid;
  send(inside.report, record);
}

/// Only among mounts of its own, where nothing is that this user could misuse.
bool stays_user(const Inside& inside) {
  return inside.policy.keep_user && inside.layers.mount;
}

/// From the widest right to the narrowest: each step needs one that a later step takes away.
void confine(Inside& inside) {
  const auto& policy = inside.policy;
  auto& layers = inside.layers;
  const bool is_confined = policy.level != Level::off;
  if (is_confined && inside.uid != 0 && !layers.user && !stays_user(inside)) {
    layers.uid = become_user(inside.uid);
    if (!layers.uid) give_up(inside, Record::Kind::failed, errno, "changing the user");
  }
  layers.rlimits = set_limits(policy, !layers.cgroup.empty(), layers.uid || layers.user);
  if (is_confined) {
    layers.no_new_privs = drop_privileges();
    layers.landlock = restrict_to_places(inside);
    layers.seccomp = layers.no_new_privs && filter_calls(policy.network);
  }
  note_layers(inside);
  const auto missing = list_missing(policy, layers);
  if (!missing.empty() && !policy.allow_weaker) give_up(inside, Record::Kind::refused, 0, join(missing));
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (auto& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

/// Becomes the program. `started` closes when it has; before that it takes a Record of what went wrong.
[[noreturn]] void run_program(Inside inside, int started, pid_t parent) {
  inside.report = started;
  if (!inside.scratch.empty() && inside.policy.level != Level::off) {
    for (const char* name : {"TMPDIR=", "HOME="}) {
      std::erase_if(inside.program.env,
                    [name](const std::string& variable) { return variable.starts_with(name); });
      inside.program.env.push_back(name + inside.scratch);
    }
  }
  const auto home = inside.scratch.empty() ? std::string("/tmp") : inside.scratch;
  confine(inside);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(kExitNotStarted);
  // After the rights are gone, so that the folder is one the program itself may enter.
  const auto& folder = inside.program.cwd.empty() ? home : inside.program.cwd;
  if (chdir(folder.c_str()) != 0) give_up(inside, Record::Kind::failed, errno, "entering " + folder);
  close_range(static_cast<unsigned>(3 + inside.kept), ~0u, CLOSE_RANGE_CLOEXEC);
  auto arguments = pointers(inside.program.argv);
  auto environment = pointers(inside.program.env);
  execve(arguments[0], arguments.data(), environment.data());
  give_up(inside, Record::Kind::failed, errno, std::string("starting ") + arguments[0]);
}

void reset_signals() {
  for (int number = 1; number < NSIG; ++number) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

/// What the program's process says before it is the program, passed on; false when it never became it.
bool watch_start(const Inside& inside, int started) {
  bool is_good = true;
  Record record;
  while (receive(started, record)) {
    is_good = is_good && record.kind == Record::Kind::layers;
    send(inside.report, record);
  }
  close(started);
  return is_good;
}

[[noreturn]] void reap_until_ended(pid_t program, const Inside& inside) {
  for (;;) {
    int status = 0;
    const pid_t ended = wait(&status);
    if (ended < 0 && errno != EINTR) _exit(kExitNotStarted);
    if (ended != program) continue;
    Record record;
    record.kind = Record::Kind::ended;
    record.value = status;
    send(inside.report, record);
    _exit(0);
  }
}

void await_go(const Inside& inside) {
  char word = 0;
  if (read(inside.go, &word, 1) != 1) _exit(kExitNotStarted);
  close(inside.go);
}

}  // namespace

void run_init(Inside inside) {
  if (inside.layers.user) await_go(inside);  // it has no rights before its user is mapped
  prctl(PR_SET_DUMPABLE, 0);                 // nobody inside may look into this process
  prctl(PR_SET_NAME, "flowpilot-init");
  setsid();
  reset_signals();
  if (inside.layers.mount) {
    std::string failed;
    inside.layers.mount = build_root(inside.policy, inside.places,
                                     stays_user(inside) && !inside.layers.user ? geteuid() : inside.uid,
                                     inside.layers.proc, failed);
    if (!inside.layers.mount) give_up(inside, Record::Kind::no_mounts, errno, failed);
  }
  if (inside.layers.uts && sethostname("step", 4) != 0) inside.layers.uts = false;
  // Joining a control group takes the kernel as long as all of the above: the two go on side by side.
  if (!inside.layers.user) await_go(inside);
  Channel start;
  if (!start.open()) give_up(inside, Record::Kind::failed, errno, "pipe");
  const pid_t self = getpid();
  const pid_t program = fork();
  if (program < 0) give_up(inside, Record::Kind::failed, errno, "fork");
  if (program == 0) run_program(std::move(inside), start.write_end, self);
  close(start.write_end);
  for (int fd = 0; fd < 3 + inside.kept; ++fd) close(fd);  // the program's own: their ends must be seen
  if (inside.policy.level != Level::off) {
    if (inside.uid != 0 && !inside.layers.user) become_user(inside.uid);
    drop_privileges();
  }
  prctl(PR_SET_DUMPABLE, 0);  // changing the user made it readable again
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (!watch_start(inside, start.read_end)) _exit(kExitNotStarted);
  Record running;
  running.kind = Record::Kind::running;
  send(inside.report, running);
  reap_until_ended(program, inside);
}

}  // namespace fp::launcher
