#include "base/error_code.hpp"
#include "base/json_parse.hpp"
#include "launcher/launcher.hpp"
#include "tasks/builtin.hpp"
#include "tasks/test_peer.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

namespace fp::tasks {
namespace {

using launcher::Level;

Level strongest_level() {
  for (const auto level : {Level::strict, Level::basic}) {
    const auto layers = launcher::Launcher().probe({.level = level});
    if (layers && launcher::list_missing({.level = level}, *layers).empty()) return level;
  }
  return Level::off;
}

class PythonStepTest : public testing::Test {
 protected:
  void SetUp() override {
    options_.level = strongest_level();
    options_.slots = 2;
    handler_ = make_python_handler(options_, clock_);
  }
  bool is_strict() const { return options_.level == Level::strict; }
  bool counts_totals() const {
    const auto layers = launcher::Launcher().probe({.level = options_.level});
    return layers && !layers->cgroup.empty();
  }

  ports::TaskHandler::Output run(const std::string& code, Json input = nullptr, Json more = JsonObject{}) {
    JsonObject config = more.as_object();
    config["code"] = code;
    config["input"] = std::move(input);
    TestAttempt attempt(*handler_, config, std::chrono::seconds(60));
    auto output = attempt.wait();
    lines_ = attempt.control().take_lines();
    return output;
  }
  std::string text(const std::string& code, Json input = nullptr) {
    const auto output = run(code, std::move(input));
    return output ? to_text(*output) : output.error().code + ": " + output.error().message;
  }
  Error failure(const std::string& code, Json more = JsonObject{}) {
    const auto output = run(code, nullptr, std::move(more));
    EXPECT_FALSE(output) << to_text(*output);
    return output ? Error() : output.error();
  }

  SystemClock clock_;
  CodeOptions options_;
  std::unique_ptr<ports::TaskHandler> handler_;
  std::vector<ports::LogLine> lines_;
};

TEST_F(PythonStepTest, ReturnsAValueMadeFromItsInput) {
  EXPECT_EQ(text("return [x * 2 for x in input['items']]", parse_trusted_json(R"({"items": [1, 2]})")),
            "[2,4]");
  EXPECT_EQ(text("if input > 1:\n    return 'much'\nreturn 'little'", 5), "\"much\"");
  EXPECT_EQ(text("return {'t': (1, None, True, 'ü😀')}"), R"({"t":[1,null,true,"ü😀"]})");
}

TEST_F(PythonStepTest, AScriptSetsResult) {
  EXPECT_EQ(text("import math\nfrom json import *\nresult = math.floor(input) + len(dumps([1]))", 2.7), "5");
  EXPECT_EQ(text("x = 1"), "null");
}

TEST_F(PythonStepTest, AwaitsCoroutines) {
  EXPECT_EQ(text("import asyncio\nawait asyncio.sleep(0)\nreturn 3"), "3");
  EXPECT_EQ(text("import asyncio\nresult = await asyncio.sleep(0, 4)"), "4");
  EXPECT_EQ(text("async def f():\n    return 5\nreturn f()"), "5");
}

TEST_F(PythonStepTest, TextOfSeveralLinesStaysAsItIs) {
  EXPECT_EQ(text("s = \"\"\"a\n  b\n\"\"\"\nreturn s"), "\"a\\n  b\\n\"");
}

TEST_F(PythonStepTest, OutputsAndLoggingAreTheAttemptsLog) {
  EXPECT_EQ(text("import sys, logging, os\nprint('one')\nprint('two', file=sys.stderr)\nlogging.debug('no')\n"
                 "logging.warning('three %d', 3)\nos.system('echo four')\nreturn 1"),
            "1");
  std::map<std::string, std::string> levels;
  for (const auto& line : lines_) levels[line.text] = line.level;
  EXPECT_EQ(levels, (std::map<std::string, std::string>{
                        {"one", "info"}, {"two", "warning"}, {"three 3", "warning"}, {"four", "info"}}));
}

TEST_F(PythonStepTest, LinesComeWhileItRuns) {
  TestAttempt attempt(*handler_, JsonObject{{"code", "import time\nprint('up')\ntime.sleep(60)"}});
  while (attempt.control().take_lines(false).empty()) std::this_thread::yield();
  attempt.control().cancel();
  EXPECT_EQ(code_of(attempt.wait()), codes::task_cancelled.id);
}

TEST_F(PythonStepTest, AnExceptionNamesLineAndFramesOfTheStep) {
  const auto error = failure("def inner():\n    raise ValueError('bad')\n\ninner()\nreturn 1");
  EXPECT_EQ(error.code, codes::python_exception.id);
  EXPECT_EQ(error.message, "ValueError: bad (line 2)");
  const auto& frames = error.details.at("traceback").as_array();
  ASSERT_EQ(frames.size(), 2u);
  EXPECT_EQ(json_int(frames[0], "line"), 4);
  EXPECT_EQ(json_string(frames[1], "function"), "inner");
  EXPECT_EQ(json_string(frames[1], "text"), "raise ValueError('bad')");
  EXPECT_EQ(failure("class E(Exception):\n  def __str__(self): raise E()\nraise E()").message,
            "E: (an exception that can not be printed) (line 3)");
}

TEST_F(PythonStepTest, ASyntaxErrorNamesLineAndColumn) {
  const auto error = failure("x = 1\nreturn x +* 2");
  EXPECT_EQ(error.code, codes::python_syntax.id);
  EXPECT_EQ(json_int(error.details, "line"), 2);
  EXPECT_EQ(failure("x = '\0'").code, codes::python_syntax.id);
}

TEST_F(PythonStepTest, ResultsThatAreNoJsonAreRefusedWithTheirPlace) {
  const std::pair<const char*, const char*> cases[] = {
      {"return {'a': [1, {2}]}", "result.a[1] is of type set"},
      {"return {'x': float('nan')}", "result.x is nan"},
      {"return {1: 2}", "result has the key 1 of type int"},
      {"a = []\na.append(a)\nreturn a", "result[0] holds itself"},
      {"return 2 ** 70", "beyond 64 bits"},
      {"import datetime\nreturn [datetime.date.today()]", ".isoformat()"},
      {"a = []\nfor i in range(5000): a = [a]\nreturn a", "nested"}};
  for (const auto& [code, why] : cases) {
    const auto error = failure(code);
    EXPECT_EQ(error.code, codes::python_result.id) << code;
    EXPECT_NE(error.message.find(why), std::string::npos) << error.message;
  }
  EXPECT_EQ(failure("return 'x' * (100 << 20)", JsonObject{{"memory_mb", 1024}}).code,
            codes::python_too_large.id);
}

TEST_F(PythonStepTest, WritingToTheChannelOfTheResultIsNoResult) {
  EXPECT_EQ(failure("import os\nos.write(3, b'garbage that is no frame')\nreturn 1").code,
            codes::python_result.id);
  EXPECT_EQ(failure("import os\nos.write(3, b'\\x05\\0\\0\\0R{}{}')\nimport time\ntime.sleep(60)").code,
            codes::python_result.id);
  EXPECT_EQ(text("print('{\"result\": 5}')\nreturn 1"), "1");
}

TEST_F(PythonStepTest, EndingTheProcessIsNamed) {
  EXPECT_EQ(failure("import sys\nsys.exit(3)").code, codes::python_exit.id);
  EXPECT_EQ(json_int(failure("import os\nos._exit(4)").details, "status"), 4);
  EXPECT_EQ(failure("import os\nos._exit(0)").code, codes::python_no_result.id);
  EXPECT_EQ(json_int(failure("import os\nos.kill(os.getpid(), 11)").details, "signal"), 11);
  EXPECT_EQ(failure("def f(): return f()\nreturn f()").code, codes::python_recursion.id);
}

TEST_F(PythonStepTest, EndlessCodeIsATimeoutWhateverItIgnores) {
  for (const char* code :
       {"while True: pass",
        "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(60)",
        "import os, time\nif os.fork() == 0:\n  os.setsid()\n  time.sleep(60)\ntime.sleep(60)"}) {
    const auto began = std::chrono::steady_clock::now();
    EXPECT_EQ(failure(code, JsonObject{{"timeout_seconds", 1}}).code, codes::task_timeout.id) << code;
    EXPECT_LT(std::chrono::steady_clock::now() - began, Milliseconds(2500)) << code;
  }
}

TEST_F(PythonStepTest, TooMuchMemoryIsItsOwnError) {
  for (const char* code : {"x = bytearray(10 << 30)", "x = []\nwhile True: x.append(bytearray(1 << 20))"}) {
    const auto error = failure(code, JsonObject{{"memory_mb", 64}});
    EXPECT_EQ(error.code, codes::task_oom_killed.id) << code << ": " << error.message;
  }
}

TEST_F(PythonStepTest, AForkBombEndsAtTheLimitOfProcesses) {
  if (!counts_totals()) GTEST_SKIP() << "no control group counts processes here";
  EXPECT_EQ(failure("import os\nwhile True: os.fork()", JsonObject{{"timeout_seconds", 3}}).code,
            codes::task_process_limit.id);
  EXPECT_EQ(
      failure("import threading, time\nwhile True: threading.Thread(target=time.sleep, args=(60,)).start()")
          .code,
      codes::task_process_limit.id);
  EXPECT_EQ(text("return 1"), "1");
}

TEST_F(PythonStepTest, KillingEverybodyKillsNobody) {
  if (!is_strict()) GTEST_SKIP() << "needs a pid namespace: this would end the tests";
  EXPECT_EQ(text("import os\ntry:\n  os.kill(-1, 9)\nexcept OSError: pass\nreturn 1"), "1");
}

TEST_F(PythonStepTest, AFloodOfDescriptorsAndAFullDiskAreExceptions) {
  const auto flood = failure("import os\nwhile True: os.dup(0)");
  EXPECT_EQ(flood.code, codes::python_exception.id);
  EXPECT_EQ(json_int(flood.details, "errno"), EMFILE);
  if (!is_strict()) GTEST_SKIP() << "no tmp of its own to fill without a mount namespace";
  const auto full = failure(
      "for i in range(100):\n  with open(f'/tmp/{i}', 'wb') as f:\n    for _ in range(8): f.write(b'x' * (1 "
      "<< 20))",
      JsonObject{{"memory_mb", 512}});
  EXPECT_EQ(full.code, codes::python_exception.id) << full.message;
  EXPECT_EQ(json_int(full.details, "errno"), ENOSPC) << full.message;
}

TEST_F(PythonStepTest, AFloodOfOutputIsCutNotKept) {
  EXPECT_EQ(text("import os\nfor _ in range(1024): os.write(1, b'\\xff' * (1 << 20))\nreturn 'done'"),
            "\"done\"");
  std::size_t bytes = 0;
  for (const auto& line : lines_) bytes += line.text.size();
  EXPECT_LT(bytes, 2u << 20);
  EXPECT_NE(lines_.back().text.find("more lines were dropped"), std::string::npos);
}

TEST_F(PythonStepTest, ThreadsAndChildrenThatStayBehindDoNotHoldTheResultUp) {
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(text("import threading, time, subprocess, atexit\natexit.register(time.sleep, 60)\n"
                 "threading.Thread(target=time.sleep, args=(60,)).start()\nsubprocess.Popen(['sleep', "
                 "'60'])\nreturn 1"),
            "1");
  EXPECT_LT(std::chrono::steady_clock::now() - began, Milliseconds(5000));
}

TEST_F(PythonStepTest, NothingOfARunReachesTheNext) {
  if (!is_strict()) GTEST_SKIP() << "tmp is shared without a mount namespace";
  EXPECT_EQ(text("import builtins\nbuiltins.left = 1\nopen('/tmp/left', 'w').write('x')\nreturn 1"), "1");
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(text("import os, builtins\nreturn [hasattr(builtins, 'left'), os.listdir('/tmp')]"),
              "[false,[]]");
  }
}

TEST_F(PythonStepTest, AnInterpreterThatIsNotThereIsAFailureToTryAgain) {
  options_.python = "/usr/bin/python-that-is-not-there";
  handler_ = make_python_handler(options_, clock_);
  const auto error = failure("return 1");
  EXPECT_EQ(error.code, codes::worker_spawn_failed.id);
  EXPECT_TRUE(error.retryable);
}

TEST_F(PythonStepTest, PackagesOfAVenvCanBeImported) {
  const TestFolder folder;
  const auto venv = (folder.path() / "venv").string();
  if (std::system(("/usr/bin/python3 -m venv --without-pip " + venv + " 2>/dev/null").c_str()) != 0)
    GTEST_SKIP() << "this Python has no venv module";
  std::filesystem::path packages;
  for (const auto& entry : std::filesystem::directory_iterator(venv + "/lib"))
    packages = entry.path() / "site-packages";
  std::ofstream(packages / "greeting.py") << "WORD = 'hello'\n";
  options_.python = venv + "/bin/python";
  handler_ = make_python_handler(options_, clock_);
  EXPECT_EQ(text("import greeting\nreturn greeting.WORD"), "\"hello\"");
}

}  // namespace
}  // namespace fp::tasks
