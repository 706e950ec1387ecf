#include "launcher/launcher.hpp"

#include "base/error_code.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

namespace fp::launcher {
namespace {

using std::chrono::milliseconds;

bool offers(Level level) {
  const auto layers = Launcher().probe({.level = level});
  Policy policy{.level = level};
  return layers && list_missing(policy, *layers).empty();
}

/// What a jailed shell or Python program prints, and how it ended.
struct Ended {
  std::string out;
  Outcome outcome;
  Layers layers;
};

class LauncherTest : public testing::TestWithParam<Level> {
 protected:
  void SetUp() override {
    if (!offers(GetParam())) GTEST_SKIP() << "this machine does not give the level " << to_text(GetParam());
    policy_.level = GetParam();
  }

  Ended run(std::vector<std::string> argv, std::vector<std::string> env = {"PATH=/usr/bin:/bin"}) {
    int pipe_ends[2];
    EXPECT_EQ(pipe2(pipe_ends, O_CLOEXEC), 0);
    Command command;
    command.program = {std::move(argv), std::move(env), cwd_};
    command.out = command.err = pipe_ends[1];
    auto child = Launcher().launch(policy_, command);
    close(pipe_ends[1]);
    Ended out;
    if (!child) {
      close(pipe_ends[0]);
      ADD_FAILURE() << child.error().message;
      return out;
    }
    out.layers = child->layers();
    char buffer[4096];
    for (ssize_t got = 0; (got = read(pipe_ends[0], buffer, sizeof buffer)) > 0;)
      out.out.append(buffer, static_cast<std::size_t>(got));
    close(pipe_ends[0]);
    out.outcome = child->wait();
    return out;
  }
  Ended shell(const std::string& script) { return run({"/bin/sh", "-c", script}); }
  Ended python(const std::string& script) { return run({"/usr/bin/python3", "-I", "-B", "-c", script}); }

  Policy policy_;
  std::string cwd_;
};

std::string level_name(const testing::TestParamInfo<Level>& info) {
  return std::string(to_text(info.param));
}
INSTANTIATE_TEST_SUITE_P(Levels, LauncherTest, testing::Values(Level::off, Level::basic, Level::strict),
                         level_name);

TEST_P(LauncherTest, GivesOutputAndExitCode) {
  const auto ended = shell("echo hello; exit 7");
  EXPECT_EQ(ended.out, "hello\n");
  EXPECT_EQ(ended.outcome.end, End::exited);
  EXPECT_EQ(ended.outcome.exit_code, 7);
}

TEST_P(LauncherTest, SaysWhichSignalEndedTheProgram) {
  const auto ended = shell("kill -SEGV $$");
  EXPECT_EQ(ended.outcome.end, End::signalled);
  EXPECT_EQ(ended.outcome.signal, SIGSEGV);
}

TEST_P(LauncherTest, GivesTheEnvironmentItWasToldAndNoOther) {
  setenv("FLOWPILOT_TEST_SECRET", "s3cret", 1);
  const auto ended = run({"/usr/bin/env"}, {"GREETING=hi"});
  unsetenv("FLOWPILOT_TEST_SECRET");
  EXPECT_NE(ended.out.find("GREETING=hi\n"), std::string::npos);
  EXPECT_EQ(ended.out.find("s3cret"), std::string::npos);
}

TEST_P(LauncherTest, HandsOverExactlyTheDescriptorsAskedFor) {
  const auto ended =
      python("import os; print([fd for fd in range(64) if os.path.exists(f'/proc/self/fd/{fd}')])");
  if (ended.layers.mount && !ended.layers.proc) GTEST_SKIP() << "no /proc inside to look at";
  EXPECT_EQ(ended.out, "[0, 1, 2]\n");
}

TEST_P(LauncherTest, KillsTheWholeTreeAtTheTimeLimit) {
  policy_.wall = milliseconds(200);
  const auto began = std::chrono::steady_clock::now();
  // The pipe closes, and read ends, only when nobody of the tree is left.
  const auto ended = shell("trap '' TERM INT HUP; setsid sh -c 'sleep 60 & sleep 60' & sleep 60");
  EXPECT_EQ(ended.outcome.end, End::timed_out);
  EXPECT_LT(std::chrono::steady_clock::now() - began, milliseconds(1700));
}

TEST_P(LauncherTest, KillEndsWhatIgnoresSignals) {
  Command command;
  command.program.argv = {"/bin/sh", "-c", "trap '' TERM; sleep 60"};
  auto child = Launcher().launch(policy_, command);
  ASSERT_TRUE(child) << child.error().message;
  child->kill();
  pollfd end{child->pid_fd(), POLLIN, 0};
  EXPECT_EQ(poll(&end, 1, 1000), 1);
  EXPECT_EQ(child->wait().end, End::killed);
}

TEST_P(LauncherTest, SaysThatTheKernelKilledItAtItsMemoryLimit) {
  policy_.memory_bytes = 48u << 20;
  const auto ended = python("b = bytearray(400 << 20)");
  if (ended.layers.cgroup.empty()) {
    EXPECT_NE(ended.out.find("MemoryError"), std::string::npos) << ended.out;
  } else {
    EXPECT_EQ(ended.outcome.end, End::out_of_memory);
    EXPECT_GT(ended.outcome.memory_kills, 0u);
  }
}

TEST_P(LauncherTest, AWaitingProgramTakesLimitsLater) {
  Command command;
  command.program.argv = {"/bin/sleep", "60"};
  auto child = Launcher().launch(policy_, command);
  ASSERT_TRUE(child) << child.error().message;
  child->limit(0, milliseconds(50));
  EXPECT_EQ(child->wait().end, End::timed_out);
}

TEST_P(LauncherTest, StopsAForkBombAtTheLimitAndLeavesNothing) {
  policy_.processes = 12;
  policy_.wall = milliseconds(5000);
  const auto ended = python(
      "import os\nmade = 0\ntry:\n  while True:\n    if os.fork() == 0:\n      import time; time.sleep(60)\n "
      "   made += 1\n"
      "except OSError as e: print(made, e.errno)");
  if (ended.layers.cgroup.empty() && !ended.layers.uid && !ended.layers.user)
    GTEST_SKIP() << "neither a control group nor a user of its own counts processes here";
  EXPECT_EQ(ended.out, "11 11\n");
}

TEST_P(LauncherTest, AProgramThatIsNotThereIsASpawnFailure) {
  Command command;
  command.program.argv = {"/usr/bin/no-such-program"};
  const auto child = Launcher().launch(policy_, command);
  ASSERT_FALSE(child);
  EXPECT_EQ(child.error().code, codes::worker_spawn_failed.id);
  EXPECT_TRUE(child.error().retryable);
  EXPECT_NE(child.error().message.find("No such file"), std::string::npos) << child.error().message;
}

TEST_P(LauncherTest, LeavesNoControlGroupBehind) {
  const auto ended = shell("true");
  if (ended.layers.cgroup.empty()) GTEST_SKIP() << "no control group may be made here";
  EXPECT_EQ(std::system("! find /sys/fs/cgroup -maxdepth 6 -type d -name \"flowpilot.[0-9]*\" -empty "
                        "-newermt '1 second ago' 2>/dev/null | grep -q ."),
            0);
}

class StrictLauncherTest : public LauncherTest {};
INSTANTIATE_TEST_SUITE_P(Levels, StrictLauncherTest, testing::Values(Level::strict), level_name);

TEST_P(StrictLauncherTest, ShowsTheSystemAndWhatWasGivenAndNothingElse) {
  const auto folder = std::filesystem::temp_directory_path() / ("fp_given." + std::to_string(getpid()));
  std::filesystem::create_directories(folder / "ro");
  std::filesystem::create_directories(folder / "rw");
  std::filesystem::create_directories(folder / "hidden");
  std::ofstream(folder / "ro/f") << "given\n";
  policy_.readable = {(folder / "ro").string()};
  policy_.writable = {(folder / "rw").string()};
  cwd_ = (folder / "ro").string();
  const auto ended = shell(
      "cat f; echo x > f; echo made > ../rw/f; ls ..; ls /root /home /var; echo t > /tmp/t && cat /tmp/t");
  EXPECT_TRUE(ended.out.starts_with("given\n")) << ended.out;
  EXPECT_NE(ended.out.find("Read-only file system"), std::string::npos) << ended.out;
  EXPECT_EQ(ended.out.find("hidden"), std::string::npos) << ended.out;
  EXPECT_NE(ended.out.find("'/var': No such file"), std::string::npos) << ended.out;
  EXPECT_TRUE(ended.out.ends_with("t\n")) << ended.out;
  std::string made;
  std::ifstream(folder / "rw/f") >> made;
  EXPECT_EQ(made, "made");
  std::filesystem::remove_all(folder);
}

TEST_P(StrictLauncherTest, HasNoNetworkUnlessItIsGivenTheHosts) {
  const std::string script =
      "import socket\ntry: socket.socket(socket.AF_INET, socket.SOCK_STREAM); print('socket')\nexcept "
      "OSError as e: print(e.errno)";
  EXPECT_EQ(python(script).out, "1\n");
  policy_.network = Network::host;
  EXPECT_EQ(python(script).out, "socket\n");
}

TEST_P(StrictLauncherTest, AStandardInputThatClosesIsSeen) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  Command command;
  command.program.argv = {"/bin/cat"};
  command.in = ends[0];
  auto child = Launcher().launch(policy_, command);
  close(ends[0]);
  close(ends[1]);
  ASSERT_TRUE(child) << child.error().message;
  EXPECT_EQ(child->wait().end, End::exited);
}

TEST(LauncherPolicy, ALevelNamesTheLayersItLacks) {
  EXPECT_TRUE(list_missing({.level = Level::off}, {}).empty());
  EXPECT_EQ(list_missing({.level = Level::basic}, {.no_new_privs = true}),
            (std::vector<std::string>{"rlimits", "seccomp"}));
  Layers layers{.mount = true, .uid = true, .no_new_privs = true, .rlimits = true, .seccomp = true};
  EXPECT_EQ(list_missing({.level = Level::strict}, layers), (std::vector<std::string>{"pid", "net"}));
  EXPECT_EQ(list_missing({.level = Level::strict, .network = Network::host}, layers),
            (std::vector<std::string>{"pid"}));
}

TEST(LauncherPolicy, SurvivesTheWayToTheLauncher) {
  Policy policy{
      .level = Level::basic, .network = Network::host, .memory_bytes = 5, .wall = milliseconds(7), .slot = 9};
  policy.readable = {"/a b", "/c=d"};
  const auto message = to_message(policy, {{"x", "", "y\nz"}, {"A=1"}, "/w"});
  EXPECT_EQ(to_policy(message).readable, policy.readable);
  EXPECT_EQ(to_policy(message).wall, policy.wall);
  EXPECT_EQ(to_program(message).argv, (std::vector<std::string>{"x", "", "y\nz"}));
  Message layers;
  put(layers, Layers{.pid = true, .cgroup = "v2", .landlock = 6});
  EXPECT_EQ(to_layers(layers), (Layers{.pid = true, .cgroup = "v2", .landlock = 6}));
}

}  // namespace
}  // namespace fp::launcher
