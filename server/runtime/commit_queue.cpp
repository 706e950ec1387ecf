#include "runtime/commit_queue.hpp"

#include "base/error_code.hpp"
#include "base/failpoint.hpp"
#include "base/mutant.hpp"

#include <map>

namespace fp::runtime {

namespace {
/// A transaction longer than this would make its first decisions wait for its last.
constexpr std::size_t kMostWritesInACommit = 1000;
}  // namespace

CommitQueue::CommitQueue(ports::Store& store, ports::Loop& loop, std::function<void(const Error&)> on_failure,
                         OnCommit on_commit)
    : store_(store), loop_(loop), on_failure_(std::move(on_failure)), on_commit_(std::move(on_commit)) {}

void CommitQueue::push(PendingWrite write) {
  bool post = false;
  {
    const std::lock_guard lock(mutex_);
    if (failed_) return;
    waiting_.push_back(std::move(write));
    post = !std::exchange(posted_, true);
  }
  if (post) loop_.post([this] { commit_some(); });
}

std::size_t CommitQueue::depth() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size();
}

void CommitQueue::collect(PendingWrite& pending, ports::Batch& batch) {
  for (auto& version : pending.versions) batch.versions.push_back(std::move(version));
  if (pending.workflow) return batch.workflows.push_back(std::move(*pending.workflow));
  batch.executions.push_back(std::move(pending.write));
  for (auto& birth : pending.births) {
    birth.with_previous = true;
    batch.executions.push_back(std::move(birth));
  }
  for (auto& entry : pending.inbox) batch.inbox.push_back(std::move(entry));
}

void CommitQueue::fail(const Error& error) {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(failed_, true)) return;
    waiting_.clear();
  }
  on_failure_(error);
}

void CommitQueue::commit_some() {
  std::vector<PendingWrite> taken;
  bool more = false;
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() > kMostWritesInACommit) {
      const auto cut = waiting_.begin() + kMostWritesInACommit;
      taken.assign(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(cut));
      waiting_.erase(waiting_.begin(), cut);
      more = true;
    } else {
      taken.swap(waiting_);
      posted_ = false;
    }
  }
  ports::Batch batch;
  batch.fence = fence_;
  std::vector<std::size_t> positions;  // of each decision's own write among the batch's
  for (auto& pending : taken) {
    positions.push_back(pending.workflow ? batch.workflows.size() : batch.executions.size());
    collect(pending, batch);
  }
  std::optional<Error> failure;
  std::vector<ports::WriteOutcome> outcomes;
  try {
    FP_FAILPOINT("accept-before-commit");
    const auto began = std::chrono::steady_clock::now();
    auto committed = store_.commit(batch);
    if (on_commit_) on_commit_(std::chrono::steady_clock::now() - began, taken.size());
    FP_FAILPOINT("commit-before-reply");
    if (committed)
      outcomes = std::move(*committed);
    else
      failure = committed.error();
  } catch (const Unavailable& unavailable) {
    failure = unavailable.error();
  }
  if (failure && FP_MUTANT("goes on after a failed commit")) {
    outcomes.assign(batch.executions.size() + batch.workflows.size(), ports::WriteOutcome::committed);
    failure.reset();
  }
  if (failure) return fail(*failure);
  // One post per loop and commit, not per decision.
  using Reply = std::pair<decltype(PendingWrite::done), std::vector<ports::WriteOutcome>>;
  std::map<ports::Loop*, std::vector<Reply>> replies;
  for (std::size_t i = 0; i < taken.size(); ++i) {
    if (!taken[i].done) continue;
    const auto before = taken[i].workflow ? batch.executions.size() : 0;  // their outcomes come first
    const auto first = outcomes.begin() + static_cast<std::ptrdiff_t>(before + positions[i]);
    replies[taken[i].home].emplace_back(
        std::move(taken[i].done),
        std::vector(first, first + 1 + static_cast<std::ptrdiff_t>(taken[i].births.size())));
  }
  for (auto& [home, list] : replies) {
    home->post([ready = std::move(list)]() mutable {
      for (auto& [done, own] : ready) done(own);
    });
  }
  if (more) loop_.post([this] { commit_some(); });
}

}  // namespace fp::runtime
