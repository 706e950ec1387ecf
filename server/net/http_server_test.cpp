#include "base/error_code.hpp"
#include "net/port_owner.hpp"
#include "net/test_server.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <ctime>
#include <future>
#include <mutex>
#include <optional>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>

namespace fp::net {
namespace {

/// Keeps what it is asked until the test answers.
class Desk {
 public:
  TestServer::Handle handle() {
    return [this](Request request, Handler::Respond respond) {
      const std::lock_guard lock(mutex_);
      waiting_.emplace_back(std::move(request), std::move(respond));
      changed_.notify_all();
    };
  }
  bool wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return waiting_.size() >= count; });
  }
  std::size_t size() {
    const std::lock_guard lock(mutex_);
    return waiting_.size();
  }
  void answer(std::size_t index) {
    std::unique_lock lock(mutex_);
    auto [request, respond] = std::move(waiting_[index]);
    lock.unlock();
    TestServer::echo(std::move(request), std::move(respond));
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::pair<Request, Handler::Respond>> waiting_;  // guarded by mutex_
};

TEST(HttpServer, AnswersWithWhatEveryReplyCarries) {
  TestServer server;
  auto client = server.connect();
  client.send(get("/a%20b?x=1", "X-Request-Id: mine-1.2_3\r\n"));
  const auto reply = client.read_reply();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 200u);
  EXPECT_EQ(reply->body, "GET /a b ");
  const Fields expected{{"Server", "flowpilot"},
                        {"X-Request-Id", "mine-1.2_3"},
                        {"X-Content-Type-Options", "nosniff"},
                        {"Referrer-Policy", "no-referrer"},
                        {"Cross-Origin-Opener-Policy", "same-origin"},
                        {"Accept-Ranges", "none"},
                        {"Cache-Control", "no-store"},
                        {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
                        {"Content-Type", "text/plain"},
                        {"Content-Length", "9"},
                        {"Connection", ""}};
  for (const auto& [name, value] : expected) EXPECT_EQ(reply->header(name), value) << name;
  EXPECT_TRUE(reply->header("Date").ends_with(" GMT"));
}

TEST(HttpServer, LetsTheHandlerChooseItsHeaders) {
  TestServer server({}, [](Request request, Handler::Respond respond) {
    Response response;
    response.status = request.path == "/empty" ? 204 : 201;
    response.headers = {{"cache-control", "max-age=60"},
                        {"Content-Security-Policy", "default-src 'self'"},
                        {"Referrer-Policy", "same-origin"},
                        {"X-Name", "a\r\nX-Injected: b"}};
    respond(std::move(response));
  });
  auto client = server.connect();
  client.send(get("/"));
  const auto reply = client.read_reply();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->status, 201u);
  EXPECT_EQ(reply->header("Cache-Control"), "max-age=60");
  EXPECT_EQ(reply->header("Content-Security-Policy"), "default-src 'self'");
  EXPECT_EQ(reply->header("Referrer-Policy"), "same-origin");
  EXPECT_EQ(reply->header("X-Name"), "a  X-Injected: b");
  EXPECT_EQ(reply->header("X-Injected"), "");
  client.send(get("/empty") + get("/"));
  const auto empty = client.read_reply();
  ASSERT_TRUE(empty);
  EXPECT_EQ(empty->status, 204u);
  EXPECT_EQ(empty->header("Content-Length"), "") << "204 has no body (RFC 9110)";
  EXPECT_EQ(client.read_reply()->status, 201u);
}

TEST(HttpServer, MakesARequestIdWhenTheClientsIsNotSane) {
  TestServer server;
  auto client = server.connect();
  for (const auto& id : {std::string("a b"), std::string("\"<x>"), std::string(129, 'a')}) {
    client.send(get("/", "X-Request-Id: " + id + "\r\n"));
    const auto reply = client.read_reply();
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->header("X-Request-Id").size(), 16u);
    EXPECT_NE(reply->header("X-Request-Id"), id);
  }
}

TEST(HttpServer, ServesBodiesOfEitherKindOnOneConnection) {
  TestServer server;
  auto client = server.connect();
  const std::string large(3'000'000, 'x');
  client.send(
      post("/one", "hello") +
      "PUT /two HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
  EXPECT_EQ(client.read_reply()->body, "POST /one hello");
  EXPECT_EQ(client.read_reply()->body, "PUT /two abc");
  std::thread sender([&] { client.send(post("/three", large)); });
  EXPECT_EQ(client.read_reply()->body, "POST /three " + large);
  sender.join();
}

TEST(HttpServer, SaysGoOnToAClientThatWaits) {
  TestServer server;
  auto client = server.connect();
  client.send("POST /x HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(client.read_bytes(25), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("hello");
  EXPECT_EQ(client.read_reply()->body, "POST /x hello");
}

TEST(HttpServer, AnswersHeadWithoutABody) {
  TestServer server;
  auto client = server.connect();
  client.send("HEAD /x HTTP/1.1\r\nHost: localhost\r\n\r\n" + get("/y"));
  const auto head = client.read_reply(false);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->header("Content-Length"), "8");
  EXPECT_EQ(client.read_reply()->body, "GET /y ");
}

TEST(HttpServer, SendsWhatLiesInTheProgramAsItIs) {
  static const std::string kept(300'000, 'a');
  TestServer server({}, [&](Request request, Handler::Respond respond) {
    Response response;
    response.content_type = "text/plain";
    response.static_body = request.path == "/small" ? std::string_view(kept).substr(0, 10) : kept;
    if (request.path == "/packed") response.encoding = "br";
    respond(std::move(response));
  });
  auto client = server.connect();
  client.send(get("/whole", "Accept-Encoding: gzip\r\n") + get("/small") + get("/packed"));
  const auto whole = client.read_reply();
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->header("Content-Encoding"), "") << "its ETag is that of these bytes";
  EXPECT_TRUE(whole->body == kept);
  EXPECT_EQ(client.read_reply()->body, "aaaaaaaaaa");
  const auto packed = client.read_reply();
  ASSERT_TRUE(packed);
  EXPECT_EQ(packed->header("Content-Encoding"), "br");
  EXPECT_TRUE(packed->body == kept);
}

TEST(HttpServer, CompressesTextForThoseWhoTakeIt) {
  const auto shared = std::make_shared<const std::string>(100'000, 'a');
  TestServer server({}, [&](Request request, Handler::Respond respond) {
    Response response;
    response.shared_body = shared;
    if (request.path == "/inline") return respond(std::move(response));
    std::thread([respond = std::move(respond), response = std::move(response)]() mutable {
      respond(std::move(response));
    }).join();
  });
  auto client = server.connect();
  for (const char* path : {"/inline", "/later"}) {
    client.send(get(path, "Accept-Encoding: gzip\r\n") + get(path));
    const auto packed = client.read_reply();
    ASSERT_TRUE(packed);
    EXPECT_EQ(packed->header("Content-Encoding"), "gzip");
    EXPECT_EQ(packed->header("Vary"), "Accept-Encoding");
    EXPECT_LT(packed->body.size(), 1'000u);
    const auto plain = client.read_reply();
    ASSERT_TRUE(plain);
    EXPECT_EQ(plain->header("Content-Encoding"), "");
    EXPECT_EQ(plain->header("Vary"), "Accept-Encoding");
    EXPECT_EQ(plain->body, *shared);
  }
}

TEST(HttpServer, ClosesWhenAskedAndAfterHttp10) {
  TestServer server;
  for (const std::string& request :
       {get("/", "Connection: close\r\n"), std::string("GET / HTTP/1.0\r\nHost: localhost\r\n\r\n")}) {
    auto client = server.connect();
    client.send(request + get("/never"));
    const auto reply = client.read_reply();
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->header("Connection"), "close");
    EXPECT_TRUE(client.is_at_end());
  }
}

TEST(HttpServer, AnswersAClientThatHasShutItsSide) {
  Desk desk;
  TestServer server({}, desk.handle());
  auto client = server.connect();
  client.send(get("/a"));
  client.shut_sending();
  ASSERT_TRUE(desk.wait_for(1));
  desk.answer(0);
  EXPECT_EQ(client.read_reply()->body, "GET /a ");
  EXPECT_TRUE(client.is_at_end());
}

TEST(HttpServer, KeepsTheOrderOfPipelinedRequestsWhateverThatOfTheAnswers) {
  Desk desk;
  Limits limits;
  limits.pipelined_requests = 4;
  TestServer server(limits, desk.handle());
  auto client = server.connect();
  std::string all;
  for (int i = 0; i < 9; ++i) all += get("/" + std::to_string(i));
  client.send(all);
  ASSERT_TRUE(desk.wait_for(4));
  desk.answer(3);
  desk.answer(1);
  desk.answer(2);
  EXPECT_TRUE(client.is_silent_for(Milliseconds(20))) << "the first has no answer yet";
  EXPECT_EQ(desk.size(), 4u) << "no more than pipelined_requests are under way";
  desk.answer(0);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(client.read_reply()->body, "GET /" + std::to_string(i) + " ");
  ASSERT_TRUE(desk.wait_for(8));
  for (std::size_t i = 8; i-- > 4;) desk.answer(i);
  ASSERT_TRUE(desk.wait_for(9));
  desk.answer(8);
  for (int i = 4; i < 9; ++i) EXPECT_EQ(client.read_reply()->body, "GET /" + std::to_string(i) + " ");
}

TEST(HttpServer, ServesManyClientsOnSeveralThreads) {
  std::mutex mutex;
  std::vector<std::thread> answering;
  const auto handle = [&](Request request, Handler::Respond respond) {
    if (request.path.size() % 2 == 0) return TestServer::echo(std::move(request), std::move(respond));
    const std::lock_guard lock(mutex);
    answering.emplace_back([request = std::move(request), respond = std::move(respond)]() mutable {
      TestServer::echo(std::move(request), std::move(respond));
    });
  };
  TestServer server({}, handle, 3);
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      auto client = server.connect();
      for (int i = 0; i < 50; ++i) {
        const auto path = "/" + std::string(static_cast<std::size_t>(i % 3), 'x') + std::to_string(t);
        client.send(get(path));
        const auto reply = client.read_reply();
        if (reply && reply->body == "GET " + path + " ") ++good;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, 400);
  const std::lock_guard lock(mutex);
  for (auto& thread : answering) thread.join();
}

TEST(HttpServer, TakesNoMoreConnectionsThanItMay) {
  Limits limits;
  limits.connections = 2;
  TestServer server(limits);
  auto first = server.connect();
  std::optional<RawClient> second(server.connect());
  for (auto* client : {&first, &*second}) {
    client->send(get("/"));
    ASSERT_TRUE(client->read_reply());
  }
  auto third = server.connect();  // the kernel took it, the server did not
  third.send(get("/third"));
  EXPECT_TRUE(third.is_silent_for(Milliseconds(50)));
  EXPECT_EQ(server.server().counts().connections, 2u);
  second.reset();
  EXPECT_EQ(third.read_reply()->body, "GET /third ");
}

#if defined(__has_feature)
#if __has_feature(undefined_behavior_sanitizer)
#define FLOWPILOT_UBSAN
#endif
#endif

TEST(HttpServer, OutlivesALackOfFileDescriptors) {
#ifdef FLOWPILOT_UBSAN
  GTEST_SKIP()
      << "the sanitizer opens a pipe to look at an object's type, and takes a failure for a bad object";
#endif
  TestServer server;
  auto first = server.connect();
  first.send(get("/"));
  ASSERT_TRUE(first.read_reply());
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  const int free_fd = dup(0);
  close(free_fd);
  auto second = server.connect();  // takes free_fd
  second.send(get("/"));
  ASSERT_TRUE(second.read_reply());
  const int next_fd = dup(0);
  close(next_fd);
  const rlimit tight{static_cast<rlim_t>(next_fd) + 1, before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &tight);
  auto third = server.connect();  // takes the last descriptor: none is left for the server's end
  third.send(get("/third"));
  const auto cpu_before = std::clock();
  EXPECT_TRUE(third.is_silent_for(Milliseconds(200)));
  const auto cpu = static_cast<double>(std::clock() - cpu_before) / CLOCKS_PER_SEC;
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_LT(cpu, 0.1) << "it waits instead of trying again and again";
  EXPECT_EQ(third.read_reply()->body, "GET /third ");
}

TEST(HttpServer, SaysWhoHasThePort) {
  TestServer server;
  HttpServer::Options options;
  options.port = server.port();
  const auto second = HttpServer::start(options, server);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, codes::net_port_taken.id);
  const auto& message = second.error().message;
  EXPECT_NE(message.find("127.0.0.1:" + std::to_string(server.port())), std::string::npos) << message;
  EXPECT_NE(message.find("process " + std::to_string(getpid())), std::string::npos) << message;
  EXPECT_NE(message.find("unit_tests"), std::string::npos) << message;
}

TEST(HttpServer, SaysThatItCanNotListenThere) {
  TestServer server;
  for (const char* host : {"192.0.2.1", "no such host", "256.1.1.1"}) {
    HttpServer::Options options;
    options.host = host;
    options.port = 0;
    const auto started = HttpServer::start(options, server);
    ASSERT_FALSE(started) << host;
    EXPECT_EQ(started.error().code, codes::net_address.id);
    EXPECT_NE(started.error().message.find(host), std::string::npos);
  }
}

TEST(HttpServerStop, LetsRequestsUnderWayFinishAndClosesTheRest) {
  Desk desk;
  TestServer server({}, desk.handle());
  auto busy = server.connect();
  auto idle = server.connect();
  busy.send(get("/a") + get("/b"));
  ASSERT_TRUE(desk.wait_for(2));
  auto stopped = std::async(std::launch::async, [&] { server.server().stop(std::chrono::seconds(20)); });
  EXPECT_TRUE(idle.is_at_end());
  desk.answer(1);
  desk.answer(0);
  const auto first = busy.read_reply();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->body, "GET /a ");
  EXPECT_EQ(first->header("Connection"), "");
  const auto second = busy.read_reply();
  ASSERT_TRUE(second);
  EXPECT_EQ(second->header("Connection"), "close");
  EXPECT_TRUE(busy.is_at_end());
  busy.shut_sending();
  stopped.get();
  EXPECT_EQ(server.server().counts().connections, 0u);
}

TEST(HttpServerStop, EndsEverythingAfterTheGraceAndIgnoresLateAnswers) {
  Desk desk;
  auto server = std::make_unique<TestServer>(Limits{}, desk.handle());
  auto client = server->connect();
  client.send(get("/a"));
  ASSERT_TRUE(desk.wait_for(1));
  server->server().stop(Milliseconds(50));
  EXPECT_TRUE(client.is_at_end());
  server->server().stop(Milliseconds(50));
  server.reset();
  desk.answer(0);  // nobody is there to hear it
}

TEST(HttpServerStop, FreesThePort) {
  std::uint16_t port = 0;
  {
    TestServer server;
    port = server.port();
    auto client = server.connect();
    client.send(get("/"));
    ASSERT_TRUE(client.read_reply());
  }
  EXPECT_FALSE(find_port_owner(port));
}

TEST(HttpServer, AnswersWhenTheHandlerCanNotGoOn) {
  TestServer server({}, [](Request, Handler::Respond) {
    throw Unavailable(Error("test.storage", "the database is gone", true));
  });
  auto client = server.connect();
  for (int i = 0; i < 2; ++i) {
    client.send(get("/"));
    const auto reply = client.read_reply();
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->status, 503u);
    EXPECT_NE(reply->body.find("test.storage"), std::string::npos);
  }
}

TEST(HttpServer, ForgetsRequestsOfClientsThatLeft) {
  Desk desk;
  TestServer server({}, desk.handle());
  {
    auto client = server.connect();
    client.send(get("/a"));
    ASSERT_TRUE(desk.wait_for(1));
  }
  desk.answer(0);
  auto next = server.connect();
  next.send(get("/b"));
  ASSERT_TRUE(desk.wait_for(2));
  desk.answer(1);
  EXPECT_EQ(next.read_reply()->body, "GET /b ");
}

}  // namespace
}  // namespace fp::net
