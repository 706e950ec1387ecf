#include "net/http_server.hpp"

#include "net/lane.hpp"
#include "net/listener.hpp"

#include <algorithm>
#include <mutex>
#include <vector>

namespace fp::net {

class HttpServer::Inner {
 public:
  Inner(const Options& options, Handler& handler) : core_(options, handler) {
    for (std::size_t i = 0; i < std::max<std::size_t>(options.threads, 1); ++i) {
      lanes_.push_back(std::make_unique<Lane>(core_));
    }
    listener_ = std::make_unique<Listener>(core_, lanes_);
    core_.on_drop = [this] { listener_->post_resume(); };
  }
  ~Inner() { stop(Milliseconds(0)); }

  Result<void> start(const Options& options) {
    auto opened = listener_->open(options.host, options.port);
    if (!opened) return opened;
    for (auto& lane : lanes_) lane->start();
    listener_->start();
    return opened;
  }

  void stop(Milliseconds grace) {
    const std::lock_guard lock(stopping_);
    if (std::exchange(is_stopped_, true)) return;
    listener_->post_stop();
    for (auto& lane : lanes_) lane->post_stop();
    if (grace > Milliseconds(0)) core_.wait_for_no_connection(grace);
    for (auto& lane : lanes_) lane->join();
  }

  std::uint16_t port() const { return listener_->port(); }
  ServerCounts counts() const { return {core_.connections, core_.websockets}; }

 private:
  ServerCore core_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::unique_ptr<Listener> listener_;
  std::mutex stopping_;
  bool is_stopped_ = false;  // guarded by stopping_
};

Result<std::unique_ptr<HttpServer>> HttpServer::start(Options options, Handler& handler) {
  auto inner = std::make_unique<Inner>(options, handler);
  if (auto started = inner->start(options); !started) return started.error();
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(inner)));
}

HttpServer::HttpServer(std::unique_ptr<Inner> inner) : inner_(std::move(inner)) {}

HttpServer::~HttpServer() = default;

std::uint16_t HttpServer::port() const {
  return inner_->port();
}

ServerCounts HttpServer::counts() const {
  return inner_->counts();
}

void HttpServer::stop(Milliseconds grace) {
  inner_->stop(grace);
}

}  // namespace fp::net
