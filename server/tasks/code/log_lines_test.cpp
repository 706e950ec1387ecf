#include "tasks/code/log_lines.hpp"

#include <gtest/gtest.h>

namespace fp::tasks {
namespace {

class LogLinesTest : public testing::Test {
 protected:
  std::vector<std::string> taken() {
    lines_.finish(control_);
    std::vector<std::string> out;
    for (auto& line : control_.take_lines()) out.push_back(std::move(line.text));
    return out;
  }
  using Texts = std::vector<std::string>;

  SystemClock clock_;
  ports::AttemptControl control_;
  LogLines lines_{clock_, "info"};
};

TEST_F(LogLinesTest, JoinsWhatComesInPieces) {
  for (const char* piece : {"on", "e\ntw", "o", "\r\n\nthree"}) lines_.add(piece, control_);
  EXPECT_EQ(taken(), (Texts{"one", "two", "three"}));
}

TEST_F(LogLinesTest, CutsALineThatDoesNotEnd) {
  lines_.add(std::string(40u << 10, 'x'), control_);
  const auto texts = taken();
  ASSERT_EQ(texts.size(), 3u);
  EXPECT_EQ(texts[0].size(), 16u << 10);
  EXPECT_EQ(texts[2].size(), 8u << 10);
}

TEST_F(LogLinesTest, ShowsWhatIsNoTextAsOneSign) {
  lines_.add(std::string_view("a\0b\xFF\xC3\x28 \x1B[31m\tz\n", 15), control_);
  EXPECT_EQ(taken(), (Texts{"a\xEF\xBF\xBD"
                            "b\xEF\xBF\xBD\xEF\xBF\xBD( \x1B[31m\tz"}));
}

}  // namespace
}  // namespace fp::tasks
