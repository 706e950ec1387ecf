#include "app/task_gate.hpp"

#include "base/error_code.hpp"
#include "base/secret.hpp"

#include <fmt/format.h>

#include <thread>
#include <unistd.h>

namespace fp::app {

namespace {
constexpr Milliseconds kMostStart{30'000};
constexpr Milliseconds kGrace{2'000};
constexpr Milliseconds kLook{10};
}  // namespace

TaskGate::TaskGate(Host& host) : host_(host), token_(make_secret("fpw_")), loop_("gate", host.clock()) {}

Result<void> TaskGate::listen() {
  api::ApiOptions api;
  api.worker_token = token_;
  api.workers_only = true;
  net::HttpServer::Options net;
  net.host = "127.0.0.1";
  net.port = 0;
  net.limits = api.net;
  api_ = std::make_unique<api::Server>(
      api::ServerPorts{host_.store(), host_.runtime(), host_.types(), host_.workers(), host_.evaluator(),
                       make_syntax_check(host_.evaluator()), host_.clock(), host_.rng(), loop_},
      std::move(api));
  auto listening = net::HttpServer::start(std::move(net), *api_);
  if (!listening) return listening.error();
  http_ = std::move(*listening);
  api_->set_ready();
  host_.deny_port(http_->port());
  return {};
}

std::string TaskGate::url() const {
  return fmt::format("http://127.0.0.1:{}", http_->port());
}

Result<std::unique_ptr<TaskGate>> TaskGate::open(Host& host, const Settings& settings) {
  std::unique_ptr<TaskGate> gate(new TaskGate(host));
  if (const auto listening = gate->listen(); !listening) return listening.error();
  auto options = make_task_worker_options(settings, gate->url(), gate->token_);
  if (!options) return options.error();
  gate->worker_ = std::make_unique<TaskWorker>(std::move(*options), host.workers(), host.clock());
  if (const auto registered = gate->worker_->wait_until_registered(kMostStart); !registered)
    return registered.error();
  return gate;
}

Result<std::unique_ptr<TaskGate>> TaskGate::open_for_caller(Host& host, int fd) {
  std::unique_ptr<TaskGate> gate(new TaskGate(host));
  if (const auto listening = gate->listen(); !listening) return listening.error();
  const auto line = to_text(JsonObject{{"url", gate->url()}, {"token", gate->token_}}) + "\n";
  const bool told = write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size());
  close(fd);
  if (!told) return Error(codes::worker_spawn_failed, "the caller does not read where its worker is to go");
  const auto until = host.clock().steady_now() + kMostStart;
  while (host.workers().list_workers().empty()) {
    if (host.clock().steady_now() >= until)
      return Error(codes::worker_spawn_failed, "the caller's worker did not register its functions");
    std::this_thread::sleep_for(kLook);
  }
  return gate;
}

TaskGate::~TaskGate() {
  if (worker_) worker_->stop(kGrace);
  host_.workers().close();
  if (http_) http_->stop(kGrace);
  if (api_) api_->stop();
  loop_.stop();
}

}  // namespace fp::app
