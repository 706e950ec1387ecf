#include "ports/store_samples.hpp"
#include "store/memory/memory_store.hpp"
#include "store/sqlite/sqlite_engine_test.hpp"

#include <gtest/gtest.h>

#include <rapidcheck.h>

// The memory engine stands in for the real one in every simulation, so the two must answer alike.
namespace fp::store {
namespace {

using namespace fp::ports;

constexpr std::uint32_t kExecutions = 6;
const std::vector<std::string> kStatuses = {"running",   "waiting", "paused",
                                            "completed", "failed",  "cancelled"};

std::uint32_t pick(std::uint32_t below) {
  return *rc::gen::inRange<std::uint32_t>(0, below);
}
bool one_in(std::uint32_t n) {
  return pick(n) == 0;
}

ExecutionWrite any_write(Store& model) {
  ExecutionWrite write;
  const auto number = 1 + pick(kExecutions);
  write.id = test_id(number);
  const auto known = model.load_execution(write.id, true);
  const auto next =
      known && !known->rows.empty() ? known->rows.back().first_seq + known->rows.back().count : 1;
  if (!one_in(5)) write.row = test_row(one_in(8) ? 1 + pick(9) : next, 1 + pick(3));
  if (!known || one_in(3)) {
    write.summary = test_summary(number, kStatuses[pick(6)]);
    write.summary->workflow_name = one_in(2) ? "a" : "b";
    if (write.summary->completed_at) write.summary->completed_at = at_ms(pick(20));
    write.summary->round = pick(3);
    if (one_in(3)) write.summary->labels = JsonObject{{"n", pick(3)}};
  }
  if (one_in(2)) {
    write.wake_changed = true;
    if (!one_in(3)) write.wake_after = at_ms(pick(10));
  }
  if (write.row && one_in(5)) {
    write.snapshot = Snapshot{write.row->first_seq + write.row->count - 1, "{\"s\":1}", write.row->chain};
  }
  if (one_in(4)) {
    const auto key = pick(4);
    write.idempotency =
        IdempotencyEntry{"key" + std::to_string(key), hash_256("r"), write.id, at_ms(pick(20))};
  }
  if (one_in(4)) write.log_lines.assign(1 + pick(3), {"step", pick(3), 1, {at_ms(pick(9)), "info", "line"}});
  if (one_in(4)) write.consumed_inbox = {1 + pick(5)};
  return write;
}

Batch any_batch(Store& model) {
  Batch batch;
  const auto writes = pick(5);
  for (std::uint32_t i = 0; i < writes; ++i) batch.executions.push_back(any_write(model));
  if (one_in(3)) batch.inbox.push_back({0, test_id(1 + pick(kExecutions)), "{}", at_ms(pick(9))});
  if (one_in(3)) {
    const auto n = std::to_string(pick(5));
    batch.versions.push_back({"hash" + n, one_in(2) ? "a" : "b", "{" + n + "}", at_ms(pick(3))});
  }
  return batch;
}

void expect_same_lists(Store& a, Store& b) {
  for (const bool unfinished : {false, true}) {
    for (const auto& name : std::vector<std::optional<std::string>>{std::nullopt, "a"}) {
      for (const auto& status :
           std::vector<std::optional<std::string>>{std::nullopt, "running", "completed", "failed"}) {
        const ExecutionFilter filter{status, name, unfinished};
        const auto from_a = a.list_executions(filter, std::nullopt, 2);
        const auto from_b = b.list_executions(filter, std::nullopt, 2);
        RC_ASSERT(from_a.items == from_b.items);
        RC_ASSERT(from_a.next == from_b.next);
        if (from_a.next) {
          RC_ASSERT(a.list_executions(filter, from_a.next, 9).items ==
                    b.list_executions(filter, from_a.next, 9).items);
        }
      }
    }
  }
}

void expect_same_execution(Store& a, Store& b, const ExecutionId& id) {
  for (const bool whole : {false, true}) {
    const auto from_a = a.load_execution(id, whole);
    const auto from_b = b.load_execution(id, whole);
    RC_ASSERT(from_a.has_value() == from_b.has_value());
    if (!from_a) continue;
    RC_ASSERT(from_a->summary == from_b->summary);
    RC_ASSERT(from_a->snapshot == from_b->snapshot);
    RC_ASSERT(from_a->rows == from_b->rows);
    RC_ASSERT(from_a->wake == from_b->wake);
  }
  RC_ASSERT(a.find_execution(id) == b.find_execution(id));
  RC_ASSERT(a.list_log(id, 0, 100) == b.list_log(id, 0, 100));
  RC_ASSERT(a.list_log(id, 2, 2) == b.list_log(id, 2, 2));
}

void expect_same_answers(Store& a, Store& b) {
  for (std::uint32_t number = 1; number <= kExecutions; ++number)
    expect_same_execution(a, b, test_id(number));
  expect_same_lists(a, b);
  for (int ms = 0; ms < 10; ms += 3) {
    RC_ASSERT(a.list_due(at_ms(ms), 3) == b.list_due(at_ms(ms), 3));
    RC_ASSERT(a.find_next_due(at_ms(ms)) == b.find_next_due(at_ms(ms)));
  }
  RC_ASSERT(a.list_inbox(10) == b.list_inbox(10));
  for (int n = 0; n < 5; ++n) {
    RC_ASSERT(a.find_idempotency("key" + std::to_string(n)) == b.find_idempotency("key" + std::to_string(n)));
    RC_ASSERT(a.find_version("hash" + std::to_string(n)) == b.find_version("hash" + std::to_string(n)));
  }
  for (const char* name : {"a", "b"}) RC_ASSERT(a.find_version_by_name(name) == b.find_version_by_name(name));
}

std::size_t prune_all(Store& store, TimePoint ended_before, TimePoint keys_before, std::size_t limit) {
  std::size_t count = 0;
  for (bool more = true; more;) {
    const auto part = store.prune(ended_before, keys_before, limit);
    count += part.executions;
    more = part.more;
  }
  return count;
}

TEST(StoreEquivalence, MemoryAndSqliteGiveTheSameAnswersWhateverHappens) {
  const bool holds = rc::check([] {
    const auto disk = std::make_shared<MemoryDisk>();
    auto memory = std::make_unique<MemoryStore>(disk);
    SqliteEngine sqlite;
    Fence fence;
    const auto steps = 1 + pick(25);
    for (std::uint32_t step = 0; step < steps; ++step) {
      if (one_in(12)) {
        sqlite.reopen();
        memory = std::make_unique<MemoryStore>(disk);
      }
      if (one_in(12)) {
        fence = memory->claim_shard(0, "owner");
        RC_ASSERT(sqlite.store().claim_shard(0, "owner") == fence);
      }
      if (one_in(8)) {
        const auto ended = at_ms(pick(20));
        const auto keys = at_ms(pick(20));
        const auto limit = 1 + pick(3);
        RC_ASSERT(prune_all(*memory, ended, keys, limit) == prune_all(sqlite.store(), ended, keys, limit));
      }
      auto batch = any_batch(*memory);
      batch.fence = fence;
      if (one_in(15)) batch.fence.epoch += 1;
      const auto from_memory = memory->commit(batch);
      const auto from_sqlite = sqlite.store().commit(batch);
      RC_ASSERT(from_memory.has_value() == from_sqlite.has_value());
      if (from_memory) RC_ASSERT(*from_memory == *from_sqlite);
    }
    expect_same_answers(*memory, sqlite.store());
    RC_ASSERT(sqlite.store().check_integrity().empty());
  });
  EXPECT_TRUE(holds);
}

}  // namespace
}  // namespace fp::store
