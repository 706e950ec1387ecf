#pragma once

#include "ports/store_samples.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

/// How every storage engine keeps workflows, their versions and documents.
namespace fp::ports {

template <class Engine>
class StoreWorkflowsContract : public StoreFixture<Engine> {
 protected:
  WriteOutcome save(const WorkflowWrite& write) {
    Batch batch;
    batch.workflows = {write};
    return this->commit(batch).at(0);
  }
  WriteOutcome save(const WorkflowRecord& record) { return save(WorkflowWrite{record, {}, {}}); }
  /// The next version, with its document.
  WriteOutcome publish(WorkflowRecord& record, const std::string& document) {
    Batch batch;
    const auto hash = "hash of " + document;
    batch.versions = {{hash, record.name, document, at_ms(record.newest_version)}};
    ++record.revision;
    record.version = ++record.newest_version;
    record.version_hash = hash;
    batch.workflows = {
        {record, PublishedVersion{record.id, record.version, hash, "me", "note", at_ms(9)}, {}}};
    return this->commit(batch).at(0);
  }
  std::vector<std::uint32_t> list(const WorkflowFilter& filter) {
    std::vector<std::uint32_t> numbers;
    std::optional<WorkflowId> after;
    std::uint64_t count = 0;
    do {
      const auto page = this->store().list_workflows(filter, after, 2);
      for (const auto& record : page.items) numbers.push_back(test_number(record.id.bytes));
      after = page.next;
      count = page.count;
    } while (after);
    EXPECT_EQ(count, numbers.size());
    return numbers;
  }
  std::string stands_for(std::string_view name) {
    const auto found = this->store().find_version_by_name(name);
    if (!found) return "nothing";
    const auto workflow = found->workflow ? std::to_string(test_number(found->workflow->bytes)) : "none";
    return workflow + " " + std::to_string(found->number) + " " + found->version.document;
  }
};
TYPED_TEST_SUITE_P(StoreWorkflowsContract);

TYPED_TEST_P(StoreWorkflowsContract, GivesBackWhatWasSaved) {
  WorkflowRecord record = test_workflow(1);
  record.draft_valid = false;
  record.enabled = false;
  record.tags = {"crm", "a \"quoted\" one", "\xC3\xA9"};
  record.created_by = "me";
  record.created_at = at_ms(1);
  record.updated_at = at_ms(2);
  EXPECT_EQ(this->save(record), WriteOutcome::committed);
  EXPECT_EQ(this->publish(record, "{}"), WriteOutcome::committed);
  record.deleted_at = at_ms(3);
  ++record.revision;
  EXPECT_EQ(this->save(record), WriteOutcome::committed);
  this->engine_.reopen();
  EXPECT_EQ(this->store().find_workflow(record.id), record) << "deleted ones too";
  EXPECT_EQ(this->store().find_published(record.id, 1),
            (PublishedVersion{record.id, 1, "hash of {}", "me", "note", at_ms(9)}));
  EXPECT_EQ(this->store().find_version("hash of {}")->document, "{}");
  EXPECT_FALSE(this->store().find_workflow(test_workflow_id(2)));
  EXPECT_FALSE(this->store().find_published(record.id, 2));
}

TYPED_TEST_P(StoreWorkflowsContract, OnlyTheNextRevisionIsSaved) {
  auto record = test_workflow(1);
  EXPECT_EQ(this->save(test_workflow(1, 2)), WriteOutcome::conflict) << "there is none yet";
  EXPECT_EQ(this->save(test_workflow(1, 0)), WriteOutcome::conflict);
  EXPECT_EQ(this->save(record), WriteOutcome::committed);
  record.name = "other";
  EXPECT_EQ(this->save(record), WriteOutcome::conflict) << "revision 1 is the birth";
  record.revision = 3;
  EXPECT_EQ(this->save(record), WriteOutcome::conflict);
  EXPECT_EQ(this->store().find_workflow(record.id), test_workflow(1));
  record.revision = 2;
  EXPECT_EQ(this->save(record), WriteOutcome::committed);
  EXPECT_EQ(this->store().find_workflow(record.id), record);

  Batch batch;
  record.revision = 3;
  batch.executions = {start_write(1)};
  batch.workflows = {{record, {}, {}}, {record, {}, {}}, {test_workflow(2), {}, {}}};
  EXPECT_EQ(this->commit(batch), (std::vector{WriteOutcome::committed, WriteOutcome::committed,
                                              WriteOutcome::conflict, WriteOutcome::committed}))
      << "executions first, and a conflict leaves out itself only";
}

TYPED_TEST_P(StoreWorkflowsContract, VersionsAreNumberedWithoutGaps) {
  auto record = test_workflow(1);
  this->save(record);
  const auto attempt = [&](std::uint32_t newest, std::optional<std::uint32_t> number) {
    auto changed = record;
    ++changed.revision;
    changed.newest_version = newest;
    WorkflowWrite write{changed, {}, {}};
    if (number) write.published = PublishedVersion{record.id, *number, "h", "", "", at_ms(1)};
    return this->save(write);
  };
  EXPECT_EQ(attempt(2, 2), WriteOutcome::conflict) << "leaves a gap";
  EXPECT_EQ(attempt(1, 2), WriteOutcome::conflict);
  EXPECT_EQ(attempt(2, 1), WriteOutcome::conflict);
  EXPECT_EQ(attempt(1, std::nullopt), WriteOutcome::conflict) << "a version without its row";
  EXPECT_TRUE(this->store().list_published(record.id, std::nullopt, 9).empty());
  for (const char* document : {"1", "2", "3"})
    EXPECT_EQ(this->publish(record, document), WriteOutcome::committed);
  EXPECT_EQ(attempt(3, 3), WriteOutcome::conflict) << "a version never changes";
  auto rolled_back = record;
  ++rolled_back.revision;
  rolled_back.version = 1;
  rolled_back.version_hash = "hash of 1";
  EXPECT_EQ(this->save(rolled_back), WriteOutcome::committed);
  const auto numbers = [&](std::optional<std::uint32_t> below, std::size_t limit) {
    std::string text;
    for (const auto& version : this->store().list_published(record.id, below, limit))
      text += std::to_string(version.number) + version.hash.back() + " ";
    return text;
  };
  EXPECT_EQ(numbers(std::nullopt, 9), "33 22 11 ");
  EXPECT_EQ(numbers(std::nullopt, 2), "33 22 ");
  EXPECT_EQ(numbers(3, 1), "22 ");
  EXPECT_EQ(numbers(1, 9), "");
}

TYPED_TEST_P(StoreWorkflowsContract, AKeyIsGivenOnceWhateverItIsFor) {
  WorkflowWrite first{test_workflow(1), {}, test_key("key", 1)};
  EXPECT_EQ(this->save(first), WriteOutcome::committed);
  EXPECT_EQ(this->store().find_idempotency("key"), first.idempotency);
  EXPECT_EQ(this->save(first), WriteOutcome::duplicate_key)
      << "a retry hears of the key, not of the conflict";
  EXPECT_EQ(this->save({test_workflow(2), {}, test_key("key", 2)}), WriteOutcome::duplicate_key);
  EXPECT_FALSE(this->store().find_workflow(test_workflow_id(2)));
  auto start = start_write(3);
  start.idempotency = test_key("key", 3);
  EXPECT_EQ(this->commit_one(start), WriteOutcome::duplicate_key);
  EXPECT_EQ(this->save({test_workflow(1, 7), {}, test_key("free", 1)}), WriteOutcome::conflict);
  EXPECT_FALSE(this->store().find_idempotency("free")) << "a conflict leaves no trace";
}

TYPED_TEST_P(StoreWorkflowsContract, ListsNewestFirstAndFilters) {
  for (std::uint32_t i = 1; i <= 7; ++i) {
    auto record = test_workflow(i);
    if (i == 1) record.name = "Onboarding";
    if (i == 2) record.draft = R"({"name":"x","description":"For new USERS onboarding"})";
    if (i == 3) record.draft = R"([1])", record.draft_valid = false;
    if (i == 4 || i == 5) record.tags = {"crm", "b\"c"};
    if (i == 5) record.enabled = false;
    if (i == 6) record.deleted_at = at_ms(1);
    if (i == 7) record.tags = {"crm2", ","};
    this->save(record);
    if (i == 2 || i == 5) this->publish(record, "{}");
  }
  using Numbers = std::vector<std::uint32_t>;
  EXPECT_EQ(this->list({}), (Numbers{7, 5, 4, 3, 2, 1}));
  EXPECT_EQ(this->list({.search = "ONboard"}), (Numbers{2, 1}));
  EXPECT_EQ(this->list({.search = "description"}), (Numbers{})) << "only name and description are searched";
  EXPECT_EQ(this->list({.tag = "crm"}), (Numbers{5, 4}));
  EXPECT_EQ(this->list({.tag = "b\"c"}), (Numbers{5, 4}));
  EXPECT_EQ(this->list({.tag = ","}), (Numbers{7}));
  EXPECT_EQ(this->list({.tag = "CRM"}), (Numbers{}));
  EXPECT_EQ(this->list({.status = "published"}), (Numbers{2}));
  EXPECT_EQ(this->list({.status = "draft"}), (Numbers{7, 4, 3, 1}));
  EXPECT_EQ(this->list({.status = "disabled"}), (Numbers{5}));
  EXPECT_EQ(this->list({.search = "flow", .tag = "crm", .status = "draft"}), (Numbers{4}));
  EXPECT_FALSE(this->store().list_workflows({}, std::nullopt, 6).next) << "a full last page";
  EXPECT_TRUE(this->store().list_workflows({}, std::nullopt, 5).next);
}

TYPED_TEST_P(StoreWorkflowsContract, StoresADocumentOnceAndFindsTheNewestOfAName) {
  Batch batch;
  batch.versions = {
      {"h1", "signup", "{1}", at_ms(1)}, {"h2", "signup", "{2}", at_ms(2)}, {"h3", "other", "{}", at_ms(9)}};
  this->commit(batch);
  batch.versions = {{"h1", "signup", "changed", at_ms(7)}};
  this->commit(batch);
  EXPECT_EQ(this->store().find_version("h1"), (WorkflowVersion{"h1", "signup", "{1}", at_ms(1)}));
  EXPECT_EQ(this->stands_for("signup"), "none 0 {2}");
  batch.versions = {{"h4", "signup", "{4}", at_ms(2)}};
  this->commit(batch);
  EXPECT_EQ(this->stands_for("signup"), "none 0 {4}") << "of two made at once the later arrival";
}

TYPED_TEST_P(StoreWorkflowsContract, ANameStandsForThePublishedVersionTheDraftOrAStoredDocument) {
  Batch batch;
  batch.versions = {{"h1", "flow", "{stored}", at_ms(99)}};
  this->commit(batch);
  EXPECT_EQ(this->stands_for("flow"), "none 0 {stored}");

  auto record = test_workflow(1);
  record.draft_valid = false;
  this->save(record);
  const auto id = to_string(record.id);
  EXPECT_EQ(this->stands_for("flow"), "none 0 {stored}") << "a draft with mistakes stands for nothing";
  EXPECT_EQ(this->stands_for(id), "nothing");
  record.draft_valid = true;
  ++record.revision;
  this->save(record);
  EXPECT_EQ(this->stands_for("flow"), "1 0 " + record.draft);
  EXPECT_EQ(this->stands_for(id), "1 0 " + record.draft);
  EXPECT_EQ(this->store().find_version_by_name("flow")->version.hash, record.draft_hash);

  this->publish(record, "{one}");
  this->publish(record, "{two}");
  EXPECT_EQ(this->stands_for("flow"), "1 2 {two}");
  EXPECT_EQ(this->stands_for(id), "1 2 {two}");

  auto newer = test_workflow(2);
  this->save(newer);
  EXPECT_EQ(this->stands_for("flow"), "2 0 " + newer.draft) << "the newest of that name";
  newer.enabled = false;
  ++newer.revision;
  this->save(newer);
  EXPECT_EQ(this->stands_for("flow"), "1 2 {two}") << "a disabled one does not stand in the way";
  EXPECT_EQ(this->stands_for(to_string(newer.id)), "2 0 " + newer.draft) << "by id it is meant";

  record.deleted_at = at_ms(1);
  ++record.revision;
  this->save(record);
  EXPECT_EQ(this->stands_for("flow"), "none 0 {stored}");
  EXPECT_EQ(this->stands_for(id), "nothing");
}

TYPED_TEST_P(StoreWorkflowsContract, ADeletedOrDisabledWorkflowStandsForNothing) {
  auto record = test_workflow(1);
  this->save(record);
  this->publish(record, "{one}");
  this->publish(record, "{two}");
  EXPECT_EQ(this->stands_for("flow"), "1 2 {two}");
  record.enabled = false;
  ++record.revision;
  this->save(record);
  EXPECT_EQ(this->stands_for("flow"), "nothing") << "not for one of its versions either";
  record.enabled = true;
  record.deleted_at = at_ms(1);
  ++record.revision;
  this->save(record);
  EXPECT_EQ(this->stands_for("flow"), "nothing");
}

TYPED_TEST_P(StoreWorkflowsContract, AKeyCanBePutAndKeptLonger) {
  this->store().put_keys({test_key("a", 1, 5), test_key("b", 1, 5)});
  this->store().put_keys({test_key("a", 2, 50)});
  this->engine_.reopen();
  EXPECT_EQ(this->store().find_idempotency("a"), test_key("a", 1, 50)) << "whoever took it first keeps it";
  this->prune_all(at_ms(0), at_ms(10));
  EXPECT_TRUE(this->store().find_idempotency("a"));
  EXPECT_FALSE(this->store().find_idempotency("b"));
}

TYPED_TEST_P(StoreWorkflowsContract, RemembersWhatWorkersRegistered) {
  EXPECT_TRUE(this->store().list_task_types().empty());
  this->store().put_task_types({{"orders.charge", "{}", at_ms(1)}, {"mail.send", R"({"a":1})", at_ms(1)}});
  this->store().put_task_types({{"orders.charge", R"({"title":"Charge"})", at_ms(2)}});
  this->engine_.reopen();
  const std::vector<TaskTypeRecord> expected{{"mail.send", R"({"a":1})", at_ms(1)},
                                             {"orders.charge", R"({"title":"Charge"})", at_ms(2)}};
  EXPECT_EQ(this->store().list_task_types(), expected);
}

TYPED_TEST_P(StoreWorkflowsContract, ATickIsDecidedOnce) {
  WorkflowId workflow;
  workflow.bytes[0] = 1;
  const auto tick = [&](std::int64_t at, const char* outcome) {
    return TickRecord{workflow, "nightly", at_ms(at), outcome, "why", std::nullopt, at_ms(at + 5)};
  };
  this->store().put_ticks({tick(10, "missed"), tick(20, "skipped"), tick(30, "missed")});
  this->store().put_ticks(
      {tick(20, "fired"), {workflow, "other", at_ms(20), "fired", "", std::nullopt, at_ms(21)}});
  this->engine_.reopen();
  EXPECT_EQ(this->store().list_ticks(workflow, "nightly", at_ms(30), 9),
            (std::vector<TickRecord>{tick(20, "skipped"), tick(10, "missed")}));
  EXPECT_EQ(this->store().list_ticks(workflow, "nightly", at_ms(99), 1),
            (std::vector<TickRecord>{tick(30, "missed")}));
  this->store().trim_ticks(workflow, "nightly", 2);
  EXPECT_EQ(this->store().list_ticks(workflow, "nightly", at_ms(99), 9).size(), 2u);
  EXPECT_EQ(this->store().list_ticks(workflow, "other", at_ms(99), 9).size(), 1u);
}

REGISTER_TYPED_TEST_SUITE_P(StoreWorkflowsContract, ATickIsDecidedOnce, GivesBackWhatWasSaved,
                            OnlyTheNextRevisionIsSaved, VersionsAreNumberedWithoutGaps,
                            AKeyIsGivenOnceWhateverItIsFor, ListsNewestFirstAndFilters,
                            StoresADocumentOnceAndFindsTheNewestOfAName,
                            ANameStandsForThePublishedVersionTheDraftOrAStoredDocument,
                            ADeletedOrDisabledWorkflowStandsForNothing, AKeyCanBePutAndKeptLonger,
                            RemembersWhatWorkersRegistered);

}  // namespace fp::ports
