#pragma once

#include "ports/task_handler.hpp"
#include "tasks/file_root.hpp"

#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace fp::tasks {

/// One accepted connection of a TestPeer, for a script that plays the other side badly or well.
class TestConversation {
 public:
  explicit TestConversation(FileDescriptor socket) : socket_(std::move(socket)) {}
  /// Up to and with the next line break, or what came before the end.
  std::string read_line();
  /// Head and body (by Content-Length) of an HTTP request; empty at the end.
  std::string read_request();
  /// False once the other side is gone.
  bool send(std::string_view bytes);
  /// Returns when the other side has closed.
  void wait_for_close();
  /// Closes with RST instead of FIN.
  void reset();
  void end();
  /// Ends whatever the script waits for; from any thread.
  void interrupt();

 private:
  std::mutex mutex_;  // between end() and interrupt()
  FileDescriptor socket_;
  std::string buffer_;
};

/// A server on loopback that plays a script on each connection, on a thread of its own. Stops and joins when
/// it goes.
class TestPeer {
 public:
  using Script = std::function<void(TestConversation&)>;
  explicit TestPeer(Script script);
  ~TestPeer();
  std::uint16_t port() const { return port_; }
  std::string url(const std::string& path = "/") const;
  std::size_t connections() const;

 private:
  void accept_all();

  Script script_;
  FileDescriptor listener_;
  FileDescriptor stop_;
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  std::vector<std::thread> threads_;                              // guarded by mutex_
  std::vector<std::shared_ptr<TestConversation>> conversations_;  // guarded by mutex_
  std::thread acceptor_;
};

/// Carries one attempt out and waits for its end.
class TestAttempt {
 public:
  TestAttempt(ports::TaskHandler& handler, const Json& config,
              Milliseconds timeout = std::chrono::seconds(20), std::uint32_t attempt = 1);
  ports::TaskHandler::Output wait();
  ports::AttemptControl& control() { return *control_; }

 private:
  std::shared_ptr<ports::AttemptControl> control_ = std::make_shared<ports::AttemptControl>();
  std::future<ports::TaskHandler::Output> output_;
};

/// The error code of an attempt's output; "" for success.
std::string code_of(const ports::TaskHandler::Output& output);

/// A folder that goes with the test.
class TestFolder {
 public:
  TestFolder();
  ~TestFolder();
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace fp::tasks
