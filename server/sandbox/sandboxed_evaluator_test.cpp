#include "sandbox/sandboxed_evaluator.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <mutex>

#include "sandbox/evaluator_fixture.hpp"

namespace fp::sandbox {
namespace {

std::string code_of(const std::string& text) { return text.substr(0, text.find(':')); }

/// A sandbox program that is a shell script.
class Script {
 public:
  explicit Script(const std::string& body) {
    char path[] = "/tmp/flowpilot-script-XXXXXX";
    const int fd = mkstemp(path);
    close(fd);
    path_ = path;
    std::ofstream(path_) << "#!/bin/sh\n" << body << "\n";
    chmod(path, 0700);
  }
  ~Script() { unlink(path_.c_str()); }
  Script(const Script&) = delete;
  Script& operator=(const Script&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// Counts down; wait() returns when all have been counted.
class Countdown {
 public:
  explicit Countdown(int count) : left_(count) {}
  void count() {
    const std::lock_guard lock(mutex_);
    if (--left_ == 0) done_.notify_all();
  }
  bool wait() {
    std::unique_lock lock(mutex_);
    return done_.wait_for(lock, std::chrono::seconds(60), [this] { return left_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable done_;
  int left_;
};

const char* const kEndless = "(() => { for (;;); })()";

ports::EvaluationRequest endless(Milliseconds time) {
  auto request = make_request({kEndless});
  request.limits.time = time;
  return request;
}

TEST(SandboxedEvaluator, AnswersTenThousandRequestsOnceEach) {
  constexpr int kRequests = 10'000;
  SandboxedEvaluator evaluator({.processes = 2, .max_waiting = kRequests});
  std::vector<std::atomic<int>> answers(kRequests);
  std::atomic<int> wrong{0};
  Countdown countdown(kRequests);
  for (int i = 0; i < kRequests; ++i) {
    auto request = make_request({"input + 1"}, make_scope({{"input", std::to_string(i).c_str()}}));
    evaluator.evaluate(std::move(request), [&, i](ports::EvaluationAnswer answer) {
      ++answers[static_cast<std::size_t>(i)];
      if (answer.results.size() != 1 || !answer.results[0] || *answer.results[0] != Json(i + 1)) ++wrong;
      countdown.count();
    });
  }
  ASSERT_TRUE(countdown.wait());
  evaluator.stop();
  EXPECT_EQ(wrong, 0);
  EXPECT_TRUE(std::ranges::all_of(answers, [](const auto& count) { return count == 1; }));
}

TEST(SandboxedEvaluator, RefusesWhatExceedsItsQueue) {
  SandboxedEvaluator evaluator({.max_waiting = 2});
  auto first = evaluate_later(evaluator, endless(Milliseconds(300)));
  auto second = evaluate_later(evaluator, make_request({"2"}));
  auto third = evaluate_later(evaluator, make_request({"3"}));
  EXPECT_EQ(third.get().results[0].error().code, "expr.overloaded");
  EXPECT_TRUE(third.valid() == false && second.get().results[0].has_value());
  EXPECT_EQ(first.get().results[0].error().code, "expr.timeout");
  EXPECT_EQ(evaluate_one(evaluator, "4"), "4");
}

TEST(SandboxedEvaluator, AKilledProcessFailsOnlyTheRequestItWorkedOn) {
  SandboxedEvaluator evaluator;
  ASSERT_EQ(evaluate_one(evaluator, "1"), "1");
  const auto killed = evaluator.status().process_ids;
  ASSERT_EQ(killed.size(), 1u);
  auto busy = evaluate_later(evaluator, endless(Milliseconds(20'000)));
  std::vector<std::future<ports::EvaluationAnswer>> behind;
  for (int i = 0; i < 20; ++i) behind.push_back(evaluate_later(evaluator, make_request({"1 + 1"})));
  kill(killed[0], SIGKILL);
  const auto lost = busy.get().results[0];
  EXPECT_EQ(lost.error().code, "expr.crashed");
  EXPECT_TRUE(lost.error().retryable);
  EXPECT_EQ(lost.error().message, "the process that evaluated the expression was ended by signal 9");
  for (auto& answer : behind) EXPECT_EQ(*answer.get().results[0], Json(2));
  EXPECT_NE(evaluator.status().process_ids, killed);
}

TEST(SandboxedEvaluator, AHungProcessFailsOnlyTheRequestItWorkedOn) {
  SandboxedEvaluator evaluator;
  ASSERT_EQ(evaluate_one(evaluator, "1"), "1");
  const auto stopped = evaluator.status().process_ids;
  kill(stopped[0], SIGSTOP);  // it does not even come to its own interrupt
  auto request = make_request({"1"});
  request.limits.time = Milliseconds(30);
  auto hung = evaluate_later(evaluator, std::move(request));
  auto behind = evaluate_later(evaluator, make_request({"2"}));
  EXPECT_EQ(hung.get().results[0].error().code, "expr.timeout");
  EXPECT_EQ(*behind.get().results[0], Json(2));
  EXPECT_NE(kill(stopped[0], 0), 0) << "it is gone and reaped";
}

TEST(SandboxedEvaluator, StoppingAnswersEverything) {
  SandboxedEvaluator evaluator;
  std::vector<std::future<ports::EvaluationAnswer>> answers;
  answers.push_back(evaluate_later(evaluator, endless(Milliseconds(20'000))));
  for (int i = 0; i < 200; ++i) answers.push_back(evaluate_later(evaluator, make_request({"1"})));
  evaluator.stop();
  evaluator.stop();
  for (auto& answer : answers) EXPECT_EQ(answer.get().results[0].error().code, "expr.crashed");
  EXPECT_EQ(code_of(evaluate_one(evaluator, "1")), "expr.crashed") << "after stop";
  EXPECT_EQ(evaluator.check_syntax({"1"})[0]->message, "the expression could not be checked: the server is stopping");
}

TEST(SandboxedEvaluator, MayBeCalledFromItsOwnAnswers) {
  SandboxedEvaluator evaluator;
  std::promise<std::string> promise;
  evaluator.evaluate(make_request({"1"}), [&](ports::EvaluationAnswer) {
    evaluator.evaluate(make_request({"2"}), [&](ports::EvaluationAnswer answer) { promise.set_value(to_text(*answer.results[0])); });
  });
  EXPECT_EQ(promise.get_future().get(), "2");
}

TEST(SandboxedEvaluator, SaysWhatIsMissingWhenItCanNotStart) {
  SandboxedEvaluator missing({.program = "/nonexistent/flowpilot-sandbox"});
  EXPECT_EQ(evaluate_one(missing, "1"),
            "expr.crashed: the expression process can not start: /nonexistent/flowpilot-sandbox: No such file or directory");
  const Script failing("exit 71");
  SandboxedEvaluator unconfined({.program = failing.path()});
  EXPECT_EQ(evaluate_one(unconfined, "1"),
            "expr.crashed: the expression process could not give up its rights (seccomp and resource limits are needed)");
}

TEST(SandboxedEvaluator, TriesAgainAfterAProcessThatCouldNotStart) {
  char path[] = "/tmp/flowpilot-marker-XXXXXX";
  close(mkstemp(path));
  const Script flaky("test -e " + std::string(path) + " && rm " + path + " && exit 1\nexec " + default_sandbox_program());
  SandboxedEvaluator evaluator({.program = flaky.path()});
  EXPECT_EQ(evaluate_one(evaluator, "1"), "1");
}

TEST(SandboxedEvaluator, SurvivesWhateverAProcessSends) {
  const std::string hello = R"(printf '\011\000\000\000\001\000\000\000\000\000\000\000\000' >&3; )";
  const std::string hostile[] = {
      R"(printf 'GET / HTTP/1.1\r\n\r\n' >&3; sleep 5)",
      R"(printf '\377\377\377\377' >&3; sleep 5)",
      hello + R"(printf '\377\377\377\177\004' >&3; sleep 5)",
      hello + hello + "sleep 5",
      hello + R"(printf '\012\000\000\000\004\143\000\000\000\000\001\000\000\000' >&3; sleep 5)",
      hello + R"(printf '\012\000\000\000\004\001\000\000\000\000\377\377\377\377' >&3; sleep 5)",
      hello + R"(printf '\030\000\000\000\004\001\000\000\000\000\001\000\000\000\000\000\000\000\000\000\000\000\000\001\000\000\000{' >&3; sleep 5)",
      hello + R"(printf '\030\000\000\000\004\001\000\000\000\000\001\000\000\000\143\000\000\000\000\000\000\000\000\001\000\000\0001' >&3; sleep 5)",
      hello + "exit 3",
      hello + "kill -SEGV $$",
  };
  for (const auto& body : hostile) {
    const Script script(body);
    SandboxedEvaluator evaluator({.program = script.path()});
    auto request = make_request({"1"});
    request.limits.time = Milliseconds(3000);
    EXPECT_EQ(code_of(evaluate_all(evaluator, std::move(request)).front()), "expr.crashed") << body;
  }
}

TEST(SandboxedEvaluator, HoldsItsLayersOfIsolation) {
  SandboxedEvaluator evaluator;
  evaluate_one(evaluator, "1");
  const auto layers = evaluator.status().layers;
  for (const char* layer : {"no_new_privs", "rlimits", "seccomp"}) EXPECT_NE(layers.find(layer), std::string::npos) << layers;
  std::ifstream status("/proc/" + std::to_string(evaluator.status().process_ids[0]) + "/status");
  const std::string text(std::istreambuf_iterator<char>(status), {});
  EXPECT_NE(text.find("Seccomp:\t2"), std::string::npos);
  EXPECT_NE(text.find("NoNewPrivs:\t1"), std::string::npos);
  EXPECT_NE(text.find("Threads:\t2"), std::string::npos) << "one for the program, one for the engine";
}

}  // namespace
}  // namespace fp::sandbox
