#include "app/client/api_client.hpp"
#include "app/client/client_commands.hpp"
#include "app/client/output.hpp"
#include "app/signals.hpp"
#include "base/error_code.hpp"
#include "base/json_parse.hpp"
#include "ports/store.hpp"

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <thread>

namespace fp::app {

namespace {

/// The live feed of one execution, reconnected where it was when the server goes away: for half a minute.
class Feed {
 public:
  Feed(net::Address address, std::string id) : address_(std::move(address)), id_(std::move(id)) {}

  /// Calls back for each frame until it says stop. Errors: not_found, net.*.
  Result<void> follow(const std::function<bool(const Json&)>& on_frame) {
    constexpr auto kPatience = std::chrono::seconds(30);
    auto lost_since = std::chrono::steady_clock::now();
    while (!stopped_) {
      const auto ended = follow_once(on_frame, lost_since);
      if (!ended) return ended.error();
      if (*ended) return {};
      if (std::chrono::steady_clock::now() - lost_since > kPatience)
        return Error(
            codes::net_connect,
            "the server went away and did not come back within 30 s; the execution goes on when it does");
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
    return {};
  }
  /// From any thread.
  void stop() {
    stopped_ = true;
    const std::lock_guard lock(mutex_);
    if (socket_ != nullptr) socket_->stop();
  }
  bool is_stopped() const { return stopped_; }

 private:
  /// True when the callback said stop.
  Result<bool> follow_once(const std::function<bool(const Json&)>& on_frame,
                           std::chrono::steady_clock::time_point& lost_since) {
    const auto target = fmt::format("/ws/executions/{}/{}", percent_encode(id_),
                                    seq_ > 0 ? fmt::format("?after={}", seq_) : "");
    auto opened = net::WebSocketClient::open(address_, target);
    if (!opened && seq_ == 0) return opened.error();
    if (!opened) return false;
    {
      const std::lock_guard lock(mutex_);
      socket_ = opened->get();
    }
    bool ended = false;
    while (!ended && !stopped_) {
      const auto text = (*opened)->read();
      if (!text || !*text) break;
      const auto frame = parse_json(**text, {.max_bytes = 64u << 20});
      if (!frame) break;
      if (const auto seq = json_int(*frame, "seq")) seq_ = *seq;
      ended = on_frame(*frame);
      lost_since = std::chrono::steady_clock::now();
    }
    {
      const std::lock_guard lock(mutex_);
      socket_ = nullptr;
    }
    if ((*opened)->close_code() == 4404)
      return Error(codes::not_found, fmt::format("there is no execution {}", id_));
    return ended;
  }

  const net::Address address_;
  const std::string id_;
  std::int64_t seq_ = 0;
  std::atomic<bool> stopped_{false};
  std::mutex mutex_;
  net::WebSocketClient* socket_ = nullptr;  // guarded by mutex_
};

std::string printable(const Json& frame, const char* member) {
  auto text = json_string(frame, member);
  for (auto& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  return text;
}

void print_task(const Json& task) {
  const auto index = json_int(task, "index");
  const auto name = json_string(task, "step") + (index ? fmt::format("[{}]", *index) : "");
  const auto error = printable(task, "error_message");
  fmt::print("{:<24} {:<10} {}\n", name, json_string(task, "status"), error.empty() ? "" : "  " + error);
  std::fflush(stdout);
}

/// Prints a frame; true when the execution has ended.
bool print_frame(const Json& frame, std::string& status) {
  const auto type = json_string(frame, "type");
  if (type == "log") {
    for (const auto& line : frame.at("lines").get_array())
      fmt::print("{:<24} | {}: {}\n", json_string(frame, "step"), json_string(line, "level"),
                 printable(line, "text"));
  } else if (type == "task_update") {
    print_task(frame);
  } else if (type == "snapshot") {
    fmt::print("{} \"{}\"\n", json_string(frame, "id"), printable(frame, "workflow_name"));
    for (const auto& task : frame.at("tasks").get_array()) {
      if (json_string(task, "status") != "pending") print_task(task);
    }
  }
  if (type != "snapshot" && type != "execution_update") return false;
  status = json_string(frame, "status");
  const auto error = printable(frame, "error_message");
  fmt::print("execution {}{}\n", status, error.empty() ? "" : ": " + error);
  std::fflush(stdout);
  return ports::is_terminal_status(status);
}

/// Prints the lines that fit and are newer than `last`; moves `last` on.
Result<void> print_lines(ApiClient& client, const ClientOptions& o, std::int64_t& last) {
  for (;;) {
    Query query{{"step", o.name}, {"level", o.level}, {"search", o.search}, {"limit", "1000"}};
    if (last > 0) query.emplace_back("after", std::to_string(last));
    if (o.tail > 0 && last == 0) query.emplace_back("tail", std::to_string(o.tail));
    const auto page =
        client.get(fmt::format("/api/executions/{}/logs/{}", percent_encode(o.id), to_query(query)));
    if (!page) return page.error();
    for (const auto& line : page->at("results").get_array()) {
      last = *json_int(line, "number");
      if (parse_format(o.format) == Format::json)
        fmt::print("{}\n", to_text(line));
      else
        fmt::print("{} {:<7} {:<20} {}\n", json_string(line, "at"), json_string(line, "level"),
                   json_string(line, "step"), printable(line, "text"));
    }
    std::fflush(stdout);
    if (page->at("next").is_null()) return {};
  }
}

}  // namespace

ExitCode watch_command(const ClientOptions& o, const Settings& settings) {
  const auto address = net::parse_address(settings.text("address"));
  if (!address) return report(address.error());
  Feed feed(*address, o.id);
  const SignalWatch signals([&feed](int) { feed.stop(); });
  std::string status;
  const auto followed = feed.follow([&](const Json& frame) {
    if (parse_format(o.format) != Format::json) return print_frame(frame, status);
    fmt::print("{}\n", to_text(frame));
    std::fflush(stdout);
    if (const auto now = json_string(frame, "status");
        json_string(frame, "type") != "task_update" && !now.empty())
      status = now;
    return ports::is_terminal_status(status);
  });
  if (!followed) return report(followed.error());
  if (feed.is_stopped()) return kInterrupted;
  return status == "completed" ? kOk : kExecutionFailed;
}

/// The feed says when there is something new; the lines come from the log itself, so that filters hold and
/// none comes twice.
ExitCode logs_command(const ClientOptions& o, const Settings& settings) {
  auto client = ApiClient::make(settings);
  if (!client) return report(client.error());
  std::int64_t last = 0;
  if (!o.follow) {
    const auto printed = print_lines(*client, o, last);
    return printed ? kOk : report(printed.error());
  }
  Feed feed(client->address(), o.id);
  const SignalWatch signals([&feed](int) { feed.stop(); });
  std::optional<Error> failure;
  const auto followed = feed.follow([&](const Json& frame) {
    const auto type = json_string(frame, "type");
    if (type == "task_update") return false;
    if (const auto printed = print_lines(*client, o, last); !printed) failure = printed.error();
    return type != "log" && ports::is_terminal_status(json_string(frame, "status"));
  });
  if (!followed) return report(followed.error());
  if (failure) return report(*failure);
  return feed.is_stopped() ? kInterrupted : kOk;
}

}  // namespace fp::app
