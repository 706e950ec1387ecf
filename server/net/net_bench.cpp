// Serves until its input ends: / at once, /later from another thread, /ws/ WebSockets. Measure with
//   wrk -t1 -c64 -d10 http://127.0.0.1:PORT/
#include "net/http_server.hpp"

#include <fmt/format.h>

#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace fp;
using namespace fp::net;

class IdleListener final : public WebSocketListener {
 public:
  void on_open(std::shared_ptr<WebSocketPeer> peer) override { peer_ = std::move(peer); }
  void on_text(std::string_view text) override { peer_->send(std::make_shared<const std::string>(text)); }
  void on_close() override {}

 private:
  std::shared_ptr<WebSocketPeer> peer_;
};

Response small_response() {
  Response response;
  response.body = R"({"status":"completed"})";
  return response;
}

class BenchHandler final : public Handler {
 public:
  BenchHandler() : thread_([this] { run(); }) {}
  ~BenchHandler() override {
    {
      const std::lock_guard lock(mutex_);
      is_stopped_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }

  void handle(Request request, Respond respond) override {
    if (request.path != "/later") return respond(small_response());
    bool is_first = false;
    {
      const std::lock_guard lock(mutex_);
      is_first = waiting_.empty();
      waiting_.push_back(std::move(respond));
    }
    if (is_first) wake_.notify_one();
  }
  std::variant<std::unique_ptr<WebSocketListener>, Response> upgrade(const Request&) override {
    return std::make_unique<IdleListener>();
  }
  Response refuse(unsigned status, std::string_view, std::string detail, const std::string&) override {
    Response response;
    response.status = status;
    response.body = std::move(detail);
    return response;
  }

 private:
  void run() {
    std::vector<Respond> batch;
    std::unique_lock lock(mutex_);
    while (!is_stopped_) {
      wake_.wait(lock, [this] { return is_stopped_ || !waiting_.empty(); });
      batch.swap(waiting_);
      lock.unlock();
      for (auto& respond : batch) respond(small_response());
      batch.clear();
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Respond> waiting_;
  bool is_stopped_ = false;
  std::thread thread_;
};

}  // namespace

int main(int argc, char** argv) {
  BenchHandler handler;
  HttpServer::Options options;
  options.port = 0;
  options.threads = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 1;
  auto server = HttpServer::start(options, handler);
  if (!server) {
    fmt::print(stderr, "{}\n", server.error().message);
    return 1;
  }
  fmt::print("http://127.0.0.1:{}\n", (*server)->port());
  std::fflush(stdout);
  for (std::string line; std::getline(std::cin, line);) {
  }
  (*server)->stop(std::chrono::seconds(1));
  return 0;
}
