#pragma once

#include "ports/store_samples.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

/// How every storage engine keeps events and those who wait for them.
namespace fp::ports {

inline PublishedEvent test_event(std::uint32_t number, std::string name, std::string key = "") {
  PublishedEvent event;
  event.number = number;
  event.id = EventId{test_id(number).bytes};
  event.name = std::move(name);
  event.key = std::move(key);
  event.data = R"({"n":1})";
  event.source = R"({"type":"api"})";
  event.root = event.id;
  event.depth = number;
  event.at = at_ms(number);
  return event;
}

template <class Engine>
class StoreEventsContract : public StoreFixture<Engine> {
 protected:
  EventStore& events() { return this->store().events(); }
  WriteOutcome publish(PublishedEvent event, std::optional<IdempotencyEntry> key = {}) {
    ExecutionWrite write;
    write.id = ExecutionId{event.id.bytes};
    write.idempotency = std::move(key);
    write.published.push_back(std::move(event));
    return this->commit_one(std::move(write));
  }
  static std::string numbers(const std::vector<PublishedEvent>& events) {
    std::string out;
    for (const auto& event : events) out += std::to_string(event.depth) + " ";
    return out;
  }
  static std::string tasks(const std::vector<EventWait>& waits) {
    std::string out;
    for (const auto& wait : waits) out += std::to_string(test_number(wait.execution.bytes)) + wait.task + " ";
    return out;
  }
};
TYPED_TEST_SUITE_P(StoreEventsContract);

TYPED_TEST_P(StoreEventsContract, AnEventIsKeptOnceAndFoundByNameAndKey) {
  for (const auto& event : {test_event(1, "a", "x"), test_event(2, "a", "y"), test_event(3, "b", "x"),
                            test_event(4, "a", "x"), test_event(2, "c")})
    EXPECT_EQ(this->publish(event), WriteOutcome::committed);
  this->engine_.reopen();
  const auto list = [&](EventFilter filter, std::size_t limit = 9) {
    return this->numbers(this->events().list(filter, std::nullopt, limit).items);
  };
  EXPECT_EQ(list({}), "4 3 2 1 ");
  EXPECT_EQ(list({"a", ""}), "4 2 1 ");
  EXPECT_EQ(list({"a", "x"}), "4 1 ");
  EXPECT_EQ(list({"c", ""}), "") << "an id that was there before is the same event";
  const auto page = this->events().list({}, std::nullopt, 3);
  ASSERT_TRUE(page.next);
  EXPECT_EQ(this->numbers(this->events().list({}, page.next, 3).items), "1 ");
  EXPECT_FALSE(this->events().list({}, std::nullopt, 4).next);
  EXPECT_EQ(this->events().find(test_event(2, "").id), test_event(2, "a", "y"));
  EXPECT_FALSE(this->events().find(test_event(9, "").id));
}

TYPED_TEST_P(StoreEventsContract, ADecisionThatIsNotRecordedPublishesNothing) {
  this->commit_one(start_write(1));
  auto late = row_write(1, 7);
  late.published.push_back(test_event(1, "a"));
  late.waits_begun.push_back({test_id(1), "0", "a", "", at_ms(1), 0});
  EXPECT_EQ(this->commit_one(late), WriteOutcome::conflict);
  EXPECT_EQ(this->publish(test_event(2, "a"), test_key("k", 2)), WriteOutcome::committed);
  EXPECT_EQ(this->publish(test_event(3, "a"), test_key("k", 3)), WriteOutcome::duplicate_key);
  EXPECT_EQ(this->numbers(this->events().list_unhandled(9)), "2 ");
  EXPECT_EQ(this->tasks(this->events().list_waits("a", "", 9)), "");
}

TYPED_TEST_P(StoreEventsContract, AnEventIsHandedOutUntilItIsSettled) {
  for (std::uint32_t i = 1; i <= 3; ++i) this->publish(test_event(i, "a"));
  EXPECT_EQ(this->numbers(this->events().list_unhandled(2)), "1 2 ");
  auto handled = this->events().list_unhandled(9);
  handled.erase(handled.begin());
  for (auto& event : handled) {
    event.handled_at = at_ms(50);
    event.started = 4;
    event.outcome = "[1]";
    event.root = EventId{};  // what it is does not change
  }
  this->events().settle({handled, {}, {{0, test_id(7), "news", at_ms(51)}}});
  this->engine_.reopen();
  EXPECT_EQ(this->numbers(this->events().list_unhandled(9)), "1 ");
  const auto second = this->events().find(test_event(2, "").id);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->handled_at, at_ms(50));
  EXPECT_EQ(second->outcome, "[1]");
  EXPECT_EQ(this->events().count_started(test_event(2, "").id), 4U);
  EXPECT_EQ(this->events().count_started(EventId{}), 0U);
  const auto inbox = this->store().list_inbox(9);
  ASSERT_EQ(inbox.size(), 1U);
  EXPECT_EQ(inbox[0].input, "news");
}

TYPED_TEST_P(StoreEventsContract, AWaitIsFoundByWhatEndsItAndLooksBackOnce) {
  this->commit_one(start_write(1));
  this->commit_one(start_write(2));
  auto write = row_write(1, 2);
  write.waits_begun = {{test_id(1), "0", "a", "x", at_ms(2), 1}, {test_id(1), "1/4", "a", "", at_ms(3), 0}};
  this->commit_one(write);
  auto other = row_write(2, 2);
  other.waits_begun = {{test_id(2), "0", "b", "x", at_ms(2), 0}};
  this->commit_one(other);
  this->engine_.reopen();
  EXPECT_EQ(this->tasks(this->events().list_waits("a", "x", 9)), "10 11/4 ");
  EXPECT_EQ(this->tasks(this->events().list_waits("a", "y", 9)), "11/4 ");
  EXPECT_EQ(this->tasks(this->events().list_waits("a", "x", 1)), "10 ");
  auto fresh = this->events().list_new_waits(9);
  EXPECT_EQ(fresh.size(), 3U);
  EXPECT_EQ(this->events().list_waits("a", "x", 1), std::vector{write.waits_begun[0]});
  this->events().settle({{}, write.waits_begun, {}});
  EXPECT_EQ(this->tasks(this->events().list_new_waits(9)), "20 ");
  auto end = row_write(1, 3);
  end.waits_ended = {"0"};
  this->commit_one(end);
  EXPECT_EQ(this->tasks(this->events().list_waits("a", "x", 9)), "11/4 ");
  for (std::uint32_t i = 1; i <= 5; ++i) this->publish(test_event(i, "a", i % 2 ? "x" : "y"));
  EXPECT_EQ(this->numbers(this->events().list_for({test_id(1), "0", "a", "x", at_ms(2), 0}, 9)), "3 5 ");
  EXPECT_EQ(this->numbers(this->events().list_for({test_id(1), "0", "a", "", at_ms(2), 0}, 3)), "2 3 4 ");
}

TYPED_TEST_P(StoreEventsContract, OldHandledEventsAndWaitsOfPrunedExecutionsGo) {
  auto write = start_write(1, "completed");
  write.waits_begun = {{test_id(1), "0", "a", "", at_ms(2), 0}};
  this->commit_one(write);
  for (std::uint32_t i = 1; i <= 3; ++i) this->publish(test_event(i, "a"));
  auto handled = this->events().list_unhandled(2);
  for (auto& event : handled) event.handled_at = at_ms(9);
  this->events().settle({handled, {}, {}});
  this->prune_all(at_ms(2), at_ms(2));
  EXPECT_EQ(this->numbers(this->events().list({}, std::nullopt, 9).items), "3 2 ");
  EXPECT_EQ(this->tasks(this->events().list_waits("a", "", 9)), "");
  this->prune_all(at_ms(2), at_ms(99));
  EXPECT_EQ(this->numbers(this->events().list({}, std::nullopt, 9).items), "3 ") << "nobody has had it";
}

REGISTER_TYPED_TEST_SUITE_P(StoreEventsContract, AnEventIsKeptOnceAndFoundByNameAndKey,
                            ADecisionThatIsNotRecordedPublishesNothing, AnEventIsHandedOutUntilItIsSettled,
                            AWaitIsFoundByWhatEndsItAndLooksBackOnce,
                            OldHandledEventsAndWaitsOfPrunedExecutionsGo);

}  // namespace fp::ports
