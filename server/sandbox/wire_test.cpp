#include "sandbox/wire.hpp"

#include "base/random.hpp"

#include <gtest/gtest.h>

namespace fp::sandbox::wire {
namespace {

std::string example_frame() {
  Evaluate request;
  request.time_ms = 5;
  request.now_ms = -7;
  request.has_items = true;
  request.scope = R"({"input":1})";
  request.roots = {"input"};
  request.expressions = {"input", ""};
  request.items = {"1", "2"};
  return to_frame(42, request);
}

TEST(Wire, ReadsBackWhatItWrote) {
  const std::string bytes = example_frame();
  std::string_view rest(bytes);
  Frame frame;
  ASSERT_EQ(take_frame(rest, kMaxRequestBytes, frame), Scan::kFrame);
  EXPECT_TRUE(rest.empty());
  EXPECT_EQ(frame.id, 42u);
  Evaluate request;
  ASSERT_TRUE(from_body(frame.body, request));
  EXPECT_EQ(request.now_ms, -7);
  EXPECT_EQ(request.expressions, (std::vector<std::string_view>{"input", ""}));
  EXPECT_EQ(request.items.size(), 2u);
}

TEST(Wire, WaitsForTheRestOfAFrame) {
  const std::string bytes = example_frame();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    std::string_view rest = std::string_view(bytes).substr(0, size);
    Frame frame;
    EXPECT_EQ(take_frame(rest, kMaxRequestBytes, frame), Scan::kIncomplete) << size;
  }
}

TEST(Wire, RefusesBodiesThatAreCutOrTooLong) {
  const std::string bytes = example_frame();
  const auto body = std::string_view(bytes).substr(kHeaderBytes);
  Evaluate request;
  for (std::size_t size = 0; size < body.size(); ++size)
    EXPECT_FALSE(from_body(body.substr(0, size), request)) << size;
  EXPECT_FALSE(from_body(std::string(body) + "x", request));
}

TEST(Wire, BelievesNoLengthItWasNotSent) {
  std::string_view huge("\xff\xff\xff\x7f\x02", 5);
  Frame frame;
  EXPECT_EQ(take_frame(huge, kMaxRequestBytes, frame), Scan::kBroken);
  Answer answer;
  EXPECT_FALSE(from_body(std::string_view("\0\xff\xff\xff\xff", 5), answer));
  EXPECT_TRUE(answer.outcomes.empty());
}

TEST(Wire, SurvivesDamage) {
  SeededRng rng(1);
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = example_frame();
    for (int i = 0; i < 3; ++i) bytes[rng.next() % bytes.size()] = static_cast<char>(rng.next());
    std::string_view rest(bytes);
    Frame frame;
    Evaluate request;
    Answer answer;
    if (take_frame(rest, kMaxRequestBytes, frame) != Scan::kFrame) continue;
    (void)from_body(frame.body, request);
    (void)from_body(frame.body, answer);
  }
}

}  // namespace
}  // namespace fp::sandbox::wire
