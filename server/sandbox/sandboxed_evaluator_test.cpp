#include "sandbox/sandboxed_evaluator.hpp"

#include "sandbox/evaluator_fixture.hpp"
#include "sandbox/wire.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <sys/stat.h>
#include <unistd.h>

namespace fp::sandbox {
namespace {

std::string code_of(const std::string& text) {
  return text.substr(0, text.find(':'));
}

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
  EXPECT_EQ(evaluator.check_syntax({"1"})[0]->message,
            "the expression could not be checked: the server is stopping");
}

TEST(SandboxedEvaluator, MayBeCalledFromItsOwnAnswers) {
  SandboxedEvaluator evaluator;
  std::promise<std::string> promise;
  evaluator.evaluate(make_request({"1"}), [&](ports::EvaluationAnswer) {
    evaluator.evaluate(make_request({"2"}), [&](ports::EvaluationAnswer answer) {
      promise.set_value(to_text(*answer.results[0]));
    });
  });
  EXPECT_EQ(promise.get_future().get(), "2");
}

TEST(SandboxedEvaluator, SaysWhatIsMissingWhenItCanNotStart) {
  SandboxedEvaluator missing({.program = "/nonexistent/flowpilot-sandbox"});
  EXPECT_EQ(evaluate_one(missing, "1"),
            "expr.crashed: the expression process can not start: /nonexistent/flowpilot-sandbox: No such "
            "file or directory");
  const Script failing("exit 71");
  SandboxedEvaluator unconfined({.program = failing.path()});
  EXPECT_EQ(evaluate_one(unconfined, "1"),
            "expr.crashed: the expression process could not give up its rights (seccomp and resource limits "
            "are needed)");
}

TEST(SandboxedEvaluator, TriesAgainAfterAProcessThatCouldNotStart) {
  char path[] = "/tmp/flowpilot-marker-XXXXXX";
  close(mkstemp(path));
  const Script flaky("test -e " + std::string(path) + " && rm " + path + " && exit 1\nexec " +
                     default_sandbox_program());
  SandboxedEvaluator evaluator({.program = flaky.path()});
  EXPECT_EQ(evaluate_one(evaluator, "1"), "1");
}

/// A shell command that sends `bytes` to the server.
std::string sending(std::string_view bytes) {
  std::string command = "printf '";
  for (const char c : bytes) command += fmt::format("\\{:03o}", static_cast<unsigned char>(c));
  return command + "' >&3; ";
}

std::string sending_answer(std::uint32_t id, wire::Outcome outcome, std::size_t count = 1,
                           wire::Kind kind = wire::Kind::kEvaluated) {
  wire::Answer answer;
  answer.outcomes.assign(count, outcome);
  return sending(wire::to_frame(wire::Hello{"none"})) + "head -c 20 <&3 >/dev/null; " +
         sending(wire::to_frame(kind, id, answer)) + "sleep 5";
}

std::string evaluate_with(const std::string& script_body) {
  const Script script("PATH=/usr/bin:/bin\n" + script_body);
  SandboxedEvaluator evaluator({.program = script.path()});
  auto request = make_request({"1"});
  request.limits.time = Milliseconds(20'000);
  return evaluate_all(evaluator, std::move(request)).front();
}

TEST(SandboxedEvaluator, TakesAWellFormedAnswer) {
  EXPECT_EQ(evaluate_with(sending_answer(1, {.text = "7"})), "7")
      << "so that the tests below fail for their own reasons";
}

TEST(SandboxedEvaluator, SurvivesWhateverAProcessSends) {
  const auto hello = sending(wire::to_frame(wire::Hello{"none"}));
  const std::string hostile[] = {
      sending("GET / HTTP/1.1\r\n\r\n") + "sleep 5",
      sending("\xff\xff\xff\xff") + "sleep 5",
      hello + sending(std::string_view("\xff\xff\xff\x7f\x04", 5)) + "sleep 5",
      hello + hello + "sleep 5",
      hello + sending(std::string_view("\x0a\0\0\0\x04\x01\0\0\0\0\xff\xff\xff\xff", 14)) + "sleep 5",
      sending_answer(2, {.text = "7"}),
      sending_answer(1, {.text = "7"}, 2),
      sending_answer(1, {.text = "7"}, 1, wire::Kind::kChecked),
      sending_answer(1, {.text = "{"}),
      sending_answer(1, {.verdict = static_cast<wire::Verdict>(99), .text = "7"}),
      sending_answer(1, {.verdict = wire::Verdict::kFailed, .text = "\xff"}),
      sending_answer(1, {.verdict = wire::Verdict::kFailed, .text = std::string(9000, 'x')}),
      hello + "exit 3",
      hello + "kill -SEGV $$",
  };
  for (const auto& body : hostile)
    EXPECT_EQ(code_of(evaluate_with(body)), "expr.crashed") << body.substr(0, 200);
}

TEST(SandboxedEvaluator, HoldsItsLayersOfIsolation) {
  SandboxedEvaluator evaluator;
  evaluate_one(evaluator, "1");
  const auto layers = evaluator.status().layers;
  for (const char* layer : {"no_new_privs", "rlimits", "seccomp"})
    EXPECT_NE(layers.find(layer), std::string::npos) << layers;
  std::ifstream status("/proc/" + std::to_string(evaluator.status().process_ids[0]) + "/status");
  const std::string text(std::istreambuf_iterator<char>(status), {});
  EXPECT_NE(text.find("Seccomp:\t2"), std::string::npos);
  EXPECT_NE(text.find("NoNewPrivs:\t1"), std::string::npos);
  EXPECT_NE(text.find("Threads:\t2"), std::string::npos) << "one for the program, one for the engine";
}

}  // namespace
}  // namespace fp::sandbox
