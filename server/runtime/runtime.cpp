#include "runtime/runtime.hpp"

#include "base/assert.hpp"
#include "base/mutant.hpp"
#include "runtime/inbox_codec.hpp"

#include <fmt/format.h>

namespace fp::runtime {

namespace {
constexpr std::size_t kInboxPage = 1000;
constexpr std::size_t kRecoveryPage = 1000;
}  // namespace

Runtime::Runtime(RuntimePorts ports, RuntimeOptions options)
    : p_(std::move(ports)),
      options_(options),
      catalog_(p_.store, p_.types),
      journal_(p_.store, catalog_, options.snapshot_events),
      commits_(p_.store, p_.commit_loop, p_.on_failure, p_.on_commit) {
  FP_ASSERT(!p_.shard_loops.empty(), "a runtime has at least one shard");
  for (auto* loop : p_.shard_loops) {
    ShardPorts shard{
        p_.store,
        *loop,
        commits_,
        catalog_,
        journal_,
        p_.expressions,
        p_.workers,
        p_.clock,
        p_.observer,
        announced_,
        [this] { wake_inbox(); },
        [this](const ExecutionId& id) { loop_of(id).post([this, id] { shard_of(id).recover(id); }); },
        [this](const ExecutionId& id, TimePoint due) {
          p_.shard_loops.front()->post([this, id, due] { sleepers_->note(id, due); });
        }};
    shards_.push_back(std::make_unique<ExecutionShard>(std::move(shard), options_));
  }
  const auto wake = [this](const ExecutionId& id) {
    loop_of(id).post([this, id] { shard_of(id).recover(id); });
  };
  sleepers_ = std::make_unique<Sleepers>(p_.store, *p_.shard_loops.front(), p_.clock, wake,
                                         [this](const Error& error) { commits_.fail(error); });
}

Runtime::~Runtime() = default;

ExecutionShard& Runtime::shard_of(const ExecutionId& id) {
  return *shards_[std::hash<ExecutionId>{}(id) % shards_.size()];
}
ports::Loop& Runtime::loop_of(const ExecutionId& id) {
  return *p_.shard_loops[std::hash<ExecutionId>{}(id) % shards_.size()];
}

void Runtime::claim(std::string_view owner) {
  commits_.set_fence(p_.store.claim_shard(0, owner));
}

void Runtime::recover(const ExecutionId& id) {
  loop_of(id).post([this, id] { shard_of(id).recover(id); });
  wake_inbox();
}

std::size_t Runtime::recover_all() {
  std::size_t unfinished = 0;
  ports::ExecutionFilter filter;
  filter.unfinished_only = true;
  std::optional<std::uint64_t> before;
  do {
    auto page = p_.store.list_executions(filter, before, kRecoveryPage);
    for (const auto& summary : page.items) {
      ++unfinished;
      // What only waits stays on disk until its time or a signal comes; what is paused until somebody resumes
      // it.
      if (summary.status == "waiting" || summary.status == "paused") continue;
      loop_of(summary.id).post([this, id = summary.id] { shard_of(id).recover(id); });
    }
    before = page.next;
  } while (before);
  if (!FP_MUTANT("inbox forgotten on recovery")) wake_inbox();
  if (!FP_MUTANT("timers forgotten on recovery"))
    p_.shard_loops.front()->post([this] { sleepers_->start(); });
  return unfinished;
}

void Runtime::wake_inbox() {
  {
    const std::lock_guard lock(inbox_mutex_);
    if (std::exchange(inbox_posted_, true)) return;
  }
  p_.shard_loops.front()->post([this] { drain_inbox(); });
}

void Runtime::drain_inbox() {
  {
    const std::lock_guard lock(inbox_mutex_);
    inbox_posted_ = false;
  }
  std::vector<ports::InboxEntry> entries;
  try {
    entries = p_.store.list_inbox(kInboxPage);
  } catch (const Unavailable& failed) {
    return commits_.fail(failed.error());
  }
  for (const auto& entry : entries) {
    if (!inbox_under_way_.insert(entry.number).second) continue;
    auto consumed = [this, number = entry.number](Result<void>) {
      p_.shard_loops.front()->post([this, number] {
        inbox_under_way_.erase(number);
        if (inbox_under_way_.empty()) wake_inbox();  // a page may have been full
      });
    };
    loop_of(entry.execution).post([this, entry, consumed = std::move(consumed)]() mutable {
      shard_of(entry.execution)
          .deliver(entry.execution, decode_input(entry.input), std::move(consumed), entry.number);
    });
  }
}

void Runtime::begin_shutdown() {
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    p_.shard_loops[i]->post([shard = shards_[i].get()] { shard->begin_shutdown(); });
  }
}

void Runtime::count_load(UniqueFunction<void(Load)> reply) {
  auto total = std::make_shared<Load>();
  auto left = std::make_shared<std::size_t>(shards_.size());
  auto shared = std::make_shared<UniqueFunction<void(Load)>>(std::move(reply));
  auto* first = p_.shard_loops.front();
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    p_.shard_loops[i]->post([shard = shards_[i].get(), first, total, left, shared] {
      first->post([load = Load{shard->count_active(), shard->count_running_attempts()}, total, left, shared] {
        total->executions += load.executions;
        total->attempts += load.attempts;
        if (--*left == 0) (*shared)(*total);
      });
    });
  }
}

void Runtime::give_back_attempts() {
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    p_.shard_loops[i]->post([shard = shards_[i].get()] { shard->give_back_attempts(); });
  }
}

void Runtime::start_execution(StartRequest request, StartReply reply) {
  const auto id = request.id;
  loop_of(id).post([this, id, request = std::move(request), reply = std::move(reply)]() mutable {
    shard_of(id).start(std::move(request), std::move(reply));
  });
}

void Runtime::deliver(const ExecutionId& id, engine::Input input, InputReply reply,
                      std::optional<ports::IdempotencyEntry> idempotency) {
  loop_of(id).post([this, id, input = std::move(input), reply = std::move(reply),
                    idempotency = std::move(idempotency)]() mutable {
    shard_of(id).deliver(id, std::move(input), std::move(reply), {}, std::move(idempotency));
  });
}

void Runtime::write_workflow(ports::WorkflowWrite write, std::vector<ports::WorkflowVersion> versions,
                             UniqueFunction<void(ports::WriteOutcome)> reply) {
  PendingWrite pending;
  pending.workflow = std::move(write);
  pending.versions = std::move(versions);
  pending.home = p_.shard_loops.front();
  pending.done = [reply = std::move(reply)](const std::vector<ports::WriteOutcome>& outcomes) mutable {
    reply(outcomes.front());
  };
  commits_.push(std::move(pending));
}

void Runtime::publish(ports::PublishedEvent event, std::optional<ports::IdempotencyEntry> idempotency,
                      UniqueFunction<void(ports::WriteOutcome)> reply) {
  PendingWrite pending;
  pending.write.id = ExecutionId{event.id.bytes};  // of no execution
  pending.write.idempotency = std::move(idempotency);
  pending.write.published.push_back(std::move(event));
  pending.home = p_.shard_loops.front();
  pending.done = [this, reply = std::move(reply)](const std::vector<ports::WriteOutcome>& outcomes) mutable {
    if (p_.observer != nullptr) p_.observer->on_events();
    reply(outcomes.front());
  };
  commits_.push(std::move(pending));
}

void Runtime::watch_end(const ExecutionId& id, EndWatch watch, UniqueFunction<void()> missing) {
  loop_of(id).post([this, id, watch = std::move(watch), missing = std::move(missing)]() mutable {
    shard_of(id).watch_end(id, std::move(watch), std::move(missing));
  });
}

}  // namespace fp::runtime
