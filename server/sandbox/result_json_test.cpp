#include "sandbox/result_json.hpp"

#include "base/random.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <charconv>
#include <cmath>

namespace fp::sandbox {
namespace {

TEST(ParseResult, KeepsEveryBitOfANumber) {
  SeededRng rng(3);
  for (int i = 0; i < 20'000; ++i) {
    const auto number = std::bit_cast<double>(rng.next());
    if (!std::isfinite(number)) continue;
    char text[64];
    const auto end = std::to_chars(text, text + sizeof text, number, std::chars_format::scientific).ptr;
    const auto parsed = parse_result(std::string_view(text, static_cast<std::size_t>(end - text)));
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->to_number<double>(), number);
  }
}

TEST(ParseResult, ReadsWholeNumbersOfAnySize) {
  EXPECT_EQ(parse_result("9007199254740991")->as_int64(), 9007199254740991);
  EXPECT_EQ(parse_result("123456789012345680000")->as_double(), 123456789012345680000.0);
}

TEST(ParseResult, RefusesDepthAndWhatIsNoJson) {
  EXPECT_EQ(parse_result(std::string(65, '[') + std::string(65, ']')).error().code, "expr.result");
  for (const char* text : {"", "{", "1 2", "nul", "\"\xff\""})
    EXPECT_EQ(parse_result(text).error().code, "expr.crashed") << text;
}

}  // namespace
}  // namespace fp::sandbox
