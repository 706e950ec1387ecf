#include "triggers/event_trigger.hpp"

#include "base/json_parse.hpp"
#include "triggers/poll_trigger.hpp"

#include <gtest/gtest.h>

namespace fp::triggers {
namespace {

TEST(EventTriggerTest, APatternMeansItsNameOrAllThatBeginWithIt) {
  EXPECT_TRUE(matches_event("order.paid", "order.paid"));
  EXPECT_FALSE(matches_event("order.paid", "order.paid.twice"));
  EXPECT_TRUE(matches_event("order.*", "order.paid.twice"));
  EXPECT_FALSE(matches_event("order.*", "order"));
  EXPECT_FALSE(matches_event("order.*", "orders.paid"));
}

TEST(EventTriggerTest, AWorkflowWithInputsGetsTheDataUnlessItSaysOtherwise) {
  const auto document = parse_trusted_json(R"({"inputs": {"type": "object"}, "triggers": [
    {"id": "a", "trigger_type": "event", "trigger_config": {"name": "x"}},
    {"id": "b", "trigger_type": "event", "trigger_config": {"name": "x", "input": "event", "filter": "{{ input.data }}"}},
    {"id": "c", "trigger_type": "event", "trigger_config": {"name": "x"}, "enabled": false},
    {"id": "d", "trigger_type": "webhook", "trigger_config": {}}]})");
  const auto read = read_event_triggers(document);
  ASSERT_EQ(read.size(), 2u);
  EXPECT_TRUE(read[0].gives_data);
  EXPECT_FALSE(read[0].filter);
  EXPECT_FALSE(read[1].gives_data);
  EXPECT_TRUE(read[1].filter);
}

TEST(PollTriggerTest, ASourceIsWhatIsAskedAndNothingElse) {
  const auto read = [](const char* config) {
    return read_poll_trigger("p", "http_poll", parse_trusted_json(config), false);
  };
  const auto one = read(R"({"url": "https://a", "items": "{{ input.data }}", "every_seconds": 30})");
  EXPECT_EQ(one.every, Milliseconds(30'000));
  EXPECT_EQ(one.config.constant(), parse_trusted_json(R"({"url": "https://a"})"));
  const auto other = read(R"({"url": "https://a", "items": "{{ input.data.list }}", "first": "start"})");
  EXPECT_EQ(source_key(one.config.constant()), source_key(other.config.constant()));
  EXPECT_NE(source_key(one.config.constant()),
            source_key(read(R"({"url": "https://b", "items": "{{ input }}"})").config.constant()));
}

}  // namespace
}  // namespace fp::triggers
