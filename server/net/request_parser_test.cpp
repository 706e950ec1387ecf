#include "net/request_parser.hpp"

#include "base/random.hpp"

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <gtest/gtest.h>

#include <vector>

namespace fp::net {
namespace {

using State = RequestParser::State;
const HostNames kHosts("127.0.0.1", {});

Limits small_limits() {
  Limits limits;
  limits.header_bytes = 512;
  limits.headers = 10;
  limits.uri_bytes = 64;
  limits.body_bytes = 100;
  return limits;
}
const Limits kLimits = small_limits();

/// What the parser makes of the bytes when `step` more arrive at a time: the requests, then the refusal.
struct Reading {
  std::vector<Request> requests;
  unsigned refused = 0;
  std::string code;
};

Reading read(std::string_view bytes, std::size_t step) {
  RequestParser parser(kLimits, kHosts);
  Reading reading;
  std::size_t taken = 0;
  for (std::size_t shown = 0; shown < bytes.size() && parser.state() != State::kRefused;) {
    shown = std::min(shown + step, bytes.size());
    while (taken < shown) {
      const auto count = parser.feed(bytes.substr(taken, shown - taken));
      taken += count;
      if (parser.state() == State::kDone) {
        reading.requests.push_back(parser.take());
      } else if (count == 0 || parser.state() == State::kRefused) {
        break;
      }
    }
  }
  if (parser.state() == State::kRefused) {
    reading.refused = parser.refusal().status;
    reading.code = parser.refusal().code;
  }
  return reading;
}

std::string with_lines(const std::string& lines) {
  return "POST /x HTTP/1.1\r\nHost: localhost\r\n" + lines + "\r\n";
}

TEST(RequestParser, ReadsTheSameHoweverTheBytesArrive) {
  const std::string bytes =
      "\r\nPOST /a%20b?c=d HTTP/1.1\r\nHost: LOCALHOST:80\r\nX-Empty:\r\nX-Blanks: \t a b "
      "\t\r\ncontent-length: 5\r\n\r\nhello"
      "GET / HTTP/1.1\r\nHost: [::1]:1\r\n\r\n"
      "PUT /chunked HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: Chunked\r\n\r\n"
      "3;name=\"value\"\r\nabc\r\n00A\r\n0123456789\r\n0\r\nTrailer: read over\r\n\r\n"
      "DELETE http://localhost/last HTTP/1.0\r\nHost: localhost\r\n\r\n";
  for (const std::size_t step : {1u, 2u, 3u, 7u, 50u, 10'000u}) {
    const auto reading = read(bytes, step);
    ASSERT_EQ(reading.requests.size(), 4u) << step;
    EXPECT_EQ(reading.refused, 0u);
    const auto& first = reading.requests[0];
    EXPECT_EQ(first.method, "POST");
    EXPECT_EQ(first.target, "/a%20b?c=d");
    EXPECT_EQ(first.path, "/a b");
    EXPECT_EQ(first.body, "hello");
    const Fields headers{
        {"Host", "LOCALHOST:80"}, {"X-Empty", ""}, {"X-Blanks", "a b"}, {"content-length", "5"}};
    EXPECT_EQ(first.headers, headers);
    EXPECT_EQ(reading.requests[1].body, "");
    EXPECT_EQ(reading.requests[2].body, "abc0123456789");
    EXPECT_EQ(reading.requests[2].headers.size(), 2u) << "a trailer is no header";
    EXPECT_EQ(reading.requests[3].path, "/last");
  }
}

TEST(RequestParser, RefusesWhatBreaksTheProtocol) {
  const std::string chunked = with_lines("Transfer-Encoding: chunked\r\n");
  const struct {
    std::string bytes;
    unsigned status;
    std::string code;
  } rows[] = {
      {with_lines("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"), 400, "request.malformed"},
      {with_lines("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"), 400, "request.malformed"},
      {with_lines("Content-Length: 3\r\nContent-Length: 3\r\n"), 400, "request.malformed"},
      {with_lines("Content-Length: 3, 3\r\n"), 400, "request.malformed"},
      {with_lines("Content-Length: -1\r\n"), 400, "request.malformed"},
      {with_lines("Content-Length: +1\r\n"), 400, "request.malformed"},
      {with_lines("Content-Length: 0x1\r\n"), 400, "request.malformed"},
      {with_lines("Content-Length:\r\n"), 400, "request.malformed"},
      {with_lines("Content-Length: 99999999999999999999\r\n"), 400, "request.malformed"},
      {with_lines("Transfer-Encoding: gzip\r\n"), 400, "request.malformed"},
      {with_lines("Transfer-Encoding: gzip, chunked\r\n"), 400, "request.malformed"},
      {with_lines("Transfer-Encoding: chunked, identity\r\n"), 400, "request.malformed"},
      {with_lines("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400, "request.malformed"},
      {with_lines("Transfer-Encoding: \x0b"
                  "chunked\r\n"),
       400, "request.malformed"},
      {"POST / HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "request.malformed"},
      {with_lines("Connection: clo se\r\n"), 400, "request.malformed"},
      {with_lines("X: a\r\n b\r\n"), 400, "request.malformed"},
      {with_lines("X : a\r\n"), 400, "request.malformed"},
      {with_lines("X\r\n"), 400, "request.malformed"},
      {with_lines(": a\r\n"), 400, "request.malformed"},
      {with_lines("X: a\rb\r\n"), 400, "request.malformed"},
      {with_lines(std::string("X: a\0b\r\n", 8)), 400, "request.malformed"},
      {with_lines("X: a\n"), 400, "request.malformed"},
      {"GET / HTTP/1.1\nHost: localhost\n\n", 400, "request.malformed"},
      {"\n", 400, "request.malformed"},
      {"\r\n\r\nGET / HTTP/1.1\r\n", 400, "request.malformed"},
      {"GET /\r\n\r\n", 400, "request.malformed"},
      {"GET  / HTTP/1.1\r\n\r\n", 400, "request.malformed"},
      {"GET / b HTTP/1.1\r\n\r\n", 400, "request.malformed"},
      {"GET / http/1.1\r\n\r\n", 400, "request.malformed"},
      {"G(T / HTTP/1.1\r\n\r\n", 400, "request.malformed"},
      {"GET /%2f HTTP/1.1\r\n\r\n", 400, "request.malformed"},
      {"GET * HTTP/1.1\r\n\r\n", 400, "request.malformed"},
      {"GET / HTTP/2.0\r\n\r\n", 505, "request.version"},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "request.version"},
      {"TRACE / HTTP/1.1\r\n\r\n", 405, "request.method"},
      {"CONNECT example.org:443 HTTP/1.1\r\n\r\n", 405, "request.method"},
      {"BREW / HTTP/1.1\r\n\r\n", 405, "request.method"},
      {"get / HTTP/1.1\r\n\r\n", 405, "request.method"},
      {"GET / HTTP/1.1\r\n\r\n", 400, "request.host"},
      {"GET / HTTP/1.1\r\nHost:\r\n\r\n", 400, "request.host"},
      {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400, "request.host"},
      {"GET / HTTP/1.1\r\nHost: localhost:x\r\n\r\n", 400, "request.host"},
      {with_lines("host: localhost\r\n"), 400, "request.malformed"},
      {"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421, "request.host"},
      {"GET / HTTP/1.1\r\nHost: localhost.evil.example\r\n\r\n", 421, "request.host"},
      {"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 421, "request.host"},
      {"GET http://user@localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, "request.host"},
      {with_lines("Expect: tea\r\n"), 417, "request.expect"},
      {"GET /" + std::string(64, 'a') + " HTTP/1.1\r\n\r\n", 414, "request.uri_too_long"},
      {"GET /" + std::string(200, 'a'), 414, "request.uri_too_long"},
      {std::string(200, 'A'), 414, "request.uri_too_long"},
      {with_lines("X: " + std::string(600, 'a') + "\r\n"), 431, "request.header_too_large"},
      {"GET / HTTP/1.1\r\nX: " + std::string(600, 'a'), 431, "request.header_too_large"},
      {with_lines("A:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\n"), 431,
       "request.header_too_large"},
      {with_lines("Content-Length: 101\r\n"), 413, "body.too_large"},
      {chunked + "65\r\n", 413, "body.too_large"},
      {chunked + "60\r\n" + std::string(96, 'a') + "\r\n5\r\n", 413, "body.too_large"},
      {chunked + "fffffffffffffff\r\n", 413, "body.too_large"},
      {chunked + "ffffffffffffffffffff\r\n", 400, "request.malformed"},
      {chunked + "-1\r\n", 400, "request.malformed"},
      {chunked + "0x1\r\n", 400, "request.malformed"},
      {chunked + " 1\r\n", 400, "request.malformed"},
      {chunked + "1 \r\n", 400, "request.malformed"},
      {chunked + "g\r\n", 400, "request.malformed"},
      {chunked + "\r\n", 400, "request.malformed"},
      {chunked + "1\na\r\n", 400, "request.malformed"},
      {chunked + "1\r\nab\r\n", 400, "request.malformed"},
      {chunked + "1\r\na\n", 400, "request.malformed"},
      {chunked + "1;" + std::string(300, 'x'), 400, "request.malformed"},
      {chunked + "1;\r\n", 400, "request.malformed"},
      {chunked + "1;a=\r\n", 400, "request.malformed"},
      {chunked + "1;a=\"\r\n", 400, "request.malformed"},
      {chunked + "0\r\nContent-Length: 1\r\n", 400, "request.malformed"},
      {chunked + "0\r\nbad line\r\n", 400, "request.malformed"},
      {chunked + "0\r\nA: " + std::string(9000, 'x'), 400, "request.malformed"},
  };
  for (const auto& row : rows) {
    for (const std::size_t step : {1u, 10'000u}) {
      const auto reading = read(row.bytes, step);
      EXPECT_EQ(reading.refused, row.status) << row.bytes;
      EXPECT_EQ(reading.code, row.code) << row.bytes;
      EXPECT_TRUE(reading.requests.empty()) << row.bytes;
    }
  }
}

TEST(RequestParser, TakesWhatJustFits) {
  EXPECT_EQ(read("GET /" + std::string(63, 'a') + " HTTP/1.1\r\nHost: localhost\r\n\r\n", 1).requests.size(),
            1u);
  EXPECT_EQ(read(with_lines("A:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA:\r\n"), 1).requests.size(),
            1u);
  EXPECT_EQ(read(with_lines("Content-Length: 100\r\n") + std::string(100, 'a'), 9).requests.size(), 1u);
  const std::string field = "X: " + std::string(512 - 17 - 5, 'a') + "\r\n";  // with Host, 512 bytes
  EXPECT_EQ(read(with_lines(field), 1).requests.size(), 1u);
  EXPECT_EQ(read(with_lines("X" + field), 1).refused, 431u);
}

TEST(RequestParser, KnowsWhatTheClientWants) {
  const auto after = [](const std::string& lines) {
    auto parser = std::make_unique<RequestParser>(kLimits, kHosts);
    parser->feed(lines);
    return parser;
  };
  EXPECT_TRUE(after(with_lines(""))->keeps_alive());
  EXPECT_FALSE(after(with_lines("Connection: x, Close\r\n"))->keeps_alive());
  EXPECT_FALSE(after("GET / HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n")->keeps_alive());
  EXPECT_TRUE(after(with_lines("Connection: upgrade\r\nUpgrade: websocket\r\n"))->wants_websocket());
  EXPECT_FALSE(after(with_lines("Upgrade: websocket\r\n"))->wants_websocket());
  EXPECT_FALSE(after(with_lines("Connection: upgrade\r\nUpgrade: h2c\r\n"))->wants_websocket());
  const auto waiting = after(with_lines("Expect: 100-Continue\r\nContent-Length: 3\r\n"));
  EXPECT_TRUE(waiting->take_expectation());
  EXPECT_FALSE(waiting->take_expectation());
  EXPECT_FALSE(after(with_lines("Expect: 100-continue\r\n"))->take_expectation())
      << "there is no body to wait for";
}

/// Boost.Beast as a second opinion: what is taken here, it must take too, and see the same request.
void expect_beast_agrees(std::string_view bytes, const Request& request) {
  namespace http = boost::beast::http;
  http::request_parser<http::string_body> parser;
  parser.eager(true);
  boost::system::error_code error;
  parser.put(boost::asio::buffer(bytes.data(), bytes.size()), error);
  ASSERT_FALSE(error) << error.message() << "\n" << bytes;
  ASSERT_TRUE(parser.is_done()) << bytes;
  const auto& seen = parser.get();
  EXPECT_EQ(std::string(seen.method_string()), request.method) << bytes;
  EXPECT_EQ(std::string(seen.target()), request.target) << bytes;
  EXPECT_EQ(seen.body(), request.body) << bytes;
  EXPECT_EQ(std::string(seen[boost::beast::http::field::host]), *find_field(request.headers, "Host"))
      << bytes;
}

TEST(RequestParser, TakesNoMutatedRequestThatBeastWouldReadDifferently) {
  const std::string seeds[] = {
      with_lines("Content-Length: 5\r\nX-Y: z\r\n") + "hello",
      with_lines("Transfer-Encoding: chunked\r\n") + "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n",
      "GET /a%20b?c=d HTTP/1.1\r\nHost: 127.0.0.1:80\r\nAccept: */*\r\nConnection: close\r\n\r\n",
  };
  const std::string bits[] = {"\r",
                              "\n",
                              "\r\n",
                              " ",
                              "\t",
                              ":",
                              ",",
                              "0",
                              "1",
                              "a",
                              std::string(1, '\0'),
                              "\x80",
                              ";",
                              "%",
                              "Content-Length: 1\r\n",
                              "Transfer-Encoding: chunked\r\n"};
  SeededRng rng(20260601);
  int taken = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = seeds[rng.next() % std::size(seeds)];
    for (auto edits = rng.next() % 3; edits-- > 0;) {
      const auto at = rng.next() % bytes.size();
      if (rng.next() % 2 == 0) bytes.erase(at, 1);
      if (rng.next() % 2 == 0) bytes.insert(at, bits[rng.next() % std::size(bits)]);
    }
    const auto whole = read(bytes, bytes.size());
    const auto slow = read(bytes, 1);
    ASSERT_EQ(whole.requests.size(), slow.requests.size()) << bytes;
    ASSERT_EQ(whole.refused, slow.refused) << bytes;
    if (whole.requests.size() != 1 || whole.refused != 0 || bytes.starts_with("\r\n")) continue;
    if (find_field(whole.requests[0].headers, "Transfer-Encoding") == nullptr ||
        bytes.ends_with("\r\n\r\n")) {
      ++taken;
      expect_beast_agrees(bytes, whole.requests[0]);
    }
  }
  EXPECT_GT(taken, 2'000);
}

}  // namespace
}  // namespace fp::net
