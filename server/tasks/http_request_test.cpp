#include "base/json_parse.hpp"
#include "tasks/network.hpp"
#include "tasks/test_peer.hpp"
#include "tasks/text_codec.hpp"

#include <gtest/gtest.h>

#include <cstdio>

namespace fp::tasks {
namespace {

// gzip of 256 KiB of zeros
constexpr const char* kBomb =
    "H4sIAAAAAAAC/"
    "+3BMQEAAADCoPVP7W0HoAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAA3gAi6g7iAAAEAA==";

class HttpRequestTest : public testing::Test {
 protected:
  explicit HttpRequestTest(bool allow_loopback = true)
      : network_(std::make_shared<Network>(AddressGuard(allow_loopback, {}), "")) {
    HttpLimits limits;
    limits.low_speed_window = Milliseconds(200);
    limits.low_speed_bytes = 64;
    handler_ = make_http_request_handler(network_, clock_, limits);
  }
  ports::TaskHandler::Output call(const Json& config, Milliseconds timeout = std::chrono::seconds(20)) {
    return TestAttempt(*handler_, config, timeout).wait();
  }
  ports::TaskHandler::Output get(const TestPeer& peer) { return call(JsonObject{{"url", peer.url()}}); }

  SystemClock clock_;
  std::shared_ptr<Network> network_;
  std::unique_ptr<ports::TaskHandler> handler_;
};

std::string reply(const std::string& head, const std::string& body) {
  return "HTTP/1.1 " + head + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

/// Answers every request of a connection in the same way.
TestPeer::Script answer(std::string text) {
  return [text = std::move(text)](TestConversation& peer) {
    while (!peer.read_request().empty()) {
      if (!peer.send(text)) return;
    }
  };
}

/// Answers with what was asked, as text.
void echo(TestConversation& peer) {
  for (auto request = peer.read_request(); !request.empty(); request = peer.read_request())
    peer.send(reply("200 OK\r\nContent-Type: text/plain", request));
}

TEST_F(HttpRequestTest, GivesStatusHeadersAndData) {
  const TestPeer peer(
      answer(reply("201 Created\r\nContent-Type: application/json; charset=utf-8\r\nX-Two: a\r\nX-Two: "
                   "b\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2",
                   R"({"id": 7})")));
  const auto output =
      call(JsonObject{{"method", "POST"}, {"url", peer.url("/a?b=1#c")}, {"json", JsonObject{{"x", 1}}}});
  ASSERT_TRUE(output) << output.error().message;
  EXPECT_EQ(output->at("status_code"), Json(201));
  EXPECT_EQ(output->at("data"), Json(JsonObject{{"id", 7}}));
  EXPECT_EQ(output->at("encoding"), Json("json"));
  EXPECT_EQ(output->at("headers").at("x-two"), Json("a, b"));
  EXPECT_EQ(output->at("headers").at("set-cookie"), Json("a=1\nb=2"));
  EXPECT_EQ(output->at("url"), Json(peer.url("/a?b=1")));
  EXPECT_TRUE(output->at("elapsed_ms").is_int64());
}

TEST_F(HttpRequestTest, SendsTheSameKeyOnEveryAttemptUnlessTheStepHasItsOwn) {
  const TestPeer peer(echo);
  for (std::uint32_t attempt : {1u, 2u}) {
    const auto output = TestAttempt(*handler_, JsonObject{{"method", "POST"}, {"url", peer.url()}},
                                    std::chrono::seconds(20), attempt)
                            .wait();
    EXPECT_NE(json_string(*output, "data").find("Idempotency-Key: key-of-the-task\r\n"), std::string::npos);
  }
  const auto own =
      call(JsonObject{{"url", peer.url()}, {"headers", JsonObject{{"idempotency-key", "mine"}}}});
  EXPECT_NE(json_string(*own, "data").find("idempotency-key: mine\r\n"), std::string::npos);
  EXPECT_EQ(json_string(*own, "data").find("key-of-the-task"), std::string::npos);
}

TEST_F(HttpRequestTest, EncodesEachKindOfBody) {
  const TestPeer peer(echo);
  const auto sent = [&](JsonObject config) {
    config["url"] = peer.url("/p?a=1");
    config["method"] = "PUT";
    return json_string(*call(config), "data");
  };
  EXPECT_NE(sent({{"form", JsonObject{{"a b", "c&d"}, {"l", JsonArray{1, 2}}}}})
                .find("\r\n\r\na%20b=c%26d&l=1&l=2"),
            std::string::npos);
  EXPECT_NE(sent({{"body", "plain"}}).find("Content-Type: text/plain; charset=utf-8"), std::string::npos);
  EXPECT_TRUE(sent({{"body", JsonObject{{"base64", "AGE="}}}}).ends_with(std::string("\r\n\r\n\0a", 6)));
  EXPECT_TRUE(sent({{"query", JsonObject{{"q", "x y"}, {"none", nullptr}}}})
                  .starts_with("PUT /p?a=1&q=x%20y HTTP/1.1"));
  const auto parts =
      sent({{"multipart", JsonArray{JsonObject{{"name", "f"}, {"filename", "a.txt"}, {"value", "hello"}}}}});
  EXPECT_NE(parts.find("name=\"f\"; filename=\"a.txt\""), std::string::npos);
  EXPECT_NE(parts.find("\r\n\r\nhello\r\n"), std::string::npos);
}

TEST_F(HttpRequestTest, ReadsTheBodyAsAsked) {
  const TestPeer json(answer(reply("200 OK\r\nContent-Type: application/problem+json", "[1]")));
  const TestPeer broken(answer(reply("200 OK\r\nContent-Type: application/json", "{oops")));
  const TestPeer bytes(answer(reply("200 OK", "\xff\xfe")));
  const TestPeer latin(answer(reply("200 OK\r\nContent-Type: text/plain; charset=ISO-8859-1", "caf\xe9")));
  const TestPeer nothing(answer("HTTP/1.1 204 No Content\r\n\r\n"));
  EXPECT_EQ(get(json)->at("data"), Json(JsonArray{1}));
  EXPECT_EQ(call(JsonObject{{"url", json.url()}, {"response", "text"}})->at("data"), Json("[1]"));
  EXPECT_EQ(call(JsonObject{{"url", json.url()}, {"response", "base64"}})->at("data"), Json("WzFd"));
  EXPECT_EQ(get(broken)->at("data"), Json("{oops"));
  EXPECT_EQ(code_of(call(JsonObject{{"url", broken.url()}, {"response", "json"}})), "http.not_json");
  EXPECT_EQ(get(bytes)->at("data"), Json("//4="));
  EXPECT_EQ(get(bytes)->at("encoding"), Json("base64"));
  EXPECT_EQ(get(latin)->at("data"), Json("caf\xc3\xa9"));
  EXPECT_EQ(get(nothing)->at("data"), Json(nullptr));
}

TEST_F(HttpRequestTest, FailsOnStatusesThatAreNotExpected) {
  struct Row {
    const char* status;
    const char* code;
    bool retryable;
  };
  for (const auto& row :
       {Row{"404 Not Found", "http.4xx", false}, Row{"408 Late", "http.4xx", true},
        Row{"429 Slow Down", "http.4xx", true}, Row{"500 Oops", "http.5xx", true},
        Row{"503 Later", "http.5xx", true}, Row{"302 There\r\nLocation: /x", "http.status", false}}) {
    const TestPeer peer(
        answer(reply(std::string(row.status) + "\r\nContent-Type: application/json\r\nSet-Cookie: secret=1",
                     R"({"why": "no"})")));
    const auto output = get(peer);
    EXPECT_EQ(code_of(output), row.code) << row.status;
    EXPECT_EQ(output.error().retryable, row.retryable) << row.status;
    EXPECT_EQ(output.error().details.at("data"), Json(JsonObject{{"why", "no"}}));
    EXPECT_EQ(output.error().details.at("headers").as_object().if_contains("set-cookie"), nullptr);
  }
  const TestPeer peer(answer(reply("404 Not Found", "")));
  EXPECT_TRUE(call(JsonObject{{"url", peer.url()}, {"expect_status", JsonArray{"2xx", 404}}}));
}

TEST_F(HttpRequestTest, PassesOnHowLongThePeerWantsToBeLeftAlone) {
  const TestPeer seconds(answer(reply("429 Slow Down\r\nRetry-After: 7", "")));
  EXPECT_EQ(get(seconds).error().retry_after, std::chrono::seconds(7));
  const auto now = *parse_rfc3339("2026-01-31T08:15:00Z");
  EXPECT_EQ(read_retry_after("Sat, 31 Jan 2026 08:15:30 GMT", now), std::chrono::seconds(30));
  EXPECT_EQ(read_retry_after("Sat, 31 Jan 2026 08:14:30 GMT", now), std::nullopt);
  EXPECT_EQ(read_retry_after("soon", now), std::nullopt);
  EXPECT_EQ(read_retry_after("-1", now), std::nullopt);
  EXPECT_EQ(read_retry_after("99999999999999", now), std::chrono::hours(24 * 366));
}

TEST_F(HttpRequestTest, CutsLongErrorBodies) {
  const TestPeer peer(answer(reply("500 Oops", std::string(1 << 20, 'x'))));
  const auto output = get(peer);
  EXPECT_EQ(code_of(output), "http.5xx");
  EXPECT_EQ(output.error().details.at("data").as_string().size(), 2048u);
}

TEST_F(HttpRequestTest, GivesUpOnAPeerThatNeverAnswers) {
  const TestPeer peer([](TestConversation& c) { c.wait_for_close(); });
  const auto output = call(JsonObject{{"url", peer.url()}}, Milliseconds(200));
  EXPECT_EQ(code_of(output), "http.timeout");
  EXPECT_TRUE(output.error().retryable);
}

TEST_F(HttpRequestTest, GivesUpOnABodyThatTrickles) {
  const TestPeer peer([](TestConversation& c) {
    c.read_request();
    c.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nx");
    c.wait_for_close();
  });
  EXPECT_EQ(code_of(get(peer)), "http.low_speed");
}

TEST_F(HttpRequestTest, StopsReadingAnEndlessBody) {
  const TestPeer peer([](TestConversation& c) {
    c.read_request();
    c.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    while (c.send("400\r\n" + std::string(1024, 'x') + "\r\n")) {
    }
  });
  const auto output = call(JsonObject{{"url", peer.url()}, {"max_bytes", 100'000}});
  EXPECT_EQ(code_of(output), "http.too_large");
  EXPECT_FALSE(output.error().retryable);
}

TEST_F(HttpRequestTest, BelievesAnAnnouncedSizeBeforeReading) {
  const TestPeer peer([](TestConversation& c) {
    c.read_request();
    c.send("HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\nx");
    c.wait_for_close();
  });
  EXPECT_EQ(code_of(get(peer)), "http.too_large");
}

TEST_F(HttpRequestTest, CountsBytesAfterDecompression) {
  const TestPeer peer(answer(reply("200 OK\r\nContent-Encoding: gzip", *from_base64(kBomb))));
  EXPECT_EQ(code_of(call(JsonObject{{"url", peer.url()}, {"max_bytes", 65'536}})), "http.too_large");
  EXPECT_EQ(call(JsonObject{{"url", peer.url()}, {"max_bytes", 262'144}, {"response", "text"}})
                ->at("data")
                .as_string()
                .size(),
            262'144u);
}

TEST_F(HttpRequestTest, StopsReadingEndlessHeaders) {
  const TestPeer peer([](TestConversation& c) {
    c.read_request();
    c.send("HTTP/1.1 200 OK\r\n");
    while (c.send("X-Filler: " + std::string(1000, 'x') + "\r\n")) {
    }
  });
  EXPECT_EQ(code_of(get(peer)), "http.too_large");
}

TEST_F(HttpRequestTest, TellsBrokenConnectionsFromBrokenHttp) {
  const auto after_request = [](auto act) {
    return [act](TestConversation& c) {
      c.read_request();
      act(c);
    };
  };
  const TestPeer reset(after_request([](TestConversation& c) {
    c.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf");
    c.reset();
  }));
  const TestPeer shorter(after_request(
      [](TestConversation& c) { c.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf"); }));
  const TestPeer silent(after_request([](TestConversation&) {}));
  const TestPeer garbage(after_request([](TestConversation& c) { c.send("I am no web server\r\n\r\n"); }));
  const TestPeer bad_chunk(after_request(
      [](TestConversation& c) { c.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"); }));
  const TestPeer bad_gzip(after_request(
      [](TestConversation& c) { c.send(reply("200 OK\r\nContent-Encoding: gzip", "not gzip at all")); }));
  EXPECT_EQ(code_of(get(reset)), "http.broken");
  EXPECT_EQ(code_of(get(shorter)), "http.broken");
  EXPECT_EQ(code_of(get(silent)), "http.broken");
  EXPECT_EQ(code_of(get(garbage)), "http.protocol");
  EXPECT_EQ(code_of(get(bad_chunk)), "http.broken");
  EXPECT_EQ(code_of(get(bad_gzip)), "http.protocol");
}

TEST_F(HttpRequestTest, FollowsRedirectsOnlyWhenAskedAndOnlySoFar) {
  const TestPeer loop(answer("HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n"));
  const auto output = call(JsonObject{{"url", loop.url()}, {"follow_redirects", true}});
  EXPECT_EQ(code_of(output), "http.redirects");
  EXPECT_FALSE(output.error().retryable);
  EXPECT_EQ(code_of(get(loop)), "http.status");
}

TEST_F(HttpRequestTest, LeavesSecretsBehindWhenARedirectLeavesTheOrigin) {
  const TestPeer target(echo);
  const TestPeer there(
      answer("HTTP/1.1 303 Other\r\nLocation: " + target.url("/new") + "\r\nContent-Length: 0\r\n\r\n"));
  const auto output = call(JsonObject{
      {"method", "POST"},
      {"url", there.url()},
      {"json", 1},
      {"follow_redirects", true},
      {"headers",
       JsonObject{{"Authorization", "Bearer s3cret"}, {"X-Api-Key", "s3cret"}, {"Accept-Language", "de"}}}});
  ASSERT_TRUE(output) << output.error().message;
  const auto seen = json_string(*output, "data");
  EXPECT_TRUE(seen.starts_with("GET /new HTTP/1.1"));
  EXPECT_EQ(seen.find("s3cret"), std::string::npos);
  EXPECT_EQ(seen.find("Content-Type"), std::string::npos);
  EXPECT_NE(seen.find("Accept-Language: de"), std::string::npos);
  EXPECT_EQ(output->at("url"), Json(target.url("/new")));
}

TEST_F(HttpRequestTest, ChecksWhereRedirectsLead) {
  const std::pair<const char*, const char*> rows[] = {
      {"file:///etc/passwd", "http.blocked_scheme"},
      {"gopher://127.0.0.1/", "http.blocked_scheme"},
      {"http://169.254.169.254/latest", "http.blocked_address"},
      {"http://[::ffff:10.0.0.1]/", "http.blocked_address"}};
  for (const auto& [location, code] : rows) {
    const TestPeer peer(
        answer(std::string("HTTP/1.1 302 Found\r\nLocation: ") + location + "\r\nContent-Length: 0\r\n\r\n"));
    EXPECT_EQ(code_of(call(JsonObject{{"url", peer.url()}, {"follow_redirects", true}})), code) << location;
  }
}

TEST_F(HttpRequestTest, SaysWhyItCouldNotConnect) {
  std::uint16_t free_port = 0;
  {
    free_port = TestPeer([](TestConversation&) {}).port();
  }
  const auto refused = call(JsonObject{{"url", "http://127.0.0.1:" + std::to_string(free_port)}});
  EXPECT_EQ(code_of(refused), "http.connect");
  EXPECT_TRUE(refused.error().retryable);
  // A label beyond 63 characters never leaves the machine.
  EXPECT_EQ(code_of(call(JsonObject{{"url", "http://" + std::string(64, 'a') + ".invalid/"}})), "http.dns");
}

TEST_F(HttpRequestTest, EndsWithinATenthOfASecondWhenCancelled) {
  std::promise<void> asked;
  const TestPeer peer([&](TestConversation& c) {
    c.read_request();
    asked.set_value();
    c.wait_for_close();
  });
  TestAttempt attempt(*handler_, JsonObject{{"url", peer.url()}});
  asked.get_future().wait();
  const auto before = clock_.steady_now();
  attempt.control().cancel();
  EXPECT_EQ(code_of(attempt.wait()), "task.cancelled");
  EXPECT_LT(clock_.steady_now() - before, Milliseconds(100));
}

TEST_F(HttpRequestTest, KeepsConnectionsForTheNextRequest) {
  const TestPeer peer(answer(reply("200 OK", "ok")));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(get(peer));
  EXPECT_EQ(peer.connections(), 1u);
}

TEST_F(HttpRequestTest, LetsNoSlowPeerDelayAnother) {
  const TestPeer slow([](TestConversation& c) { c.wait_for_close(); });
  const TestPeer fast(answer(reply("200 OK", "ok")));
  TestAttempt waiting(*handler_, JsonObject{{"url", slow.url()}});
  EXPECT_TRUE(get(fast));
  waiting.control().cancel();
  EXPECT_EQ(code_of(waiting.wait()), "task.cancelled");
}

TEST_F(HttpRequestTest, RefusesHeadersThatChangeTheRequest) {
  const TestPeer peer(echo);
  const std::pair<const char*, const char*> rows[] = {{"X-A", "1\r\nX-B: 2"},
                                                      {"X-A", "1\nX-B: 2"},
                                                      {"X-A\r\nX-B", "1"},
                                                      {"X A", "1"},
                                                      {"", "1"},
                                                      {"Host", "evil"},
                                                      {"content-length", "3"},
                                                      {"Transfer-Encoding", "chunked"},
                                                      {"Connection", "close"}};
  for (const auto& [name, value] : rows)
    EXPECT_EQ(code_of(call(JsonObject{{"url", peer.url()}, {"headers", JsonObject{{name, value}}}})),
              "http.header")
        << name;
  EXPECT_EQ(peer.connections(), 0u);
}

TEST_F(HttpRequestTest, HasNoCredentialStore) {
  EXPECT_EQ(code_of(call(JsonObject{{"url", "http://127.0.0.1/"}, {"credential", "crm"}})),
            "credential.unavailable");
}

TEST_F(HttpRequestTest, RefusesCertificatesNobodyVouchesFor) {
  const TestFolder folder;
  const auto key = (folder.path() / "key.pem").string();
  const auto certificate = (folder.path() / "certificate.pem").string();
  const auto make =
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=127.0.0.1 "
      "-addext subjectAltName=IP:127.0.0.1 -keyout " +
      key + " -out " + certificate + " 2>/dev/null";
  if (std::system(make.c_str()) != 0) GTEST_SKIP() << "the openssl tool is missing";
  // It says where it listens, and ends after one connection.
  FILE* server = popen(("exec openssl s_server -accept 127.0.0.1:0 -naccept 1 -www -key " + key + " -cert " +
                        certificate + " 2>&1 </dev/null")
                           .c_str(),
                       "r");
  ASSERT_NE(server, nullptr);
  std::string port;
  for (char line[256]; port.empty() && std::fgets(line, sizeof line, server) != nullptr;) {
    const std::string_view text(line);
    if (text.starts_with("ACCEPT ")) port = text.substr(text.rfind(':') + 1);
  }
  const auto output =
      call(JsonObject{{"url", "https://127.0.0.1:" + std::to_string(std::atoi(port.c_str())) + "/"}});
  EXPECT_EQ(code_of(output), "http.tls");
  EXPECT_FALSE(output.error().retryable);
  pclose(server);
}

class GuardedHttpRequestTest : public HttpRequestTest {
 protected:
  GuardedHttpRequestTest() : HttpRequestTest(false) {}
};

TEST_F(GuardedHttpRequestTest, ReachesNoSpecialAddressHoweverItIsSpelled) {
  const TestPeer peer(echo);
  const auto port = ":" + std::to_string(peer.port()) + "/";
  for (const char* host : {"127.0.0.1",
                           "127.1",
                           "0x7f.1",
                           "0x7f000001",
                           "2130706433",
                           "0177.0.0.1",
                           "localhost",
                           "localhost.",
                           "LOCALHOST",
                           "0.0.0.0",
                           "[::]",
                           "[::1]",
                           "[::ffff:127.0.0.1]",
                           "[::ffff:169.254.169.254]",
                           "[64:ff9b::7f00:1]",
                           "[2002:7f00:1::]",
                           "good.example@127.0.0.1",
                           "169.254.169.254",
                           "10.0.0.1",
                           "\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1"}) {
    const auto code =
        code_of(call(JsonObject{{"url", std::string("http://") + host + port}}, std::chrono::seconds(5)));
    // Not every resolver knows "localhost." or full-width digits; then nothing is reached either.
    const bool may_not_resolve =
        static_cast<unsigned char>(host[0]) > 127 || std::string_view(host) == "localhost.";
    EXPECT_TRUE(code == "http.blocked_address" ||
                (may_not_resolve && (code == "http.dns" || code == "http.url")))
        << host << " " << code;
  }
  EXPECT_EQ(peer.connections(), 0u);
}

TEST_F(GuardedHttpRequestTest, SpeaksOnlyHttp) {
  for (const char* url :
       {"file:///etc/passwd", "FILE:///etc/passwd", "gopher://127.0.0.1/x", "dict://127.0.0.1/",
        "ftp://127.0.0.1/", "ldap://127.0.0.1/", "javascript:alert(1)", "smtp://127.0.0.1/"}) {
    const auto code = code_of(call(JsonObject{{"url", url}}));
    EXPECT_TRUE(code == "http.blocked_scheme" || code == "http.url") << url << " " << code;
  }
  for (const char* url : {"http://", "http:// x/", "http://a\r\nb/", "http://[::1", "http://a:99999/"})
    EXPECT_EQ(code_of(call(JsonObject{{"url", url}})), "http.url") << url;
}

TEST_F(GuardedHttpRequestTest, ReachesWhatTheListNames) {
  const TestPeer peer(answer(reply("200 OK", "ok")));
  const auto port = std::to_string(peer.port());
  network_ = std::make_shared<Network>(AddressGuard(false, {"localhost:" + port}), "");
  const auto handler = make_http_request_handler(network_, clock_);
  EXPECT_TRUE(TestAttempt(*handler, JsonObject{{"url", "http://localhost:" + port}}).wait());
  EXPECT_EQ(code_of(TestAttempt(*handler, JsonObject{{"url", "http://127.0.0.1:" + port}}).wait()),
            "http.blocked_address");
}

}  // namespace
}  // namespace fp::tasks
