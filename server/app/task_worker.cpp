#include "app/task_worker.hpp"

#include "app/isolation.hpp"
#include "base/error_code.hpp"
#include "base/log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace fp::app {

namespace {

constexpr const char* kName = "tasks";
constexpr Milliseconds kLook{500};  // between two looks at the files
constexpr Milliseconds kFirstBackoff{250};
constexpr Milliseconds kMostBackoff{30'000};
constexpr Milliseconds kCrashBackoff{
    1'000};                               // most for one that was ready before: other functions wait for it
constexpr Milliseconds kHealthy{10'000};  // one that lived so long is started again at once
constexpr std::size_t kMostFiles = 10'000;
constexpr std::size_t kMostLine = 16u << 10;
constexpr std::size_t kMostLastWords = 40;

std::string host_name() {
  std::array<char, 256> name{};
  gethostname(name.data(), name.size() - 1);
  return name.data();
}

}  // namespace

TaskWorker::TaskWorker(TaskWorkerOptions options, workers::WorkerHub& hub, const Clock& clock)
    : options_(std::move(options)),
      hub_(hub),
      clock_(clock),
      wake_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  files_ = look_at_files();
  thread_ = std::thread([this] { run(); });
}

TaskWorker::~TaskWorker() {
  stop(Milliseconds(0));
  close(wake_fd_);
}

void TaskWorker::stop(Milliseconds grace) {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(stopping_, true)) return;
    grace_ = grace;
    changed_.notify_all();
  }
  const std::uint64_t one = 1;
  (void)!write(wake_fd_, &one, sizeof one);
  thread_.join();
}

Result<void> TaskWorker::wait_until_registered(Milliseconds most) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, most, [this] { return registered_ || failed_ || stopping_; });
  if (registered_) return {};
  const auto words =
      last_words_.empty() ? std::string("it said nothing") : fmt::format("{}", fmt::join(last_words_, "\n"));
  return Error(codes::worker_spawn_failed, fmt::format("the worker for {} did not register its functions: {}",
                                                       options_.folder.string(), words));
}

Json TaskWorker::isolation() const {
  const std::lock_guard lock(mutex_);
  return isolation_;
}

void TaskWorker::run() {
  pthread_setname_np(pthread_self(), "task-worker");
  auto next_look = clock_.steady_now() + kLook;
  while (true) {
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) break;
    }
    const bool has_current = !children_.empty() && !children_.back().replaced;
    if (!has_current && clock_.steady_now() >= next_start_) start_child();
    wait_for_anything(registered_ ? kLook : Milliseconds(20));
    if (!children_.empty() && !registered_ &&
        hub_.knows_process(kName, static_cast<std::uint64_t>(children_.back().process.pid()))) {
      const std::lock_guard lock(mutex_);
      registered_ = true;
      changed_.notify_all();
    }
    if (clock_.steady_now() < next_look) continue;
    next_look = clock_.steady_now() + kLook;
    const auto files = look_at_files();
    if (std::exchange(files_, files) != files) replace_current();
  }
  end_children();
}

void TaskWorker::start_child() {
  launcher::Program program;
  program.argv = {options_.python,  "-u",      options_.sdk.string(),   "worker",
                  "--config-stdin", "--tasks", options_.folder.string()};
  program.env = options_.environment;
  program.cwd = options_.folder.string();
  auto spawned = WorkerProcess::spawn(options_.policy, std::move(program));
  backoff_ = std::clamp(backoff_ * 2, kFirstBackoff, kMostBackoff);
  next_start_ = clock_.steady_now() + backoff_;
  if (!spawned) {
    log(LogLevel::error, "the worker for functions can not start", {{"detail", spawned.error().message}});
    const std::lock_guard lock(mutex_);
    last_words_ = {spawned.error().message};
    failed_ = true;
    return changed_.notify_all();
  }
  children_.push_back({std::move(*spawned), "", clock_.steady_now(), false});
  auto& process = children_.back().process;
  const Json isolation = to_json(options_.policy.level, process.layers());
  // Who it is, as seen from here: inside it has other numbers and names.
  const Json config = JsonObject{{"url", options_.url},
                                 {"token", options_.token},
                                 {"name", kName},
                                 {"slots", options_.slots},
                                 {"memory_mb", options_.memory_mb},
                                 {"spool", options_.spool.string()},
                                 {"host", host_name()},
                                 {"pid", process.pid()},
                                 {"isolation", isolation}};
  process.write(to_text(config) + "\n");
  const std::lock_guard lock(mutex_);
  isolation_ = isolation;
}

void TaskWorker::wait_for_anything(Milliseconds most) {
  std::vector<pollfd> watched{{wake_fd_, POLLIN, 0}};
  for (const auto& child : children_) {
    watched.push_back({child.process.pid_fd(), POLLIN, 0});
    watched.push_back({child.process.error_fd(), POLLIN, 0});
  }
  if (poll(watched.data(), watched.size(), static_cast<int>(most.count())) <= 0) return;
  for (std::size_t i = children_.size(); i-- > 0;) {
    if (watched[2 + 2 * i].revents != 0) read_words(children_[i]);
    if (watched[1 + 2 * i].revents != 0) on_end(i);
  }
}

/// Its leases are lost at once, not when they run out.
void TaskWorker::on_end(std::size_t at) {
  auto& child = children_[at];
  read_words(child);
  const auto pid = child.process.pid();
  const auto lived = clock_.steady_now() - child.since;
  const auto how = child.process.finish();
  const bool was_ready = hub_.knows_process(kName, static_cast<std::uint64_t>(pid));
  hub_.remove_process(kName, static_cast<std::uint64_t>(pid));
  const bool was_replaced = child.replaced;
  children_.erase(children_.begin() + static_cast<std::ptrdiff_t>(at));
  if (was_replaced) return;
  if (lived >= kHealthy) {
    backoff_ = Milliseconds(0);
    next_start_ = clock_.steady_now();
  } else if (was_ready) {
    backoff_ = std::min(backoff_, kCrashBackoff);
    next_start_ = std::min(next_start_, clock_.steady_now() + backoff_);
  }
  log(LogLevel::warning, "the worker for functions ended and is started again",
      {{"pid", pid},
       {"how", how},
       {"in_ms",
        std::max<std::int64_t>(
            0, std::chrono::duration_cast<Milliseconds>(next_start_ - clock_.steady_now()).count())}});
  const std::lock_guard lock(mutex_);
  if (registered_) return;
  last_words_.push_back("it " + how);
  failed_ = true;
  changed_.notify_all();
}

void TaskWorker::read_words(Child& child) {
  std::array<char, 65536> buffer;
  while (true) {
    const auto size = ::read(child.process.error_fd(), buffer.data(), buffer.size());
    if (size <= 0) break;
    child.partial.append(buffer.data(), static_cast<std::size_t>(size));
    std::size_t from = 0;
    for (auto to = child.partial.find('\n'); to != std::string::npos; to = child.partial.find('\n', from)) {
      say(child, child.partial.substr(from, to - from));
      from = to + 1;
    }
    child.partial.erase(0, from);
    if (child.partial.size() > kMostLine) say(child, std::exchange(child.partial, ""));
  }
}

void TaskWorker::say(Child& child, const std::string& line) {
  if (line.empty()) return;
  log(LogLevel::info, line.substr(0, kMostLine), {{"worker", kName}, {"pid", child.process.pid()}});
  const std::lock_guard lock(mutex_);
  if (!registered_ && last_words_.size() < kMostLastWords) last_words_.push_back(line);
}

/// The old one gets no more leases and ends by itself; the new one takes over at once.
void TaskWorker::replace_current() {
  backoff_ = Milliseconds(0);
  next_start_ = clock_.steady_now();
  if (children_.empty() || children_.back().replaced) return;
  auto& child = children_.back();
  log(LogLevel::info, "functions changed; a new worker takes over", {{"folder", options_.folder.string()}});
  child.replaced = true;
  hub_.drain_process(kName, static_cast<std::uint64_t>(child.process.pid()));
  child.process.terminate();
}

void TaskWorker::end_children() {
  for (auto& child : children_) child.process.close_input();
  const auto until = clock_.steady_now() + grace_;
  while (!children_.empty() && clock_.steady_now() < until) {
    std::vector<pollfd> watched;
    for (const auto& child : children_) {
      watched.push_back({child.process.pid_fd(), POLLIN, 0});
      watched.push_back({child.process.error_fd(), POLLIN, 0});
    }
    poll(watched.data(), watched.size(), 20);
    for (std::size_t i = children_.size(); i-- > 0;) {
      read_words(children_[i]);
      if (watched[2 * i].revents == 0) continue;
      children_[i].process.finish();
      children_.erase(children_.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
  children_.clear();
}

/// A number that changes when a Python file comes, goes or changes.
std::uint64_t TaskWorker::look_at_files() const {
  namespace fs = std::filesystem;
  std::uint64_t sum = 0;
  std::size_t seen = 0;
  std::error_code ec;
  fs::recursive_directory_iterator at(options_.folder, fs::directory_options::skip_permission_denied, ec);
  for (; !ec && at != fs::recursive_directory_iterator() && seen < kMostFiles; at.increment(ec)) {
    const auto name = at->path().filename().string();
    const bool is_hidden = name.starts_with('.') || name == "__pycache__" || name == "node_modules";
    if (at->is_directory(ec)) {
      if (is_hidden) at.disable_recursion_pending();
      continue;
    }
    if (is_hidden || at->path().extension() != ".py") continue;
    ++seen;
    const auto time = static_cast<std::uint64_t>(at->last_write_time(ec).time_since_epoch().count());
    sum += split_mix(std::hash<std::string>{}(at->path().string()) ^ split_mix(time ^ at->file_size(ec)));
  }
  return sum;
}

}  // namespace fp::app
