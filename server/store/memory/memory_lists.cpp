#include "store/filter_rules.hpp"
#include "store/memory/memory_store.hpp"

#include <algorithm>
#include <iterator>

// The verbs of MemoryStore that list, count and look things up by something else than their id.
namespace fp::store {

using namespace fp::ports;

namespace {

std::optional<NamedVersion> named_version(const MemoryState& state, const WorkflowRecord& record) {
  if (record.version == 0) {
    if (!record.draft_valid) return std::nullopt;
    const WorkflowVersion draft{record.draft_hash, record.name, record.draft, record.updated_at};
    return NamedVersion{draft, record.id, 0};
  }
  const auto found = state.versions.find(record.version_hash);
  if (found == state.versions.end()) return std::nullopt;
  return NamedVersion{found->second, record.id, record.version};
}

std::optional<NamedVersion> find_by_id(const MemoryState& state, std::string_view name) {
  const auto id = parse_uuid<WorkflowId>(name);
  if (!id) return std::nullopt;
  const auto found = state.workflows.find(*id);
  if (found == state.workflows.end() || found->second.deleted_at) return std::nullopt;
  return named_version(state, found->second);
}

std::optional<NamedVersion> find_by_workflow_name(const MemoryState& state, std::string_view name) {
  for (auto at = state.workflows.rbegin(); at != state.workflows.rend(); ++at) {
    const auto& record = at->second;
    if (record.name != name || !record.enabled || record.deleted_at) continue;
    if (auto found = named_version(state, record)) return found;
  }
  return std::nullopt;
}

bool was_published(const MemoryState& state, const std::string& hash) {
  return std::ranges::any_of(state.published, [&](const auto& entry) { return entry.second.hash == hash; });
}

std::optional<NamedVersion> find_newest_document(const MemoryState& state, std::string_view name) {
  const auto named = state.hashes_by_name.find(name);
  if (named == state.hashes_by_name.end()) return std::nullopt;
  const WorkflowVersion* newest = nullptr;
  for (const auto& hash : named->second) {
    const auto& version = state.versions.find(hash)->second;
    if (was_published(state, hash)) continue;
    if (!newest || version.created_at >= newest->created_at) newest = &version;
  }
  if (!newest) return std::nullopt;
  return NamedVersion{*newest, std::nullopt, 0};
}

std::vector<StoredLogLine> fitting_lines(const MemoryExecution& execution, const LogFilter& filter) {
  const LogMatcher matcher(filter);
  std::vector<StoredLogLine> lines;
  for (const auto& batch : execution.log) {
    std::ranges::copy_if(batch.lines, std::back_inserter(lines), [&](const StoredLogLine& line) {
      return line.number > filter.after && matcher.fits(line);
    });
  }
  return lines;
}

}  // namespace

std::optional<NamedVersion> MemoryStore::find_version_by_name(std::string_view name) {
  return disk_->state().with([&](const MemoryState& state) {
    auto found = find_by_id(state, name);
    if (!found) found = find_by_workflow_name(state, name);
    return found ? found : find_newest_document(state, name);
  });
}

ExecutionPage MemoryStore::list_executions(const ExecutionFilter& filter, std::optional<std::uint64_t> before,
                                           std::size_t limit) {
  const ExecutionQuery query(filter);
  return disk_->state().with([&](const MemoryState& state) {
    ExecutionPage page;
    std::uint64_t last = 0;
    auto at = before ? state.by_number.lower_bound(*before) : state.by_number.end();
    while (limit > 0 && at != state.by_number.begin()) {
      --at;
      const auto& summary = state.executions.at(at->second).summary;
      if (!query.fits(summary)) continue;
      if (page.items.size() == limit) {
        page.next = last;
        break;
      }
      page.items.push_back(summary);
      last = at->first;
    }
    return page;
  });
}

ExecutionCount MemoryStore::count_executions(const ExecutionFilter& filter, std::uint64_t most) {
  const ExecutionQuery query(filter);
  return disk_->state().with([&](const MemoryState& state) {
    const auto count = static_cast<std::uint64_t>(std::ranges::count_if(
        state.executions, [&](const auto& entry) { return query.fits(entry.second.summary); }));
    if (query.is_counted() || count <= most) return ExecutionCount{count, true};
    return ExecutionCount{most, false};
  });
}

std::map<std::string, std::uint64_t> MemoryStore::count_by_status() {
  return disk_->state().with([&](const MemoryState& state) {
    std::map<std::string, std::uint64_t> counts;
    for (const auto& [id, execution] : state.executions) ++counts[execution.summary.status];
    return counts;
  });
}

std::optional<WorkflowRecord> MemoryStore::find_workflow(const WorkflowId& id) {
  return disk_->state().with([&](const MemoryState& state) -> std::optional<WorkflowRecord> {
    const auto found = state.workflows.find(id);
    if (found == state.workflows.end()) return std::nullopt;
    return found->second;
  });
}

WorkflowPage MemoryStore::list_workflows(const WorkflowFilter& filter, std::optional<WorkflowId> after,
                                         std::size_t limit) {
  return disk_->state().with([&](const MemoryState& state) {
    WorkflowPage page;
    bool more = false;
    for (auto at = state.workflows.rbegin(); at != state.workflows.rend(); ++at) {
      if (!fits(filter, at->second)) continue;
      ++page.count;
      if (after && at->first >= *after) continue;
      more = page.items.size() == limit;
      if (!more) page.items.push_back(at->second);
    }
    if (more && !page.items.empty()) page.next = page.items.back().id;
    return page;
  });
}

std::optional<PublishedVersion> MemoryStore::find_published(const WorkflowId& id, std::uint32_t number) {
  return disk_->state().with([&](const MemoryState& state) -> std::optional<PublishedVersion> {
    const auto found = state.published.find({id, number});
    if (found == state.published.end()) return std::nullopt;
    return found->second;
  });
}

std::vector<PublishedVersion> MemoryStore::list_published(const WorkflowId& id,
                                                          std::optional<std::uint32_t> below,
                                                          std::size_t limit) {
  return disk_->state().with([&](const MemoryState& state) {
    std::vector<PublishedVersion> versions;
    auto at = state.published.lower_bound({id, below.value_or(UINT32_MAX)});
    while (versions.size() < limit && at != state.published.begin() && (--at)->first.first == id)
      versions.push_back(at->second);
    return versions;
  });
}

std::vector<HourlyRollup> MemoryStore::list_rollups(const RollupFilter& filter) {
  return disk_->state().with([&](const MemoryState& state) {
    std::vector<HourlyRollup> rollups;
    for (const auto& [key, rollup] : state.rollups) {
      if (key.hour < filter.since || key.hour >= filter.until) continue;
      if (!filter.workflow.empty() && key.workflow != filter.workflow) continue;
      if (filter.with_steps || key.step.empty()) rollups.push_back(rollup);
    }
    return rollups;
  });
}

LogPage MemoryStore::list_log(const ExecutionId& id, const LogFilter& filter, std::size_t limit) {
  return disk_->state().with([&](const MemoryState& state) {
    const auto found = state.executions.find(id);
    if (found == state.executions.end()) return LogPage{};
    LogPage page{fitting_lines(found->second, filter), false};
    page.more = page.lines.size() > limit;
    if (!page.more) return page;
    const auto surplus = static_cast<std::ptrdiff_t>(page.lines.size() - limit);
    if (filter.newest) {
      page.lines.erase(page.lines.begin(), page.lines.begin() + surplus);
    } else {
      page.lines.resize(limit);
    }
    return page;
  });
}

std::vector<LogBatch> MemoryStore::list_log_batches(const ExecutionId& id, std::uint64_t after,
                                                    std::size_t limit) {
  return disk_->state().with([&](const MemoryState& state) {
    std::vector<LogBatch> batches;
    const auto found = state.executions.find(id);
    if (found == state.executions.end()) return batches;
    const auto& log = found->second.log;
    for (auto at = after; at < log.size() && batches.size() < limit; ++at) batches.push_back(log[at]);
    return batches;
  });
}

}  // namespace fp::store
