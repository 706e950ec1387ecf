#include "app/serve_command.hpp"

#include "api/server.hpp"
#include "app/demo_workflows.hpp"
#include "app/documents.hpp"
#include "app/execution_log.hpp"
#include "app/host.hpp"
#include "app/limits.hpp"
#include "app/signals.hpp"
#include "app/task_options.hpp"
#include "app/task_worker.hpp"
#include "app/upkeep.hpp"
#include "app/web_pack.hpp"
#include "app/worker_token.hpp"
#include "base/error_code.hpp"
#include "base/log.hpp"
#include "net/http_server.hpp"

#include <fmt/format.h>
#include <sodium/utils.h>
#include <sqlite3.h>

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <map>
#include <mutex>
#include <thread>
#include <unistd.h>

namespace fp::app {

namespace {

/// FLOWPILOT_SECRET_NAME=VALUE of the environment, by NAME; taken out of it, so that no child and no core
/// file of the environment has them.
std::map<std::string, std::string, std::less<>> take_secrets() {
  constexpr std::string_view kPrefix = "FLOWPILOT_SECRET_";
  std::map<std::string, std::string, std::less<>> out;
  for (char** at = environ; *at != nullptr; ++at) {
    const std::string_view variable(*at);
    const auto equals = variable.find('=');
    if (!variable.starts_with(kPrefix) || equals == std::string_view::npos) continue;
    out.emplace(variable.substr(kPrefix.size(), equals - kPrefix.size()), variable.substr(equals + 1));
  }
  for (const auto& [name, value] : out) {
    const auto variable = std::string(kPrefix) + name;
    if (char* stored = std::getenv(variable.c_str())) sodium_memzero(stored, value.size());
    unsetenv(variable.c_str());
  }
  return out;
}

/// For answers that are ready, even when attempts get no time.
constexpr Milliseconds kAnswerTime{500};

/// Until there is sign-in whoever reaches the port may do everything, so nobody but this machine may.
Result<void> check_host(const std::string& host) {
  if (host == "127.0.0.1" || host == "::1" || host == "localhost") return {};
  return Error(codes::server_address, fmt::format("{} is not a loopback address: until there is sign-in the "
                                                  "server listens on 127.0.0.1, ::1 or localhost only; put a "
                                                  "proxy with authentication before it",
                                                  host));
}

Result<std::vector<IpNetwork>> read_networks(const std::vector<std::string>& texts, const char* setting) {
  std::vector<IpNetwork> out;
  for (const auto& text : texts) {
    const auto network = parse_network(text);
    if (!network)
      return Error(codes::setting_invalid,
                   fmt::format("{} must be an address or network such as 10.0.0.0/8, not {}", setting, text));
    out.push_back(*network);
  }
  return out;
}

Result<LogLevel> read_level(const std::string& text) {
  constexpr std::string_view kNames[] = {"debug", "info", "warning", "error"};
  for (std::size_t i = 0; i < std::size(kNames); ++i) {
    if (text == kNames[i]) return static_cast<LogLevel>(i);
  }
  return Error(codes::setting_invalid,
               fmt::format("log_level must be debug, info, warning or error, not {}", text));
}

/// Why the server ends: a signal, or a storage that failed.
class End {
 public:
  void signal() { set({}); }
  void fail(const Error& error) { set(error); }
  std::optional<Error> wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return ended_; });
    return error_;
  }

 private:
  void set(std::optional<Error> error) {
    const std::lock_guard lock(mutex_);
    if (!ended_) error_ = std::move(error);
    ended_ = true;
    changed_.notify_all();
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ended_ = false;
  std::optional<Error> error_;
};

class ServeSession {
 public:
  ServeSession(const ServeOptions& options, const Settings& settings)
      : options_(options), settings_(settings) {}

  ExitCode run() {
    const auto begun = begin();
    if (!begun) {
      end(Milliseconds(0));
      return report(begun.error());
    }
    const SignalWatch signals([this](int) { end_.signal(); });
    const auto failure = end_.wait();
    if (failure) {
      log(LogLevel::error, "the storage failed; nothing more is accepted",
          {{"code", failure->code}, {"detail", failure->message}});
      api_->set_failure(*failure);
      end(Milliseconds(0));
      return report(*failure);
    }
    log(LogLevel::info, "stopping", {{"drain_seconds", settings_.count("drain_seconds")}});
    end(std::chrono::seconds(settings_.count("drain_seconds")));
    return kOk;
  }

 private:
  Result<void> begin() {
    if (const auto fits = check_host(settings_.text("host")); !fits) return fits.error();
    const auto level = read_level(settings_.text("log_level"));
    if (!level) return level.error();
    set_log_level(*level);
    auto vars = read_pairs(options_.vars, nullptr, "--var");
    if (!vars) return vars.error();

    HostOptions host;
    host.data_dir = settings_.data_dir();
    host.tasks = make_task_options(settings_, options_.dev);
    host.worker_threads = settings_.count("worker_threads");
    host.runtime.lease_ttl = std::chrono::seconds(settings_.count("lease_seconds"));
    host.observer = &observers_;
    host.on_failure = [this](const Error& error) { end_.fail(error); };
    host.on_commit = [this](std::chrono::nanoseconds took, std::size_t writes) {
      commits_.add(took, writes);
    };
    const auto limits = host.runtime;
    auto opened = Host::open(std::move(host));
    if (!opened) return opened.error();
    host_ = std::move(*opened);
    if (!host_->warning().empty()) log(LogLevel::warning, host_->warning());

    auto token = load_worker_token(settings_.data_dir());
    if (!token) return token.error();
    api::ApiOptions api;
    api.worker_token = *token;
    api.secrets = take_secrets();
    auto proxies = read_networks(settings_.list("trusted_proxy"), "trusted_proxy");
    if (!proxies) return proxies.error();
    api.trusted_proxies = std::move(*proxies);
    api.least_schedule_gap = std::chrono::seconds(settings_.count("minimum_schedule_seconds"));
    api.vars = make_value(std::move(*vars));
    api.storage = fmt::format("SQLite {}", sqlite3_libversion());
    api.isolation = [this] { return list_isolation(); };
    api.find_handler = [this](const std::string& type) { return host_->find_handler(type); };
    api.page = web_pack();
    api.templates = list_templates();
    api.limits = list_limits(api.net, limits);
    api.limits.push_back({"minimum_schedule_seconds",
                          static_cast<double>(settings_.count("minimum_schedule_seconds")), "seconds",
                          "Between two ticks of a schedule; refused when it is saved"});
    const auto net_limits = api.net;
    hub_loop_ = std::make_unique<runtime::ThreadLoop>("hub", host_->clock());
    api_ = std::make_unique<api::Server>(
        api::ServerPorts{host_->store(), host_->runtime(), host_->types(), host_->workers(),
                         host_->evaluator(), make_syntax_check(host_->evaluator()), host_->clock(),
                         host_->rng(), *hub_loop_},
        std::move(api));
    for (auto* observer : api_->observers()) observers_.add(observer);
    observers_.add(&execution_log_);
    add_gauges(api_->metrics());
    api_->metrics().set_commits(&commits_);

    net::HttpServer::Options net;
    net.host = settings_.text("host");
    net.port = static_cast<std::uint16_t>(settings_.count("port"));
    net.limits = net_limits;
    net.hosts = settings_.list("allow_host");
    auto listening = net::HttpServer::start(std::move(net), *api_);
    if (!listening) return listening.error();
    http_ = std::move(*listening);
    host_->deny_port(http_->port());

    if (options_.dev) {
      if (const auto made = publish_demo_workflows(host_->store(), host_->runtime(), host_->types(),
                                                   host_->clock(), host_->rng());
          !made)
        return made.error();
    }
    if (const auto started = start_task_worker(*token); !started) return started.error();
    const auto unfinished = host_->runtime().recover_all();
    upkeep_ = std::make_unique<Upkeep>(host_->store(), host_->clock(), settings_.count("retention_days"));
    recovery_seconds_ = std::chrono::duration<double>(host_->clock().steady_now() - began_).count();
    api_->load_triggers();
    api_->set_ready();
    announce(unfinished);
    return {};
  }

  std::string url() const {
    const auto host = settings_.text("host");
    return fmt::format("http://{}:{}", host == "::1" ? "[::1]" : host, http_->port());
  }

  Json list_isolation() const {
    auto out = host_->isolation();
    if (const auto* worker = supervised_.load()) out.as_object()["functions"] = worker->isolation();
    return out;
  }

  Result<void> start_task_worker(const std::string& token) {
    if (settings_.text("tasks").empty()) return {};
    auto options = make_task_worker_options(settings_, url(), token);
    if (!options) return options.error();
    task_worker_ = std::make_unique<TaskWorker>(std::move(*options), host_->workers(), host_->clock());
    supervised_ = task_worker_.get();
    return {};
  }

  void announce(std::size_t unfinished) const {
    log(LogLevel::info, "ready",
        {{"url", url()},
         {"data_dir", settings_.data_dir().string()},
         {"unfinished", unfinished},
         {"version", FLOWPILOT_VERSION}});
    if (!options_.dev) return;
    fmt::print("FlowPilot is ready at {}  (API: {}/docs)\n", url(), url());
    std::fflush(stdout);
  }

  void add_gauges(api::Metrics& metrics) {
    metrics.add_gauge("flowpilot_connections", "Open connections",
                      [this] { return http_ ? static_cast<double>(http_->counts().connections) : 0.0; });
    metrics.add_gauge("flowpilot_wal_bytes", "Of the write-ahead log",
                      [file = settings_.data_dir() / "flowpilot.db-wal"] {
                        std::error_code ec;
                        const auto size = std::filesystem::file_size(file, ec);
                        return ec ? 0.0 : static_cast<double>(size);
                      });
    metrics.add_gauge("flowpilot_recovery_seconds", "From the start of the process to ready",
                      [this] { return recovery_seconds_; });
    metrics.add_gauge("flowpilot_commit_queue_depth", "Decisions not yet on disk",
                      [this] { return static_cast<double>(host_->runtime().commit_depth()); });
  }

  /// The order of shutdown: no new work, what runs may finish, the network, the handlers, then everything
  /// below.
  void end(Milliseconds grace) {
    if (api_) api_->begin_drain();
    if (host_) host_->workers().close();
    if (host_ && http_ && grace.count() > 0) host_->wait_for_attempts(grace);
    if (task_worker_) task_worker_->stop(std::max<Milliseconds>(grace, kAnswerTime));
    if (api_) api_->release_waits();
    if (http_) http_->stop(std::max<Milliseconds>(grace, kAnswerTime));
    upkeep_.reset();
    if (api_) api_->stop();
    if (hub_loop_) hub_loop_->stop();
    if (host_) host_->stop();
    http_.reset();
    api_.reset();
    host_.reset();
  }

  const ServeOptions& options_;
  const Settings& settings_;
  End end_;
  const SteadyPoint began_ = SystemClock().steady_now();
  double recovery_seconds_ = 0;
  runtime::ObserverList observers_;
  ExecutionLog execution_log_;
  api::CommitFigures commits_;
  std::unique_ptr<Host> host_;
  std::unique_ptr<runtime::ThreadLoop> hub_loop_;
  std::unique_ptr<api::Server> api_;
  std::unique_ptr<net::HttpServer> http_;
  std::unique_ptr<Upkeep> upkeep_;
  std::unique_ptr<TaskWorker> task_worker_;
  std::atomic<const TaskWorker*> supervised_ = nullptr;  // the same, for requests that come while it starts
};

}  // namespace

ExitCode serve_command(const ServeOptions& options, const Settings& settings) {
  return ServeSession(options, settings).run();
}

}  // namespace fp::app
