#include "app/task_gate.hpp"

#include "base/secret.hpp"

#include <fmt/format.h>

namespace fp::app {

namespace {
constexpr Milliseconds kMostStart{30'000};
constexpr Milliseconds kGrace{2'000};
}  // namespace

Result<std::unique_ptr<TaskGate>> TaskGate::open(Host& host, const Settings& settings) {
  std::unique_ptr<TaskGate> gate(new TaskGate(host));
  const auto token = make_secret("fpw_");
  api::ApiOptions api;
  api.worker_token = token;
  api.workers_only = true;
  net::HttpServer::Options net;
  net.host = "127.0.0.1";
  net.port = 0;
  net.limits = api.net;
  gate->api_ = std::make_unique<api::Server>(
      api::ServerPorts{host.store(), host.runtime(), host.types(), host.workers(), host.evaluator(),
                       make_syntax_check(host.evaluator()), host.clock(), host.rng(), gate->loop_},
      std::move(api));
  auto listening = net::HttpServer::start(std::move(net), *gate->api_);
  if (!listening) return listening.error();
  gate->http_ = std::move(*listening);
  gate->api_->set_ready();
  host.deny_port(gate->http_->port());
  auto options =
      make_task_worker_options(settings, fmt::format("http://127.0.0.1:{}", gate->http_->port()), token);
  if (!options) return options.error();
  gate->worker_ = std::make_unique<TaskWorker>(std::move(*options), host.workers(), host.clock());
  if (const auto registered = gate->worker_->wait_until_registered(kMostStart); !registered)
    return registered.error();
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
