#include "store/sqlite/workflows.hpp"

#include "base/json_parse.hpp"
#include "store/filter_rules.hpp"
#include "store/sqlite/rows.hpp"

#include <array>
#include <limits>

namespace fp::store {

using namespace fp::ports;

namespace {

std::string tags_text(const std::vector<std::string>& tags) {
  return fp::to_text(JsonArray(tags.begin(), tags.end()));
}

std::uint32_t small(const Statement& row, int at) {
  return static_cast<std::uint32_t>(row.integer(at));
}

WorkflowRecord read_workflow(const Statement& row) {
  WorkflowRecord record;
  record.id = row.id<WorkflowId>(0);
  record.name = row.text(1);
  record.draft_hash = row.text(2);
  record.draft_valid = row.integer(3) != 0;
  record.revision = row.unsigned_integer(4);
  record.version = small(row, 5);
  record.version_hash = row.text(6);
  record.newest_version = small(row, 7);
  record.enabled = row.integer(8) != 0;
  const auto tags = parse_trusted_json(row.text(9));
  for (const auto& tag : tags.as_array()) record.tags.emplace_back(tag.as_string());
  record.created_by = row.text(10);
  record.created_at = row.time(11);
  record.updated_at = row.time(12);
  record.deleted_at = row.optional_time(13);
  record.draft = row.text(14);
  return record;
}

PublishedVersion read_published(const Statement& row) {
  return {row.id<WorkflowId>(0), small(row, 1), row.text(2), row.text(3), row.text(4), row.time(5)};
}

NamedVersion read_named(const Statement& row) {
  return {read_version(row), row.optional_id<WorkflowId>(4), small(row, 5)};
}

void put_record(Connection& writer, const WorkflowRecord& record) {
  const auto tags = tags_text(record.tags);
  const auto searched = search_text(record);
  writer.use(sql::put_workflow)
      .bind(1, record.id)
      .bind(2, std::string_view(record.name))
      .bind(3, std::string_view(record.draft_hash))
      .bind(4, std::int64_t{record.draft_valid})
      .bind(5, record.revision)
      .bind(6, std::int64_t{record.version})
      .bind(7, std::string_view(record.version_hash))
      .bind(8, std::int64_t{record.newest_version})
      .bind(9, std::int64_t{record.enabled})
      .bind(10, std::string_view(tags))
      .bind(11, std::string_view(record.created_by))
      .bind(12, record.created_at)
      .bind(13, record.updated_at)
      .bind(14, record.deleted_at)
      .bind(15, std::string_view(searched))
      .bind(16, std::string_view(record.draft))
      .run();
}

}  // namespace

void put_workflow(Connection& writer, const WorkflowWrite& write) {
  put_record(writer, write.record);
  if (!write.published) return;
  const auto& version = *write.published;
  writer.use(sql::add_published)
      .bind(1, version.workflow)
      .bind(2, std::int64_t{version.number})
      .bind(3, std::string_view(version.hash))
      .bind(4, std::string_view(version.published_by))
      .bind(5, std::string_view(version.note))
      .bind(6, version.published_at)
      .run();
}

namespace reads {

std::optional<WorkflowRecord> find_workflow(Connection& connection, const WorkflowId& id) {
  auto statement = connection.use(sql::find_workflow);
  if (!statement.bind(1, id).step()) return std::nullopt;
  return read_workflow(statement);
}

WorkflowPage list_workflows(Connection& connection, const WorkflowFilter& filter,
                            std::optional<WorkflowId> after, std::size_t limit) {
  // Longer than any id, so that it sorts after all of them.
  static constexpr auto kAfterAllIds = [] {
    std::array<std::uint8_t, 17> bytes{};
    bytes.fill(255);
    return bytes;
  }();
  const auto search = to_lower_ascii(filter.search);
  const auto tag = filter.tag.empty() ? std::string() : tag_needle(filter.tag);
  const auto bind = [&](Statement& statement) {
    statement.bind(3, text_or_null(search)).bind(4, text_or_null(tag)).bind(5, text_or_null(filter.status));
  };
  WorkflowPage page;
  connection.use(sql::begin_read).run();
  {
    auto statement = connection.use(sql::count_workflows);
    bind(statement);
    if (statement.step()) page.count = statement.unsigned_integer(0);
  }
  auto statement = connection.use(sql::list_workflows);
  using Bytes = std::span<const std::uint8_t>;
  statement.bind(1, after ? Bytes(after->bytes) : Bytes(kAfterAllIds)).bind(2, std::uint64_t{limit} + 1);
  bind(statement);
  while (statement.step()) {
    if (page.items.size() == limit) {
      if (limit > 0) page.next = page.items.back().id;
      break;
    }
    page.items.push_back(read_workflow(statement));
  }
  return page;
}

std::optional<PublishedVersion> find_published(Connection& connection, const WorkflowId& id,
                                               std::uint32_t number) {
  auto statement = connection.use(sql::find_published);
  if (!statement.bind(1, id).bind(2, std::int64_t{number}).step()) return std::nullopt;
  return read_published(statement);
}

std::vector<PublishedVersion> list_published(Connection& connection, const WorkflowId& id,
                                             std::optional<std::uint32_t> below, std::size_t limit) {
  auto statement = connection.use(sql::list_published);
  statement.bind(1, id)
      .bind(2, std::int64_t{below.value_or(std::numeric_limits<std::uint32_t>::max())})
      .bind(3, std::uint64_t{limit});
  std::vector<PublishedVersion> versions;
  while (statement.step()) versions.push_back(read_published(statement));
  return versions;
}

std::optional<NamedVersion> find_version_by_name(Connection& connection, std::string_view name) {
  connection.use(sql::begin_read).run();
  if (const auto id = parse_uuid<WorkflowId>(name)) {
    auto statement = connection.use(sql::find_named_by_id);
    if (statement.bind(1, *id).step()) return read_named(statement);
  }
  {
    auto statement = connection.use(sql::find_named_by_name);
    if (statement.bind(1, name).step()) return read_named(statement);
  }
  auto statement = connection.use(sql::find_version_by_name);
  if (!statement.bind(1, name).step()) return std::nullopt;
  return NamedVersion{read_version(statement), std::nullopt, 0};
}

std::vector<TaskTypeRecord> list_task_types(Connection& connection) {
  auto statement = connection.use(sql::list_task_types);
  std::vector<TaskTypeRecord> types;
  while (statement.step()) types.push_back({statement.text(0), statement.text(1), statement.time(2)});
  return types;
}

std::vector<TickRecord> list_ticks(Connection& connection, const WorkflowId& workflow,
                                   std::string_view trigger, TimePoint before, std::size_t limit) {
  auto statement = connection.use(sql::list_ticks);
  statement.bind(1, workflow).bind(2, trigger).bind(3, before).bind(4, static_cast<std::uint64_t>(limit));
  std::vector<TickRecord> out;
  while (statement.step()) {
    out.push_back({statement.id<WorkflowId>(0), statement.text(1), statement.time(2), statement.text(3),
                   statement.text(4), statement.optional_id<ExecutionId>(5), statement.time(6)});
  }
  return out;
}

}  // namespace reads

}  // namespace fp::store
