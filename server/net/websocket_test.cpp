#include "net/frame_reader.hpp"
#include "net/http_client.hpp"
#include "net/test_server.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <future>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>

namespace fp::net {
namespace {

constexpr int kFinal = 0x80;
constexpr int kText = kFinal | 1;
constexpr int kClose = kFinal | 8;
constexpr int kPing = kFinal | 9;
constexpr Milliseconds kShort{200};

std::shared_ptr<const std::string> text(std::string content) {
  return std::make_shared<const std::string>(std::move(content));
}

TEST(WebSocketHandshake, IsAcceptedAsTheStandardSays) {
  TestServer server;
  auto client = server.connect();
  const auto reply = client.open_websocket();
  EXPECT_EQ(reply.status, 101u);
  EXPECT_EQ(reply.header("Sec-WebSocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");  // RFC 6455 section 1.3
  EXPECT_EQ(reply.header("Sec-WebSocket-Extensions"), "");
  EXPECT_NE(server.websocket()->wait_for_peer(), nullptr);
  EXPECT_EQ(server.server().counts().websockets, 1u);
  EXPECT_EQ(server.server().counts().connections, 1u);
}

TEST(WebSocketHandshake, IsRefusedByHandlerOrProtocol) {
  TestServer server;
  const std::string key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  const std::string version = "Sec-WebSocket-Version: 13\r\n";
  const std::string upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
  const struct {
    std::string bytes;
    unsigned status;
  } rows[] = {
      {get("/other/", upgrade + key + version), 403},
      {get("/ws/", upgrade + key), 426},
      {get("/ws/", upgrade + key + "Sec-WebSocket-Version: 8\r\n"), 426},
      {get("/ws/", upgrade + version), 400},
      {get("/ws/", upgrade + version + "Sec-WebSocket-Key: short\r\n"), 400},
      {"PUT /ws/ HTTP/1.1\r\nHost: localhost\r\n" + upgrade + key + version + "\r\n", 405},
      {get("/ws/", "Upgrade: websocket\r\n" + key + version), 200},
      {"GET /ws/ HTTP/1.0\r\nHost: localhost\r\n" + upgrade + key + version + "\r\n", 200},
      {post("/ws/", "body", upgrade + key + version), 200},
  };
  for (const auto& row : rows) {
    auto client = server.connect();
    client.send(row.bytes);
    const auto reply = client.read_reply();
    ASSERT_TRUE(reply) << row.bytes;
    EXPECT_EQ(reply->status, row.status) << row.bytes;
  }
  auto client = server.connect();
  EXPECT_EQ(client.open_websocket("/other/").status, 403u);
  client.send(get("/after"));
  EXPECT_EQ(client.read_reply()->body, "GET /after ") << "the handler's refusal is an answer like any other";
}

TEST(WebSocketHandshake, WaitsForTheRequestsBeforeIt) {
  std::promise<Handler::Respond> asked;
  TestServer server({}, [&](Request, Handler::Respond respond) { asked.set_value(std::move(respond)); });
  auto client = server.connect();
  const auto handshake = get("/ws/",
                             "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
  client.send(get("/slow") + handshake + RawClient::frame(kText, "early"));
  auto respond = asked.get_future().get();
  Response response;
  response.body = "first";
  respond(std::move(response));
  EXPECT_EQ(client.read_reply()->body, "first");
  EXPECT_EQ(client.read_reply()->status, 101u);
  const auto log = server.websocket();
  EXPECT_TRUE(log->wait_for([&] { return log->texts == std::vector<std::string>{"early"}; }));
}

TEST(WebSocket, CarriesTextsBothWaysInOrder) {
  TestServer server;
  auto client = server.connect();
  client.open_websocket();
  const auto log = server.websocket();
  client.send(RawClient::frame(kText, "a") + RawClient::frame(kText, "") +
              RawClient::frame(kText, std::string(200, 'b')) +
              RawClient::frame(kText, std::string(64 * 1024, 'c')));
  ASSERT_TRUE(log->wait_for([&] { return log->texts.size() == 4; }));
  EXPECT_EQ(log->texts[3], std::string(64 * 1024, 'c'));
  const auto peer = log->wait_for_peer();
  std::string sizes[] = {std::string(0, 'x'),      std::string(125, 'x'),    std::string(126, 'x'),
                         std::string(65'535, 'x'), std::string(65'536, 'x'), std::string(300'000, 'x')};
  for (const auto& one : sizes) EXPECT_TRUE(peer->send(text(one)));
  for (const auto& one : sizes) {
    const auto frame = client.read_frame();
    EXPECT_EQ(frame.opcode, 1);
    EXPECT_EQ(frame.payload, one);
  }
  client.send_frame(kPing, "");  // by its answer the count is up to date
  EXPECT_EQ(client.read_frame().opcode, 10);
  EXPECT_EQ(peer->queued_bytes(), 0u);
}

TEST(WebSocket, ServesManyQuickSenders) {
  TestServer server;
  auto client = server.connect();
  client.open_websocket();
  const auto peer = server.websocket()->wait_for_peer();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&peer, t] {
      for (int i = 0; i < 500; ++i) peer->send(text(fmt::format("{} {}", t, i)));
    });
  }
  int next[4] = {};
  for (int i = 0; i < 2'000; ++i) {
    const auto frame = client.read_frame();
    ASSERT_EQ(frame.opcode, 1);
    const int sender = frame.payload[0] - '0';
    EXPECT_EQ(frame.payload, fmt::format("{} {}", sender, next[sender]++));
  }
  for (auto& thread : threads) thread.join();
}

TEST(WebSocket, JoinsFragmentsAndAnswersPingsBetweenThem) {
  TestServer server;
  auto client = server.connect();
  client.open_websocket();
  const std::string bytes = RawClient::frame(1, "one \xC3") + RawClient::frame(kPing, "p") +
                            RawClient::frame(0, "") + RawClient::frame(kFinal, "\xA4 two");
  for (const char c : bytes) ASSERT_TRUE(client.send({&c, 1}));
  const auto pong = client.read_frame();
  EXPECT_EQ(pong.opcode, 10);
  EXPECT_EQ(pong.payload, "p");
  const auto log = server.websocket();
  EXPECT_TRUE(log->wait_for([&] { return log->texts == std::vector<std::string>{"one \xC3\xA4 two"}; }));
}

TEST(WebSocket, ClosesWithTheCodeThatSaysWhatIsWrong) {
  Limits limits;
  limits.websocket_messages_per_second = 50;
  std::string pings;
  std::string texts;
  std::string fragments = RawClient::frame(1, "");
  for (int i = 0; i < 51; ++i) pings += RawClient::frame(kPing, "");
  for (int i = 0; i < 51; ++i) texts += RawClient::frame(kText, "x");
  for (int i = 0; i < 1'100; ++i) fragments += RawClient::frame(0, "");
  std::string unmasked = "\x81\x01x";
  const struct {
    const char* what;
    std::string bytes;
    int code;
  } rows[] = {
      {"binary", RawClient::frame(kFinal | 2, "x"), 1003},
      {"bad UTF-8", RawClient::frame(kText, "\xFF"), 1007},
      {"half a character", RawClient::frame(kText, "\xC3"), 1007},
      {"a surrogate", RawClient::frame(kText, "\xED\xA0\x80"), 1007},
      {"too large", RawClient::frame(kText, std::string(64 * 1024 + 1, 'x')), 1009},
      {"too large in parts", RawClient::frame(1, std::string(64 * 1024, 'x')) + RawClient::frame(0, "x"),
       1009},
      {"a length of 2^63", std::string("\x81\xFF\x80\0\0\0\0\0\0\0mask", 14), 1009},
      {"too many fragments", fragments, 1009},
      {"a reserved bit", RawClient::frame(0xC1, "x"), 1002},
      {"an unknown opcode", RawClient::frame(0x83, "x"), 1002},
      {"an unmasked frame", unmasked, 1002},
      {"a continuation of nothing", RawClient::frame(kFinal, "x"), 1002},
      {"a message within a message", RawClient::frame(1, "x") + RawClient::frame(kText, "y"), 1002},
      {"a ping in parts", RawClient::frame(9, "x"), 1002},
      {"a long ping", RawClient::frame(kPing, std::string(126, 'x')), 1002},
      {"a close code of one byte", RawClient::frame(kClose, "x"), 1002},
      {"a close code that is none", RawClient::frame(kClose, "\x03\xED"), 1002},
      {"a bad close reason", RawClient::frame(kClose, "\x03\xE8\xFF"), 1007},
      {"a ping flood", pings, 1008},
      {"a message flood", texts, 1008},
      {"a listener that can not go on", RawClient::frame(kText, "storage gone"), 1011},
      {"a polite close",
       RawClient::frame(kClose,
                        "\x03\xE8"
                        "bye"),
       1000},
      {"a close without code", RawClient::frame(kClose, ""), 1000},
  };
  for (const auto& row : rows) {
    TestServer server(limits);
    auto client = server.connect();
    client.open_websocket();
    client.send(row.bytes);
    auto frame = client.read_frame();
    while (frame.opcode == 10) frame = client.read_frame();
    EXPECT_EQ(frame.close_code(), row.code) << row.what;
    EXPECT_TRUE(client.is_at_end()) << row.what;
    const auto log = server.websocket();
    EXPECT_TRUE(log->wait_for([&] { return log->closed == 1; })) << row.what;
  }
}

TEST(WebSocket, AllowsAsManyMessagesEverySecond) {
  Limits limits;
  limits.websocket_messages_per_second = 50;
  TestServer server(limits);
  auto client = server.connect();
  client.open_websocket();
  std::string pings;
  for (int i = 0; i < 50; ++i) pings += RawClient::frame(kPing, "");
  client.send(pings);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(client.read_frame().opcode, 10);
}

/// Sends to a client that does not read until neither queue nor kernel takes more.
struct Filling {
  int sent = 0;
  int refused = 0;  // each time followed by on_drained() but for the last
};
Filling fill(TestListener::Log& log, const std::shared_ptr<const std::string>& block) {
  Filling filling;
  const auto peer = log.wait_for_peer();
  for (bool drained = true; drained;) {
    while (peer->send(block)) ++filling.sent;
    ++filling.refused;
    std::unique_lock lock(log.mutex);
    drained = log.changed.wait_for(lock, Milliseconds(100), [&] { return log.drained == filling.refused; });
  }
  return filling;
}

TEST(WebSocketQueue, SaysNoWhenFullAndTellsWhenItHasDrained) {
  Limits limits;
  limits.websocket_queue_bytes = 1 << 20;
  TestServer server(limits);
  RawClient client(server.port(), 4'096);
  client.open_websocket();
  const auto log = server.websocket();
  const auto block = text(std::string(10'000, 'x'));
  const auto filling = fill(*log, block);
  const auto peer = log->wait_for_peer();
  EXPECT_GE(peer->queued_bytes(), limits.websocket_queue_bytes / 4);
  EXPECT_LE(peer->queued_bytes(), limits.websocket_queue_bytes);
  for (int i = 0; i < filling.sent; ++i) ASSERT_EQ(client.read_frame().payload.size(), block->size());
  EXPECT_TRUE(log->wait_for([&] { return log->drained == filling.refused; }));
  EXPECT_TRUE(peer->send(text("again")));
  EXPECT_EQ(client.read_frame().payload, "again");
  EXPECT_EQ(log->drained, filling.refused) << "once for each time it was full";
}

TEST(WebSocketQueue, DropsAClientThatNeverReads) {
  Limits limits;
  limits.write_time = kShort;
  TestServer server(limits);
  RawClient client(server.port(), 4'096);
  client.open_websocket();
  const auto log = server.websocket();
  const auto block = text(std::string(10'000, 'x'));
  fill(*log, block);
  EXPECT_TRUE(log->wait_for([&] { return log->closed == 1; }));
  EXPECT_FALSE(log->peer->send(block));
}

TEST(WebSocketClose, SendsWhatIsQueuedFirst) {
  TestServer server;
  auto client = server.connect();
  client.open_websocket();
  const auto log = server.websocket();
  const auto peer = log->wait_for_peer();
  for (int i = 0; i < 100; ++i) peer->send(text(std::string(1'000, 'x')));
  peer->close(4404, "unknown");
  peer->close(1000, "only the first counts");
  EXPECT_FALSE(peer->send(text("late")));
  for (int i = 0; i < 100; ++i) ASSERT_EQ(client.read_frame().opcode, 1);
  const auto frame = client.read_frame();
  EXPECT_EQ(frame.close_code(), 4404);
  EXPECT_EQ(frame.payload.substr(2), "unknown");
  client.send_frame(kClose, "\x11\x34");
  EXPECT_TRUE(client.is_at_end());
  EXPECT_TRUE(log->wait_for([&] { return log->closed == 1; }));
}

TEST(WebSocketClose, DoesNotWaitForeverForThePeer) {
  Limits limits;
  limits.write_time = kShort;
  TestServer server(limits);
  auto client = server.connect();
  client.open_websocket();
  server.websocket()->wait_for_peer()->close(1000, "");
  EXPECT_EQ(client.read_frame().close_code(), 1000);
  EXPECT_TRUE(client.is_at_end()) << "no close frame was sent back";
}

TEST(WebSocketClose, CutsALongReasonBetweenCharacters) {
  std::string reason;
  for (int i = 0; i < 100; ++i) reason += "\xC3\xA4";
  const auto frame = close_frame(1000, reason);
  EXPECT_EQ(frame.size(), 2u + 2 + 122);
}

TEST(WebSocketClose, HappensWhenTheClientVanishes) {
  TestServer server;
  const auto log = server.websocket();
  {
    auto client = server.connect();
    client.open_websocket();
    log->wait_for_peer();
  }
  EXPECT_TRUE(log->wait_for([&] { return log->closed == 1; }));
  EXPECT_FALSE(log->peer->send(text("anyone?")));
  EXPECT_FALSE(log->peer->queued_bytes() > 0);
}

TEST(WebSocketSilence, IsBrokenByAPingAndThenByTheEnd) {
  Limits limits;
  limits.websocket_ping = kShort;
  TestServer server(limits);
  auto client = server.connect();
  client.open_websocket();
  EXPECT_EQ(client.read_frame().opcode, 9);
  client.send_frame(kFinal | 10, "");
  EXPECT_EQ(client.read_frame().opcode, 9) << "the pong was a sign of life";
  EXPECT_TRUE(client.is_at_end());
}

TEST(WebSocketStop, SaysGoingAwayAndWaitsForTheQueue) {
  TestServer server;
  auto client = server.connect();
  client.open_websocket();
  const auto log = server.websocket();
  log->wait_for_peer()->send(text("last"));
  auto stopped = std::async(std::launch::async, [&] { server.server().stop(std::chrono::seconds(20)); });
  EXPECT_EQ(client.read_frame().payload, "last");
  EXPECT_EQ(client.read_frame().close_code(), 1001);
  client.send_frame(kClose, "\x03\xE9");
  EXPECT_TRUE(client.is_at_end());
  client.shut_sending();
  stopped.get();
  EXPECT_EQ(log->closed, 1);
}

TEST(WebSocketStop, EndsThoseThatDoNotAnswer) {
  TestServer server;
  auto client = server.connect();
  client.open_websocket();
  const auto log = server.websocket();
  const auto peer = log->wait_for_peer();
  server.server().stop(Milliseconds(50));
  EXPECT_EQ(log->closed, 1);
  EXPECT_FALSE(peer->send(text("late")));
  peer->close(1000, "late");
}

std::size_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::size_t total = 0;
  std::size_t resident = 0;
  file >> total >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

TEST(WebSocketCrowd, OfTwoThousandIdleOnesIsSmall) {
  constexpr std::size_t kCount = 2'000;
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max < 2 * kCount + 200) GTEST_SKIP() << "too few file descriptors";
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  TestServer server;
  std::vector<RawClient> clients;
  clients.reserve(kCount);
  const auto before = resident_bytes();
  for (std::size_t i = 0; i < kCount; ++i) {
    clients.emplace_back(server.port());
    ASSERT_EQ(clients.back().open_websocket().status, 101u);
  }
  EXPECT_EQ(server.server().counts().websockets, kCount);
  const auto after = std::max(resident_bytes(), before);  // what tests before it freed may be used again
  const auto each = (after - before) / kCount;
  fmt::print("[   INFO   ] {} bytes for each idle WebSocket, both ends\n", each);
  EXPECT_LT(each, 100'000u);
  auto& last = clients.back();
  last.send_frame(kPing, "here");
  EXPECT_EQ(last.read_frame().payload, "here");
}

}  // namespace
}  // namespace fp::net
