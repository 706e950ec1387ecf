#include "server_process.hpp"

#include "base/json_parse.hpp"
#include "net/http_client.hpp"

#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

namespace fp::bench {

namespace fs = std::filesystem;

namespace {

/// The figure of a line such as "Pss:   1234 kB", in bytes.
std::uint64_t read_kilobytes(const std::string& file, const std::string& name) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with(name)) return std::stoull(line.substr(name.size())) * 1024;
  }
  return 0;
}

std::uint64_t memory_of(pid_t pid) {
  auto sum = read_kilobytes(fmt::format("/proc/{}/smaps_rollup", pid), "Pss:");
  std::error_code error;
  for (const auto& task : fs::directory_iterator(fmt::format("/proc/{}/task", pid), error)) {
    std::ifstream children(task.path() / "children");
    for (pid_t child = 0; children >> child;) sum += memory_of(child);
  }
  return sum;
}

}  // namespace

ServerProcess::ServerProcess(const fs::path& program, const fs::path& data_dir,
                             const std::vector<std::string>& more)
    : log_(data_dir.string() + ".log") {
  std::vector<std::string> arguments = {program.string(), "serve",          "--port", "0",
                                        "--data-dir",     data_dir.string()};
  arguments.insert(arguments.end(), more.begin(), more.end());
  std::vector<char*> argv;
  for (const auto& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  const auto begin = std::chrono::steady_clock::now();
  pid_ = vfork();
  if (pid_ == 0) {
    dup2(ends[1], 2);
    execv(argv[0], argv.data());
    _exit(127);
  }
  close(ends[1]);
  wait_until_ready(ends[0]);
  start_ms_ = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
}

void ServerProcess::wait_until_ready(int fd) {
  std::string text;
  char buffer[4096];
  while (port_ == 0) {
    const auto got = read(fd, buffer, sizeof buffer);
    if (got <= 0) throw std::runtime_error("the server did not start: " + text);
    text.append(buffer, static_cast<std::size_t>(got));
    const auto at = text.find(R"("message":"ready")");
    const auto end = text.find('\n', at);
    if (at == text.npos || end == text.npos) continue;
    const auto begin = text.rfind('\n', at) + 1;  // npos + 1 is the start
    const auto line = parse_json(text.substr(begin, end - begin));
    const auto url = json_string(*line, "url");
    port_ = static_cast<std::uint16_t>(std::stoul(url.substr(url.rfind(':') + 1)));
    unfinished_ = static_cast<std::uint64_t>(json_int(*line, "unfinished").value_or(0));
  }
  reader_ = std::thread([fd, log = log_] {
    std::ofstream out(log, std::ios::app);
    char more[4096];
    for (ssize_t got = 0; (got = read(fd, more, sizeof more)) > 0;) out.write(more, got);
    close(fd);
  });
}

ServerProcess::~ServerProcess() {
  end(SIGKILL);
}

void ServerProcess::end(int signal) {
  if (pid_ > 0) {
    kill(pid_, signal);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  if (reader_.joinable()) reader_.join();
}

std::uint64_t ServerProcess::memory() const {
  return memory_of(pid_);
}

std::uint64_t ServerProcess::take_peak() {
  const auto peak = read_kilobytes(fmt::format("/proc/{}/status", pid_), "VmHWM:");
  std::ofstream(fmt::format("/proc/{}/clear_refs", pid_)) << "5";
  return peak;
}

double ServerProcess::cpu_seconds() const {
  std::ifstream in(fmt::format("/proc/{}/stat", pid_));
  std::string text;
  std::getline(in, text);
  std::istringstream rest(text.substr(text.rfind(')') + 2));
  std::string word;
  std::uint64_t user = 0;
  std::uint64_t system = 0;
  for (int i = 0; i < 11; ++i) rest >> word;
  rest >> user >> system;
  return static_cast<double>(user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

Json call_api(std::uint16_t port, const std::string& method, const std::string& target, const Json& body) {
  net::HttpClient client({"127.0.0.1", port}, Milliseconds(120'000));
  const auto reply = client.send(method, target, body.is_null() ? "" : to_text(body));
  if (!reply) throw std::runtime_error(reply.error().message);
  if (reply->status / 100 != 2)
    throw std::runtime_error(fmt::format("{} {}: {} {}", method, target, reply->status, reply->body));
  if (reply->body.empty()) return nullptr;
  const auto json = parse_json(reply->body);
  return json ? *json : Json(nullptr);
}

}  // namespace fp::bench
