#include "api/directory.hpp"

#include "base/error_code.hpp"
#include "base/json_parse.hpp"
#include "base/log.hpp"

#include <fmt/format.h>

namespace fp::api {

KnownPtr Directory::find(const WorkflowId& id) {
  const auto revision = types_.revision();
  const std::lock_guard lock(mutex_);
  if (std::exchange(types_revision_, revision) != revision) {
    known_.clear();
    order_.clear();
  }
  const auto found = known_.find(id);
  if (found == known_.end()) return nullptr;
  order_.splice(order_.begin(), order_, found->second.place);
  return found->second.workflow;
}

Result<KnownPtr> Directory::load(const WorkflowId& id) {
  auto known = find(id);
  if (!known) {
    auto record = store_.find_workflow(id);
    if (!record) return Error(codes::not_found, fmt::format("there is no workflow {}", to_string(id)));
    auto read = std::make_shared<KnownWorkflow>();
    read->record = std::move(*record);
    if (!read->record.version_hash.empty()) {
      auto published = catalog_.load(read->record.version_hash);
      if (published) read->published = *published;
    }
    if (read->record.draft_hash == read->record.version_hash) {
      read->draft = read->published;
    } else if (read->record.draft_valid) {
      auto draft = model::read_workflow(parse_trusted_json(read->record.draft), types_);
      if (draft) read->draft = *draft;
    }
    remember(read);
    known = std::move(read);
  }
  if (known->record.deleted_at)
    return Error(codes::not_found, fmt::format("there is no workflow {}", to_string(id)));
  return known;
}

void Directory::for_each_published(const std::function<void(const KnownWorkflow&)>& visit) {
  constexpr std::size_t kPage = 500;
  std::optional<WorkflowId> after;
  do {
    const auto page = store_.list_workflows({.status = "published"}, after, kPage);
    for (const auto& record : page.items) {
      const auto known = load(record.id);
      if (known && (*known)->published)
        visit(**known);
      else
        log(LogLevel::error, "a published workflow can not be read; its triggers do not fire",
            {{"workflow", to_string(record.id)}});
    }
    after = page.next;
  } while (after);
}

void Directory::remember(KnownPtr workflow) {
  const std::lock_guard lock(mutex_);
  const auto& id = workflow->record.id;
  const auto found = known_.find(id);
  if (found != known_.end()) {
    if (found->second.workflow->record.revision <= workflow->record.revision)
      found->second.workflow = std::move(workflow);
    return;
  }
  order_.push_front(id);
  known_.emplace(id, Entry{std::move(workflow), order_.begin()});
  if (order_.size() <= kKept) return;
  known_.erase(order_.back());
  order_.pop_back();
}

}  // namespace fp::api
