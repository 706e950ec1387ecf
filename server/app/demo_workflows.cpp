#include "app/demo_workflows.hpp"

#include "app/example_files.hpp"
#include "base/error_code.hpp"

#include <fmt/format.h>

#include <future>

namespace fp::app {

Result<void> publish_demo_workflows(ports::Store& store, runtime::Runtime& runtime,
                                    const model::TaskTypeRegistry& types, const Clock& clock, Rng& rng) {
  if (!store.list_workflows({}, {}, 1).items.empty()) return {};
  for (const auto& [name, text] : kExamples) {
    auto document = model::parse_document(text);
    if (!document) return document.error();
    auto workflow = model::read_workflow(std::move(*document), types);
    if (!workflow) return workflow.error();
    ports::WorkflowWrite write;
    auto& record = write.record;
    record.id = make_uuid7<WorkflowId>(clock.now(), rng);
    record.name = (*workflow)->name;
    record.draft = to_text((*workflow)->document);
    record.draft_hash = record.version_hash = (*workflow)->hash;
    record.revision = record.version = record.newest_version = 1;
    record.created_by = "demo";
    record.created_at = record.updated_at = clock.now();
    write.published = ports::PublishedVersion{record.id, 1, record.version_hash, "demo", "", clock.now()};
    auto done = std::make_shared<std::promise<ports::WriteOutcome>>();
    auto committed = done->get_future();
    runtime.write_workflow(std::move(write), {runtime::to_version(**workflow, clock.now())},
                           [done](ports::WriteOutcome outcome) { done->set_value(outcome); });
    if (committed.get() != ports::WriteOutcome::committed)
      return Error(codes::storage_io,
                   fmt::format("the demo workflow \"{}\" could not be saved", (*workflow)->name));
  }
  return {};
}

std::span<const std::pair<std::string_view, std::string_view>> list_templates() {
  return kExamples;
}

}  // namespace fp::app
