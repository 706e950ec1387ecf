#include "api/metrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <dirent.h>
#include <fstream>
#include <sys/resource.h>
#include <unistd.h>

namespace fp::api {

namespace ev = model::event;

void Histogram::add(double seconds) {
  const auto bucket =
      static_cast<std::size_t>(std::lower_bound(kBounds.begin(), kBounds.end(), seconds) - kBounds.begin());
  counts_[bucket].fetch_add(1, std::memory_order_relaxed);
  sum_us_.fetch_add(static_cast<std::uint64_t>(std::max(0.0, seconds) * 1e6), std::memory_order_relaxed);
}

void Histogram::append(std::string& out, std::string_view name, const std::string& labels) const {
  std::uint64_t total = 0;
  const auto* comma = labels.empty() ? "" : ",";
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    total += counts_[i].load(std::memory_order_relaxed);
    const auto bound = i == kBounds.size() ? std::string("+Inf") : fmt::format("{}", kBounds[i]);
    out += fmt::format("{}_bucket{{{}{}le=\"{}\"}} {}\n", name, labels, comma, bound, total);
  }
  const auto braces = labels.empty() ? std::string() : "{" + labels + "}";
  out += fmt::format("{}_sum{} {}\n", name, braces,
                     static_cast<double>(sum_us_.load(std::memory_order_relaxed)) / 1e6);
  out += fmt::format("{}_count{} {}\n", name, braces, total);
}

namespace {

double seconds_between(TimePoint from, TimePoint to) {
  return static_cast<double>((to - from).count()) / 1000;
}

std::string escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
  return out;
}

void head(std::string& out, std::string_view name, std::string_view type, std::string_view help) {
  out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

}  // namespace

Metrics::WorkflowCounts& Metrics::counts_of(const std::string& workflow) {
  const auto found = workflows_.find(workflow);
  if (found != workflows_.end()) return found->second;
  return workflows_[workflows_.size() < kMostWorkflows ? workflow : "other"];
}

void Metrics::count_attempt(const runtime::Recorded& recorded, model::TaskRef task, const char* outcome,
                            std::optional<TimePoint> started_at) {
  const auto& state = recorded.state;
  ++steps_[state.workflow->steps[task.step].type->type].attempts[outcome];
  if (!started_at) return;
  step_duration_.add(seconds_between(*started_at, recorded.at));
  queue_wait_.add(std::max(0.0, seconds_between(state.task(task).ready_at, *started_at)));
}

void Metrics::on_recorded(const runtime::Recorded& recorded) {
  const std::lock_guard lock(mutex_);
  for (const auto& event : recorded.events) {
    if (const auto* e = std::get_if<ev::TaskCompleted>(&event)) {
      if (e->attempt > 0) count_attempt(recorded, e->task, "completed", e->started_at);
    } else if (const auto* failed = std::get_if<ev::TaskFailed>(&event)) {
      if (failed->attempt > 0) count_attempt(recorded, failed->task, "failed", failed->started_at);
    } else if (const auto* again = std::get_if<ev::AttemptFailed>(&event)) {
      count_attempt(recorded, again->task, "retried", {});
    } else if (const auto* lost = std::get_if<ev::AttemptLost>(&event)) {
      count_attempt(recorded, lost->task, "lost", {});
    } else if (const auto* started = std::get_if<ev::ExecutionStarted>(&event)) {
      ++counts_of(started->workflow_name).started[started->trigger];
    } else if (const auto* ended = std::get_if<ev::ExecutionEnded>(&event)) {
      ++counts_of(recorded.state.workflow->name).ended[std::string(model::to_string(ended->status))];
      execution_duration_.add(seconds_between(recorded.state.started_at, recorded.at));
    }
  }
}

void Metrics::on_request(const OperationSpec* spec, std::string_view method, unsigned status,
                         std::chrono::nanoseconds took) {
  const std::string_view route = spec == nullptr ? "none" : spec->path;
  const std::lock_guard lock(mutex_);
  ++requests_[fmt::format("route=\"{}\",method=\"{}\",code=\"{}\"", route, spec == nullptr ? "other" : method,
                          status)];
  auto& histogram = request_durations_[std::string(route)];
  if (!histogram) histogram = std::make_unique<Histogram>();
  histogram->add(std::chrono::duration<double>(took).count());
}

void Metrics::add_gauge(std::string name, std::string help, std::function<double()> read) {
  gauges_.push_back({std::move(name), std::move(help), std::move(read), "", false});
}

void Metrics::add_counter(std::string name, std::string labels, std::string help,
                          std::function<double()> read) {
  gauges_.push_back({std::move(name), std::move(help), std::move(read), std::move(labels), true});
}

std::string Metrics::render() const {
  std::string out;
  {
    const std::lock_guard lock(mutex_);
    head(out, "flowpilot_executions_started_total", "counter", "Executions started");
    for (const auto& [workflow, counts] : workflows_) {
      for (const auto& [trigger, count] : counts.started)
        out += fmt::format("flowpilot_executions_started_total{{workflow=\"{}\",trigger=\"{}\"}} {}\n",
                           escape(workflow), escape(trigger), count);
    }
    head(out, "flowpilot_executions_completed_total", "counter", "Executions that ended, by status");
    for (const auto& [workflow, counts] : workflows_) {
      for (const auto& [status, count] : counts.ended)
        out += fmt::format("flowpilot_executions_completed_total{{workflow=\"{}\",status=\"{}\"}} {}\n",
                           escape(workflow), status, count);
    }
    head(out, "flowpilot_node_attempts_total", "counter", "Attempts that ended, by step type and outcome");
    for (const auto& [type, counts] : steps_) {
      for (const auto& [outcome, count] : counts.attempts)
        out += fmt::format("flowpilot_node_attempts_total{{node_type=\"{}\",outcome=\"{}\"}} {}\n", type,
                           outcome, count);
    }
    head(out, "flowpilot_http_requests_total", "counter", "Requests answered");
    for (const auto& [labels, count] : requests_)
      out += fmt::format("flowpilot_http_requests_total{{{}}} {}\n", labels, count);
    head(out, "flowpilot_http_request_duration_seconds", "histogram", "From the whole request to its answer");
    for (const auto& [route, histogram] : request_durations_)
      histogram->append(out, "flowpilot_http_request_duration_seconds", fmt::format("route=\"{}\"", route));
  }
  head(out, "flowpilot_execution_duration_seconds", "histogram", "From the start of an execution to its end");
  execution_duration_.append(out, "flowpilot_execution_duration_seconds", "");
  head(out, "flowpilot_node_duration_seconds", "histogram", "Of the work of attempts");
  step_duration_.append(out, "flowpilot_node_duration_seconds", "");
  head(out, "flowpilot_task_schedule_to_start_seconds", "histogram", "From ready to begun");
  queue_wait_.append(out, "flowpilot_task_schedule_to_start_seconds", "queue=\"default\"");
  if (commits_ != nullptr) {
    head(out, "flowpilot_store_commit_seconds", "histogram",
         "Transactions of the store, each durable at its end");
    commits_->seconds.append(out, "flowpilot_store_commit_seconds", "");
    head(out, "flowpilot_store_decisions_total", "counter", "Decisions recorded by these transactions");
    out += fmt::format("flowpilot_store_decisions_total {}\n",
                       commits_->decisions.load(std::memory_order_relaxed));
  }
  std::string_view last;
  for (const auto& gauge : gauges_) {
    if (std::exchange(last, gauge.name) != gauge.name)
      head(out, gauge.name, gauge.is_counter ? "counter" : "gauge", gauge.help);
    const auto labels = gauge.labels.empty() ? std::string() : fmt::format("{{{}}}", gauge.labels);
    out += fmt::format("{}{} {}\n", gauge.name, labels, gauge.read());
  }
  head(out, "flowpilot_build_info", "gauge", "Always 1");
  out += fmt::format("flowpilot_build_info{{version=\"{}\"}} 1\n", FLOWPILOT_VERSION);
  return out + render_process_metrics();
}

std::string render_process_metrics() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  std::size_t pages = 0;
  std::size_t resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  std::size_t descriptors = 0;
  if (DIR* open = opendir("/proc/self/fd")) {
    while (readdir(open) != nullptr) ++descriptors;
    closedir(open);
  }
  std::string out;
  head(out, "process_cpu_seconds_total", "counter", "User and system time");
  out += fmt::format("process_cpu_seconds_total {}\n", seconds(usage.ru_utime) + seconds(usage.ru_stime));
  head(out, "process_resident_memory_bytes", "gauge", "Resident memory");
  out += fmt::format("process_resident_memory_bytes {}\n",
                     resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE)));
  head(out, "process_open_fds", "gauge", "Open file descriptors");
  out += fmt::format("process_open_fds {}\n", descriptors > 3 ? descriptors - 3 : 0);
  return out;
}

}  // namespace fp::api
