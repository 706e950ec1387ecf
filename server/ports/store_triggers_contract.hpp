#pragma once

#include "ports/store_samples.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

/// How every storage engine keeps what triggers leave behind.
namespace fp::ports {

template <class Engine>
class StoreTriggersContract : public StoreFixture<Engine> {};
TYPED_TEST_SUITE_P(StoreTriggersContract);

TYPED_TEST_P(StoreTriggersContract, ATickThatStartedNothingCanBeTakenOverOnce) {
  WorkflowId workflow;
  workflow.bytes[0] = 1;
  const auto tick = [&](std::int64_t at, const char* outcome) {
    return TickRecord{workflow, "nightly", at_ms(at), outcome, "", std::nullopt, at_ms(at + 5)};
  };
  this->store().put_ticks({tick(10, "missed"), tick(20, "skipped")});
  const auto start = [&](std::uint32_t number, std::int64_t at, bool takes_over) {
    auto write = start_write(number);
    write.tick = tick(at, "backfilled");
    write.tick->execution = write.id;
    write.tick->takes_over = takes_over;
    return this->commit_one(write);
  };
  EXPECT_EQ(start(1, 10, false), WriteOutcome::duplicate_key);
  EXPECT_EQ(start(1, 10, true), WriteOutcome::committed);
  EXPECT_EQ(start(2, 10, true), WriteOutcome::duplicate_key);
  EXPECT_EQ(start(2, 15, true), WriteOutcome::committed);
  this->engine_.reopen();
  std::vector<std::string> outcomes;
  for (const auto& one : this->store().list_ticks(workflow, "nightly", at_ms(99), 9)) {
    outcomes.push_back(one.outcome);
    EXPECT_FALSE(one.takes_over);
  }
  EXPECT_EQ(outcomes, (std::vector<std::string>{"skipped", "backfilled", "backfilled"}));
}

TYPED_TEST_P(StoreTriggersContract, KeepsTheNewestRequestsOfEachWebhook) {
  WorkflowId workflow;
  workflow.bytes[0] = 1;
  const auto request = [&](std::uint64_t number, const char* trigger) {
    return HookRequestRecord{number, workflow, trigger, at_ms(static_cast<std::int64_t>(number)), "{}"};
  };
  EXPECT_EQ(this->store().last_hook_request(), 0u);
  this->store().put_hook_requests({request(1, "a"), request(2, "b"), request(3, "a")}, 2);
  this->store().put_hook_requests({request(4, "a")}, 2);
  this->engine_.reopen();
  EXPECT_EQ(this->store().list_hook_requests(workflow, "a", 9),
            (std::vector<HookRequestRecord>{request(4, "a"), request(3, "a")}));
  EXPECT_EQ(this->store().list_hook_requests(workflow, "a", 1),
            (std::vector<HookRequestRecord>{request(4, "a")}));
  EXPECT_EQ(this->store().last_hook_request(), 4u);
  this->store().prune(at_ms(100), at_ms(4), at_ms(0), 10);
  EXPECT_EQ(this->store().list_hook_requests(workflow, "a", 9),
            (std::vector<HookRequestRecord>{request(4, "a")}));
  EXPECT_EQ(this->store().list_hook_requests(workflow, "b", 9), (std::vector<HookRequestRecord>{}));
}

TYPED_TEST_P(StoreTriggersContract, RemembersWhatWasSaidLastAboutASchedule) {
  ScheduleState state;
  state.workflow.bytes[0] = 1;
  state.trigger = "nightly";
  state.is_paused = true;
  state.note = "the shop is closed";
  state.changed_by = "ada";
  state.changed_at = at_ms(5);
  auto other = state;
  other.trigger = "often";
  this->store().put_schedule_state(other);
  this->store().put_schedule_state(state);
  state.is_paused = false;
  state.execution = test_id(3);
  this->store().put_schedule_state(state);
  this->engine_.reopen();
  EXPECT_EQ(this->store().list_schedule_states(), (std::vector<ScheduleState>{state, other}));
}

REGISTER_TYPED_TEST_SUITE_P(StoreTriggersContract, ATickThatStartedNothingCanBeTakenOverOnce,
                            KeepsTheNewestRequestsOfEachWebhook, RemembersWhatWasSaidLastAboutASchedule);

}  // namespace fp::ports
