#include "base/random.hpp"
#include "net/test_server.hpp"

#include <gtest/gtest.h>

#include <future>
#include <thread>

namespace fp::net {
namespace {

constexpr Milliseconds kShort{200};

struct Refused {
  std::string bytes;
  unsigned status;
  const char* code;
};

/// The refusal is an answer, says why, and is the last thing on the connection.
void expect_refused(TestServer& server, const Refused& row) {
  auto client = server.connect();
  client.send(row.bytes);
  const auto reply = client.read_reply(!row.bytes.starts_with("HEAD"));
  ASSERT_TRUE(reply) << row.bytes.substr(0, 200);
  EXPECT_EQ(reply->status, row.status) << row.bytes.substr(0, 200);
  EXPECT_NE(reply->body.find(row.code), std::string::npos) << reply->body;
  EXPECT_NE(reply->body.find("\"request_id\":\"" + reply->header("X-Request-Id")), std::string::npos);
  EXPECT_EQ(reply->header("Connection"), "close");
  EXPECT_EQ(reply->header("Content-Type"), "application/problem+json");
  EXPECT_EQ(row.status == 405, !reply->header("Allow").empty());
  EXPECT_TRUE(client.is_at_end());
}

TEST(HttpLimits, RefusesWithAProblemDocumentAndCloses) {
  TestServer server;
  const std::string host = "Host: localhost\r\n";
  const Refused rows[] = {
      {"POST / HTTP/1.1\r\n" + host + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nx", 400,
       "request.malformed"},
      {"nonsense\r\n\r\n", 400, "request.malformed"},
      {std::string(64, '\0') + "\r\n\r\n", 400, "request.malformed"},
      {"GET / HTTP/1.1\n\n", 400, "request.malformed"},
      {"GET /a%2fb HTTP/1.1\r\n" + host + "\r\n", 400, "request.malformed"},
      {"GET / HTTP/1.1\r\n\r\n", 400, "request.host"},
      {"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421, "request.host"},
      {"TRACE / HTTP/1.1\r\n" + host + "\r\n", 405, "request.method"},
      {"GET / HTTP/3.0\r\n" + host + "\r\n", 505, "request.version"},
      {"POST / HTTP/1.1\r\n" + host + "Expect: tea\r\n\r\n", 417, "request.expect"},
      {"GET /" + std::string(9'000, 'a') + " HTTP/1.1\r\n" + host + "\r\n", 414, "request.uri_too_long"},
      {"GET / HTTP/1.1\r\n" + host + "X: " + std::string(9'000, 'a') + "\r\n\r\n", 431,
       "request.header_too_large"},
  };
  for (const auto& row : rows) expect_refused(server, row);
  auto client = server.connect();
  client.send("GET / HTTP/1.1\r\nHost: Flow.Example.Org:8443\r\n\r\n");
  EXPECT_EQ(client.read_reply()->status, 200u);
}

TEST(HttpLimits, RefusesAHeadWithoutABody) {
  TestServer server;
  auto client = server.connect();
  client.send("HEAD / HTTP/1.1\r\nHost: evil.example\r\n\r\n");
  EXPECT_EQ(client.read_reply(false)->status, 421u);
  EXPECT_TRUE(client.is_at_end());
}

TEST(HttpLimits, AnswersTheRequestsBeforeTheBrokenOne) {
  TestServer server;
  auto client = server.connect();
  client.send(get("/a") + get("/b") + "nonsense\r\n\r\n" + get("/c"));
  EXPECT_EQ(client.read_reply()->body, "GET /a ");
  EXPECT_EQ(client.read_reply()->body, "GET /b ");
  EXPECT_EQ(client.read_reply()->status, 400u);
  EXPECT_TRUE(client.is_at_end());
}

TEST(HttpLimits, RefusesALargeBodyInAWayTheClientCanRead) {
  Limits limits;
  limits.body_bytes = 16 << 20;  // more than the kernel keeps for a server that has closed
  TestServer server(limits);
  const std::string half(512 * 1024, 'x');
  const std::string heads[] = {
      "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 17301504\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1080000\r\n",
  };
  for (const auto& head : heads) {
    auto client = server.connect();
    client.send(head);
    bool could_send = true;  // all of it, before it reads: as many clients do
    for (int i = 0; i < 33; ++i) could_send = could_send && client.send(half);
    EXPECT_TRUE(could_send);
    const auto reply = client.read_reply();
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->status, 413u);
    EXPECT_TRUE(client.is_at_end());
  }
}

TEST(HttpLimits, DoesNotReadOverForever) {
  Limits limits;
  limits.body_bytes = 1 << 20;
  TestServer server(limits);
  auto client = server.connect();
  client.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n");
  const std::string block(1 << 20, 'x');
  int sent = 0;
  while (sent < 100 && client.send(block)) ++sent;
  EXPECT_LT(sent, 30) << "the server closed after body_bytes and a megabyte";
}

Limits short_limits() {
  Limits limits;
  limits.header_time = limits.body_time = limits.write_time = kShort;
  limits.idle_time = 4 * kShort;
  return limits;
}

TEST(HttpSlowClients, AreToldAndClosed) {
  TestServer server(short_limits());
  const Refused rows[] = {
      {"GET / HTT", 408, "request.timeout"},
      {"GET / HTTP/1.1\r\nHost: localhost\r\n", 408, "request.timeout"},
      {"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nab", 408, "request.timeout"},
      {"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab", 408,
       "request.timeout"},
  };
  for (const auto& row : rows) expect_refused(server, row);
}

TEST(HttpSlowClients, CanNotBuyTimeByteByByte) {
  TestServer server(short_limits());
  auto client = server.connect();
  const auto start = std::chrono::steady_clock::now();
  std::size_t drips = 0;
  client.send("GET / HTTP/1.1\r\nX: ");
  while (client.is_silent_for(Milliseconds(20)) && drips < 500) {
    client.send("a");
    ++drips;
  }
  EXPECT_EQ(client.read_reply()->status, 408u);
  EXPECT_GE(std::chrono::steady_clock::now() - start, kShort);
  EXPECT_LT(drips, 200u);
}

TEST(HttpSlowClients, AreClosedSilentlyWhenIdle) {
  TestServer server(short_limits());
  auto fresh = server.connect();
  auto used = server.connect();
  used.send(get("/"));
  ASSERT_TRUE(used.read_reply());
  EXPECT_EQ(fresh.read_to_end(), "");
  EXPECT_EQ(used.read_to_end(), "");
}

TEST(HttpSlowClients, MayWaitLongForTheirAnswer) {
  Handler::Respond respond;
  std::promise<void> asked;
  TestServer server(short_limits(), [&](Request, Handler::Respond later) {
    respond = std::move(later);
    asked.set_value();
  });
  auto client = server.connect();
  client.send(get("/poll"));
  asked.get_future().wait();
  EXPECT_TRUE(client.is_silent_for(6 * kShort)) << "only the client's own slowness counts";
  respond(Response{});
  EXPECT_EQ(client.read_reply()->status, 200u);
}

TEST(HttpSlowClients, ThatDoNotReadAreClosedAndHoldLittle) {
  std::atomic<int> served{0};
  TestServer server(short_limits(), [&](Request, Handler::Respond respond) {
    ++served;
    Response response;
    response.content_type = "application/octet-stream";
    response.body = std::string(1 << 20, 'x');
    respond(std::move(response));
  });
  RawClient client(server.port(), 4'096);
  std::string requests;
  for (int i = 0; i < 200; ++i) requests += get("/");
  client.send(requests);
  auto other = server.connect();
  other.send(get("/"));
  EXPECT_TRUE(other.read_reply()) << "others are served meanwhile";
  // Its end shows in the counts; what it had not read is gone with it.
  while (server.server().counts().connections > 1) ASSERT_TRUE(client.is_silent_for(Milliseconds(5)) || true);
  EXPECT_LT(served, 20) << "no further request is taken while replies wait";
  EXPECT_LT(client.read_to_end().size(), std::size_t{20} << 20);
}

TEST(HttpFuzz, EveryMutatedRequestGetsAnAnswerOrAClose) {
  Limits limits = short_limits();
  limits.header_time = limits.body_time = Milliseconds(40);
  TestServer server(limits);
  const std::string seeds[] = {
      get("/a%20b?c=d", "Accept-Encoding: gzip;q=0.5\r\nConnection: keep-alive\r\n"),
      post("/x", "{\"a\":1}", "Content-Type: application/json\r\n"),
      "POST /y HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n",
      get("/ws/",
          "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
          "dGhlIHNhbXBsZSBub25jZQ==\r\n"),
  };
  SeededRng rng(42);
  int answered = 0;
  for (int round = 0; round < 2'000; ++round) {
    std::string bytes = seeds[rng.next() % std::size(seeds)];
    for (auto edits = 1 + rng.next() % 4; edits-- > 0;) {
      const auto at = rng.next() % bytes.size();
      switch (rng.next() % 4) {
        case 0:
          bytes[at] = static_cast<char>(rng.next());
          break;
        case 1:
          bytes.erase(at, 1 + rng.next() % 8);
          break;
        case 2:
          bytes.insert(at, bytes.substr(rng.next() % bytes.size(), 20));
          break;
        default:
          bytes.insert(at, 1, "\r\n :%"[rng.next() % 5]);
      }
      if (bytes.empty()) bytes = "x";
    }
    auto client = server.connect();
    client.send(bytes);
    client.shut_sending();
    const auto all = client.read_to_end();
    ASSERT_TRUE(all.empty() || all.starts_with("HTTP/1.1 ")) << bytes << "\n" << all;
    answered += all.empty() ? 0 : 1;
  }
  EXPECT_GT(answered, 1'000);
  auto client = server.connect();
  client.send(get("/alive"));
  EXPECT_EQ(client.read_reply()->body, "GET /alive ");
}

}  // namespace
}  // namespace fp::net
