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

IdempotencyEntry any_key(std::uint32_t number) {
  return test_key("key" + std::to_string(pick(4)), number, pick(20));
}

std::vector<StoredLogLine> any_lines() {
  std::vector<StoredLogLine> lines;
  for (auto left = 1 + pick(3); left > 0; --left) {
    const auto* level = one_in(2) ? "info" : one_in(2) ? "error" : "debug";
    lines.push_back({0,
                     one_in(2) ? "a" : "b",
                     pick(3),
                     1 + pick(2),
                     {at_ms(pick(9)), level, one_in(2) ? "Line" : "text"}});
  }
  return lines;
}

ExecutionSample any_sample() {
  ExecutionSample sample{one_in(2) ? "a" : "b",
                         kStatuses[3 + pick(3)],
                         at_ms(pick(3) * 3'600'000),
                         Milliseconds(pick(5000)),
                         {}};
  for (auto left = pick(3); left > 0; --left) {
    sample.steps.push_back({one_in(2) ? "x" : "y", one_in(4) ? "skipped" : kStatuses[3 + pick(3)],
                            1 + pick(3), pick(3), Milliseconds(pick(5000)), Milliseconds(pick(50))});
  }
  return sample;
}

WorkflowWrite any_workflow_write(Store& model) {
  const auto number = 1 + pick(3);
  const auto known = model.find_workflow(test_workflow_id(number));
  WorkflowWrite write{known ? *known : test_workflow(number, 0), {}, {}};
  auto& record = write.record;
  record.revision = one_in(6) ? pick(4) : record.revision + 1;
  record.name = one_in(2) ? "a" : "b";
  record.draft_valid = one_in(2);
  record.enabled = !one_in(4);
  if (one_in(3)) record.tags = {one_in(2) ? "t" : "u"};
  if (one_in(6)) record.deleted_at = at_ms(1);
  if (one_in(3)) {
    const auto newest = one_in(5) ? pick(4) : record.newest_version + 1;
    write.published =
        PublishedVersion{record.id, newest, "hash" + std::to_string(pick(5)), "me", "", at_ms(pick(9))};
    record.version = record.newest_version = newest;
    record.version_hash = write.published->hash;
  }
  if (one_in(4)) write.idempotency = any_key(number);
  return write;
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
    if (one_in(3)) write.summary->labels = JsonObject{{"n", pick(3)}, {"team", one_in(2) ? "crm" : "x"}};
    if (one_in(3)) write.summary->workflow = test_workflow_id(1 + pick(2));
    if (one_in(3)) write.summary->keep_until = at_ms(pick(20));
    if (one_in(4)) write.summary->parent = test_id(1 + pick(3));
    if (one_in(4)) write.summary->retry_of = test_id(1 + pick(3));
    if (one_in(3)) write.summary->trigger = "webhook";
    if (one_in(3)) write.summary->error_message = "It Failed";
    write.summary->started_at = at_ms(pick(20));
  }
  if (one_in(2)) {
    write.wake_changed = true;
    if (!one_in(3)) write.wake_after = at_ms(pick(10));
  }
  if (write.row && one_in(5)) {
    write.snapshot = Snapshot{write.row->first_seq + write.row->count - 1, "{\"s\":1}", write.row->chain};
  }
  if (one_in(4)) write.idempotency = any_key(number);
  if (one_in(3)) {
    write.log_lines = any_lines();
    write.log_after_seq = next - 1;
  }
  if (one_in(3)) write.sample = any_sample();
  if (one_in(4)) write.consumed_inbox = {1 + pick(5)};
  return write;
}

Batch any_batch(Store& model) {
  Batch batch;
  const auto writes = pick(5);
  for (std::uint32_t i = 0; i < writes; ++i) batch.executions.push_back(any_write(model));
  if (one_in(3)) batch.inbox.push_back({0, test_id(1 + pick(kExecutions)), "{}", at_ms(pick(9))});
  for (auto left = one_in(2) ? pick(3) : 0; left > 0; --left)
    batch.workflows.push_back(any_workflow_write(model));
  if (one_in(3)) {
    const auto n = std::to_string(pick(5));
    batch.versions.push_back({"hash" + n, one_in(2) ? "a" : "b", "{" + n + "}", at_ms(pick(3))});
  }
  return batch;
}

/// Cursors are each engine's own: the pages are compared, not the cursors.
void expect_same_lists(Store& a, Store& b, const ExecutionFilter& filter) {
  std::optional<std::uint64_t> before_a;
  std::optional<std::uint64_t> before_b;
  do {
    const auto from_a = a.list_executions(filter, before_a, 2);
    const auto from_b = b.list_executions(filter, before_b, 2);
    RC_ASSERT(from_a.items == from_b.items);
    RC_ASSERT(from_a.next.has_value() == from_b.next.has_value());
    before_a = from_a.next;
    before_b = from_b.next;
  } while (before_a);
  for (const std::uint64_t most : {1U, 100U}) {
    const auto from_a = a.count_executions(filter, most);
    const auto from_b = b.count_executions(filter, most);
    RC_ASSERT(from_a.count == from_b.count);
    RC_ASSERT(from_a.is_exact == from_b.is_exact);
  }
}

ExecutionFilter any_filter() {
  ExecutionFilter filter;
  for (auto left = one_in(2) ? pick(4) : 0; left > 0; --left) filter.status.push_back(kStatuses[pick(6)]);
  if (one_in(3)) filter.workflow = one_in(2) ? "a" : to_string(test_workflow_id(1 + pick(2)));
  if (one_in(4)) filter.trigger = one_in(2) ? "manual" : "webhook";
  if (one_in(4)) filter.label = one_in(3) ? "team" : one_in(2) ? "team=crm" : "n=1";
  if (one_in(4)) filter.search = one_in(3) ? "failed" : one_in(2) ? "CRM" : "00003";
  if (one_in(4)) filter.since = at_ms(pick(20));
  if (one_in(4)) filter.until = at_ms(pick(20));
  if (one_in(4)) filter.parent = test_id(1 + pick(3));
  if (one_in(4)) filter.retry_of = test_id(1 + pick(3));
  filter.unfinished_only = one_in(3);
  return filter;
}

void expect_same_lists(Store& a, Store& b) {
  expect_same_lists(a, b, {});
  expect_same_lists(a, b, {.unfinished_only = true});
  for (int i = 0; i < 20; ++i) expect_same_lists(a, b, any_filter());
  RC_ASSERT(a.count_by_status() == b.count_by_status());
}

void expect_same_workflows(Store& a, Store& b) {
  for (std::uint32_t number = 1; number <= 3; ++number) {
    const auto id = test_workflow_id(number);
    RC_ASSERT(a.find_workflow(id) == b.find_workflow(id));
    RC_ASSERT(a.list_published(id, std::nullopt, 2) == b.list_published(id, std::nullopt, 2));
    RC_ASSERT(a.list_published(id, 2, 9) == b.list_published(id, 2, 9));
    RC_ASSERT(a.find_published(id, 1) == b.find_published(id, 1));
  }
  for (const auto& filter : std::vector<WorkflowFilter>{{},
                                                        {.search = "A"},
                                                        {.tag = "t"},
                                                        {.status = "published"},
                                                        {.search = "b", .status = "draft"},
                                                        {.status = "disabled"}}) {
    const auto from_a = a.list_workflows(filter, std::nullopt, 1);
    const auto from_b = b.list_workflows(filter, std::nullopt, 1);
    RC_ASSERT(from_a.items == from_b.items);
    RC_ASSERT(from_a.next == from_b.next);
    RC_ASSERT(from_a.count == from_b.count);
    if (from_a.next)
      RC_ASSERT(a.list_workflows(filter, from_a.next, 9).items ==
                b.list_workflows(filter, from_a.next, 9).items);
  }
}

void expect_same_names(Store& a, Store& b) {
  for (const auto& name :
       {std::string("a"), std::string("b"), to_string(test_workflow_id(1)), to_string(test_workflow_id(2))}) {
    const auto from_a = a.find_version_by_name(name);
    const auto from_b = b.find_version_by_name(name);
    RC_ASSERT(from_a.has_value() == from_b.has_value());
    if (!from_a) continue;
    RC_ASSERT(from_a->version == from_b->version);
    RC_ASSERT(from_a->workflow == from_b->workflow);
    RC_ASSERT(from_a->number == from_b->number);
  }
}

void expect_same_logs(Store& a, Store& b, const ExecutionId& id) {
  for (const auto& filter : std::vector<LogFilter>{{},
                                                   {.step = "a", .after = 1},
                                                   {.index = 1, .attempt = 2},
                                                   {.lowest_level = "info", .newest = true},
                                                   {.search = "LINE", .after = 2, .newest = true}}) {
    for (const std::size_t limit : {0, 2, 100}) {
      const auto from_a = a.list_log(id, filter, limit);
      const auto from_b = b.list_log(id, filter, limit);
      RC_ASSERT(from_a.lines == from_b.lines);
      RC_ASSERT(from_a.more == from_b.more);
    }
  }
  RC_ASSERT(a.list_log_batches(id, 0, 100) == b.list_log_batches(id, 0, 100));
  RC_ASSERT(a.list_log_batches(id, 1, 1) == b.list_log_batches(id, 1, 1));
}

void expect_same_rollups(Store& a, Store& b) {
  for (const char* workflow : {"", "a"}) {
    for (const bool with_steps : {false, true}) {
      for (const int hours : {1, 9}) {
        const RollupFilter filter{workflow, with_steps, at_ms(-3'600'000), at_ms(hours * 3'600'000)};
        RC_ASSERT(a.list_rollups(filter) == b.list_rollups(filter));
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
    RC_ASSERT(from_a->log_batches == from_b->log_batches);
  }
  for (std::uint64_t after = 0; after < 4; ++after) {
    for (const std::size_t limit : {0, 1, 3})
      RC_ASSERT(a.load_journal(id, after, limit) == b.load_journal(id, after, limit));
  }
  RC_ASSERT(a.find_execution(id) == b.find_execution(id));
  expect_same_logs(a, b, id);
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
  expect_same_names(a, b);
  expect_same_workflows(a, b);
  expect_same_rollups(a, b);
}

std::size_t prune_all(Store& store, TimePoint now, TimePoint ended_before, TimePoint keys_before,
                      std::size_t limit) {
  std::size_t count = 0;
  for (bool more = true; more;) {
    const auto part = store.prune(now, ended_before, keys_before, limit);
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
        const auto now = at_ms(pick(20));
        const auto limit = 1 + pick(3);
        RC_ASSERT(prune_all(*memory, now, ended, keys, limit) ==
                  prune_all(sqlite.store(), now, ended, keys, limit));
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
