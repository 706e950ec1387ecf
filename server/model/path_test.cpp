#include "model/path.hpp"

#include "base/json_parse.hpp"

#include <gtest/gtest.h>

namespace fp::model {
namespace {

TEST(Path, IsReadAndWrittenTheSameWay) {
  for (const char* text :
       {"input", "input.a.b", "steps.crm.output.items[0].sku", "input[\"a b\"].c", "item[12]"}) {
    const auto path = parse_path(text);
    ASSERT_TRUE(path) << text;
    EXPECT_EQ(to_string(*path), text);
  }
  for (const char* text :
       {"", "1a", "a.", "a..b", "a[", "a[01]", "a[-1]", "a.b()", "a b", "a?.b", "a['x\\'y']", "\xC3\xA4"}) {
    EXPECT_FALSE(parse_path(text)) << text;
  }
}

TEST(Walk, GivesTheValueOrNamesWhatIsThere) {
  const auto root =
      *parse_json(R"({"crm":{"output":{"status_code":200,"data":["a","b"]}},"text":"h\u00e9"})");
  Json scratch;
  const auto read = [&](const char* text) { return walk(root, *parse_path(text), 1, scratch); };
  EXPECT_EQ(**read("steps.crm.output.data[1]"), Json("b"));
  EXPECT_EQ(**read("steps.crm.output.data.length"), Json(2));
  EXPECT_EQ(**read("steps.text.length"), Json(2));
  EXPECT_EQ(read("steps.crm.output.dta").error().message,
            "`steps.crm.output.dta` is undefined: `output` has `status_code`, `data`");
  EXPECT_EQ(read("steps.crm.output.data[5]").error().message,
            "`steps.crm.output.data[5]` is undefined: `data` is a list of 2");
  EXPECT_EQ(read("steps.crm.output.status_code.x").error().message,
            "`steps.crm.output.status_code.x` is undefined: `status_code` is a number");
}

}  // namespace
}  // namespace fp::model
