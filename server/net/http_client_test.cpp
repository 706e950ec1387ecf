#include "net/http_client.hpp"

#include "base/error_code.hpp"
#include "net/test_server.hpp"
#include "tasks/test_peer.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace fp::net {
namespace {

using tasks::TestConversation;
using tasks::TestPeer;

Address at(std::uint16_t port) {
  return {"127.0.0.1", port};
}

TEST(HttpClient, SendsAndReceivesOnOneConnection) {
  TestServer server;
  HttpClient client(at(server.port()));
  for (int i = 0; i < 3; ++i) {
    const auto reply = client.send("POST", "/x%20y?z=1", "{}", {{"X-Request-Id", "abc"}});
    ASSERT_TRUE(reply) << reply.error().message;
    EXPECT_EQ(reply->status, 200u);
    EXPECT_EQ(reply->body, "POST /x y {}");
    EXPECT_EQ(reply->content_type, "text/plain");
    EXPECT_EQ(*find_field(reply->headers, "x-request-id"), "abc");
    EXPECT_EQ(server.server().counts().connections, 1u);
  }
  EXPECT_EQ(client.send("HEAD", "/", "")->body, "");
  EXPECT_EQ(client.send("GET", "/next", "")->body, "GET /next ");
}

TEST(HttpClient, SendsJsonOnlyWhenThereIsABody) {
  TestServer server({}, [](Request request, Handler::Respond respond) {
    const auto* type = find_field(request.headers, "Content-Type");
    Response response;
    response.body = type == nullptr ? "none" : *type;
    respond(std::move(response));
  });
  HttpClient client(at(server.port()));
  EXPECT_EQ(client.send("GET", "/", "")->body, "none");
  EXPECT_EQ(client.send("POST", "/", "{}")->body, "application/json");
}

TEST(HttpClient, SaysWhatToDoWhenNobodyListens) {
  std::uint16_t port = 0;
  {
    TestServer server;
    port = server.port();
  }
  HttpClient client(at(port));
  const auto reply = client.send("GET", "/", "");
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, codes::net_connect.id);
  EXPECT_EQ(
      reply.error().message,
      fmt::format("nobody listens at http://127.0.0.1:{}; start one with: flowpilot serve --dev", port));
}

TEST(HttpClient, GivesUpAfterItsTimeout) {
  TestPeer peer([](TestConversation& conversation) {
    conversation.read_request();
    conversation.wait_for_close();
  });
  HttpClient client(at(peer.port()), Milliseconds(100));
  const auto reply = client.send("GET", "/", "");
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, codes::net_timeout.id);
  EXPECT_NE(reply.error().message.find("100 ms"), std::string::npos) << reply.error().message;
}

TEST(HttpClient, ReadsChunkedReplies) {
  TestPeer peer([](TestConversation& conversation) {
    conversation.read_request();
    conversation.send(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
    conversation.wait_for_close();
  });
  HttpClient client(at(peer.port()));
  EXPECT_EQ(client.send("GET", "/", "")->body, "abcde");
}

TEST(HttpClient, RefusesWhatIsNoAnswer) {
  const struct {
    const char* bytes;
    const char* words;
  } rows[] = {
      {"SSH-2.0-OpenSSH\r\n", "is not HTTP"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", "closed the connection"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nabc", "larger than 64 MiB"},
      {"", "closed the connection"},
  };
  for (const auto& row : rows) {
    TestPeer peer([&](TestConversation& conversation) {
      conversation.read_request();
      conversation.send(row.bytes);
      conversation.end();
    });
    HttpClient client(at(peer.port()));
    const auto reply = client.send("GET", "/", "");
    ASSERT_FALSE(reply) << row.bytes;
    EXPECT_EQ(reply.error().code, codes::net_protocol.id);
    EXPECT_NE(reply.error().message.find(row.words), std::string::npos) << reply.error().message;
  }
}

TEST(HttpClient, RepeatsOnlyAGetWhenTheKeptConnectionWasClosed) {
  // Each connection answers once and then closes without saying so.
  TestPeer peer([](TestConversation& conversation) {
    conversation.read_request();
    conversation.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    conversation.read_line();
    conversation.end();
  });
  HttpClient client(at(peer.port()));
  EXPECT_TRUE(client.send("GET", "/", ""));
  EXPECT_TRUE(client.send("GET", "/", ""));
  EXPECT_EQ(peer.connections(), 2u);
  const auto post = client.send("POST", "/", "{}");
  ASSERT_FALSE(post) << "it may have been carried out";
  EXPECT_EQ(post.error().code, codes::net_protocol.id);
  EXPECT_EQ(peer.connections(), 2u);
  EXPECT_TRUE(client.send("POST", "/", "{}"));
}

TEST(WebSocketClient, ReadsTextsUntilTheServerCloses) {
  TestServer server;
  auto client = WebSocketClient::open(at(server.port()), "/ws/");
  ASSERT_TRUE(client) << client.error().message;
  const auto peer = server.websocket()->wait_for_peer();
  const auto large = std::make_shared<const std::string>(300'000, 'x');
  peer->send(std::make_shared<const std::string>("one"));
  peer->send(large);
  peer->close(4404, "unknown");
  EXPECT_EQ(**(*client)->read(), "one");
  EXPECT_EQ(**(*client)->read(), *large);
  const auto end = (*client)->read();
  ASSERT_TRUE(end);
  EXPECT_FALSE(*end);
  EXPECT_EQ((*client)->close_code(), 4404);
  const auto log = server.websocket();
  EXPECT_TRUE(log->wait_for([&] { return log->closed == 1; }));
}

TEST(WebSocketClient, StopsReadingFromAnotherThread) {
  TestServer server;
  auto client = WebSocketClient::open(at(server.port()), "/ws/");
  ASSERT_TRUE(client);
  server.websocket()->wait_for_peer()->send(std::make_shared<const std::string>("one"));
  EXPECT_EQ(**(*client)->read(), "one");
  std::thread stopper([&] { (*client)->stop(); });
  const auto end = (*client)->read();
  stopper.join();
  ASSERT_TRUE(end);
  EXPECT_FALSE(*end);
  EXPECT_FALSE(*(*client)->read());
}

TEST(WebSocketClient, SaysWhyItCanNotOpen) {
  std::uint16_t port = 0;
  {
    TestServer server;
    port = server.port();
    const auto refused = WebSocketClient::open(at(port), "/other/");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, codes::net_protocol.id);
    EXPECT_NE(refused.error().message.find("status 403"), std::string::npos) << refused.error().message;
  }
  const auto nobody = WebSocketClient::open(at(port), "/ws/");
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().code, codes::net_connect.id);
}

TEST(WebSocketClient, ReportsABrokenConnection) {
  TestServer server;
  auto client = WebSocketClient::open(at(server.port()), "/ws/");
  ASSERT_TRUE(client);
  server.websocket()->wait_for_peer();
  std::thread stopper([&] { server.server().stop(Milliseconds(0)); });
  const auto end = (*client)->read();
  stopper.join();
  // Whether the close frame was written before the end of the grace is open; both are an end.
  EXPECT_TRUE(end ? !end->has_value() : end.error().code == codes::net_protocol.id);
}

}  // namespace
}  // namespace fp::net
