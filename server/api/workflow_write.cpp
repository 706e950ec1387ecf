#include "api/event_hub.hpp"
#include "api/hooks.hpp"
#include "api/poller.hpp"
#include "api/schedule_limits.hpp"
#include "api/scheduler.hpp"
#include "api/services.hpp"
#include "api/views.hpp"
#include "base/error_code.hpp"
#include "base/json_parse.hpp"

#include <fmt/format.h>

namespace fp::api {

namespace {

using Response = net::Response;

/// A change on its way: the workflow as it will be, and what is written with it.
struct Change {
  std::shared_ptr<KnownWorkflow> workflow = std::make_shared<KnownWorkflow>();
  std::vector<Issue> issues;
  std::optional<ports::PublishedVersion> published;
  unsigned status = 200;
};

Error stale() {
  return Error(codes::precondition_failed, "the workflow has changed since you read it");
}

/// If-Match against the revision; a weak or foreign tag never matches (RFC 9110 section 13.1.1).
Result<void> check_match(const Call& call, const ports::WorkflowRecord& record, bool required) {
  if (!call.has("If-Match")) {
    if (!required) return {};
    return Error(codes::precondition_required,
                 "send the ETag you have seen as If-Match, so that nobody's change is lost");
  }
  const auto tag = call.text("If-Match");
  if (tag == "*" || tag == fmt::format("\"{}\"", record.revision)) return {};
  return stale();
}

class Writer {
 public:
  explicit Writer(Services& services) : s_(services) {}

  /// Answers with what the same request did before, if it came before.
  bool repeat(const Call& call, Reply& reply) {
    const auto repeated = find_repeated<WorkflowId>(s_, call);
    if (repeated && !*repeated) return false;
    if (!repeated) {
      reply(repeated.error());
      return true;
    }
    const auto known = s_.directory.load(**repeated);
    const bool made = call.spec->operation == Operation::create_workflow ||
                      call.spec->operation == Operation::import_workflow;
    reply(known ? Result<Response>(json_response(made ? 201 : 200, to_resource((*known)->record, {}),
                                                 (*known)->record.revision))
                : Result<Response>(known.error()));
    return true;
  }

  void commit(CallPtr call, Change change, Reply reply) {
    auto& record = change.workflow->record;
    record.revision += 1;
    record.updated_at = s_.clock.now();
    const auto claim = s_.webhooks.claim(record.id, list_hook_routes(*change.workflow));
    if (!claim) return reply(claim.error());
    ports::WorkflowWrite write{record, std::move(change.published),
                               call->entry_for(record.id, record.updated_at)};
    std::vector<ports::WorkflowVersion> documents;
    if (write.published)
      documents.push_back(runtime::to_version(*change.workflow->published, record.updated_at));
    auto done = [this, call, change = std::move(change), claim = *claim,
                 reply = std::move(reply)](ports::WriteOutcome outcome) mutable {
      // Whoever finds the path must find the version behind it.
      if (outcome == ports::WriteOutcome::committed) s_.directory.remember(change.workflow);
      s_.webhooks.settle(claim, outcome == ports::WriteOutcome::committed);
      if (outcome == ports::WriteOutcome::committed) {
        s_.scheduler.remember(*change.workflow);
        s_.events.take_up(*change.workflow);
        s_.poller.take_up(*change.workflow);
        if (change.status == 204) return reply(Response{.status = 204, .content_type = ""});
        return reply(json_response(change.status, to_resource(change.workflow->record, change.issues),
                                   change.workflow->record.revision));
      }
      if (outcome == ports::WriteOutcome::conflict) return reply(stale());
      post(s_, std::move(reply), [this, call](Reply& again) {
        if (!repeat(*call, again)) again(stale());
      });
    };
    s_.runtime.write_workflow(std::move(write), std::move(documents), std::move(done));
  }

  /// Takes the document of the call over as the draft. Error: what is wrong with it, unless mistakes are
  /// allowed.
  Result<void> take_draft(const Call& call, Change& change) {
    auto document = strip_resource(call.body);
    auto read = read_document(s_, document);
    auto& record = change.workflow->record;
    if (!read) {
      const bool savable = call.flag("allow_invalid") && document.is_object() &&
                           read.error().code == codes::workflow_invalid.id;
      if (!savable) return read.error();
      change.issues = read.error().issues;
    }
    change.workflow->draft = read ? *read : nullptr;
    record.draft_valid = read.has_value();
    record.draft = to_text(read ? (*read)->document : document);
    if (record.draft.size() > model::ReadLimits{}.max_bytes)
      return Error(codes::workflow_too_large, "the document is larger than 1 MiB");
    record.draft_hash = to_hex(hash_256(record.draft));
    record.name = json_string(document, "name");
    if (record.name.empty()) record.name = "Untitled";
    record.tags.clear();
    if (const auto* tags = json_find(document, "tags"); tags != nullptr && tags->is_array()) {
      for (const auto& tag : tags->get_array()) {
        if (tag.is_string()) record.tags.emplace_back(tag.get_string());
      }
    }
    return {};
  }

  void create(const CallPtr& call, Reply& reply) {
    if (repeat(*call, reply)) return;
    Change change;
    change.status = 201;
    if (const auto taken = take_draft(*call, change); !taken) return reply(taken.error());
    auto& record = change.workflow->record;
    record.id = make_uuid7<WorkflowId>(s_.clock.now(), s_.rng);
    record.created_by = call->subject.name;
    record.created_at = s_.clock.now();
    commit(call, std::move(change), std::move(reply));
  }

  /// The change of one workflow that `alter` makes; it may find that there is nothing to change.
  template <class F>
  void alter(const CallPtr& call, Reply& reply, bool match_required, F alter) {
    if (repeat(*call, reply)) return;
    const auto known = s_.directory.load(call->id<WorkflowId>());
    if (!known) return reply(known.error());
    if (const auto match = check_match(*call, (*known)->record, match_required); !match)
      return reply(match.error());
    Change change;
    *change.workflow = **known;
    const Result<bool> changed = alter(change);
    if (!changed) return reply(changed.error());
    if (!*changed)
      return reply(json_response(200, to_resource((*known)->record, {}), (*known)->record.revision));
    commit(call, std::move(change), std::move(reply));
  }

  void update(const CallPtr& call, Reply& reply) {
    alter(call, reply, true, [&](Change& change) -> Result<bool> {
      if (const auto taken = take_draft(*call, change); !taken) return taken.error();
      return true;
    });
  }

  void remove(const CallPtr& call, Reply& reply) {
    alter(call, reply, false, [&](Change& change) -> Result<bool> {
      change.workflow->record.deleted_at = s_.clock.now();
      change.status = 204;
      return true;
    });
  }

  void publish(const CallPtr& call, Reply& reply) {
    alter(call, reply, false, [&](Change& change) -> Result<bool> {
      auto& record = change.workflow->record;
      // Checked anew: types and rules may have changed since the draft was saved.
      const auto read = read_document(s_, parse_trusted_json(record.draft));
      if (!read) return read.error();
      if (record.version != 0 && record.version_hash == (*read)->hash) return false;
      change.workflow->draft = change.workflow->published = *read;
      record.draft_valid = true;
      record.version = ++record.newest_version;
      record.version_hash = record.draft_hash = (*read)->hash;
      change.published =
          ports::PublishedVersion{record.id,
                                  record.version,
                                  record.version_hash,
                                  call->subject.name,
                                  call->body.is_object() ? json_string(call->body, "note") : "",
                                  s_.clock.now()};
      return true;
    });
  }

  void roll_back(const CallPtr& call, Reply& reply) {
    alter(call, reply, false, [&](Change& change) -> Result<bool> {
      auto& record = change.workflow->record;
      const auto number = static_cast<std::uint32_t>(*json_int(call->body, "version"));
      const auto version = s_.store.find_published(record.id, number);
      if (!version)
        return Error(codes::not_found, fmt::format("there is no version {} of this workflow", number));
      const auto workflow = s_.runtime.catalog().load(version->hash);
      if (!workflow) return workflow.error();
      record.version = number;
      record.version_hash = version->hash;
      change.workflow->published = *workflow;
      const auto* restore = json_find(call->body, "restore_draft");
      if (restore == nullptr || !restore->get_bool()) return true;
      change.workflow->draft = *workflow;
      record.draft = to_text((*workflow)->document);
      record.draft_hash = version->hash;
      record.draft_valid = true;
      record.name = (*workflow)->name;
      return true;
    });
  }

  void enable(const CallPtr& call, Reply& reply, bool enabled) {
    alter(call, reply, false, [&](Change& change) -> Result<bool> {
      return std::exchange(change.workflow->record.enabled, enabled) != enabled;
    });
  }

 private:
  Services& s_;
};

}  // namespace

void install_workflow_writes(Router& router, Services& services) {
  const auto writer = std::make_shared<Writer>(services);
  using Method = void (Writer::*)(const CallPtr&, Reply&);
  const auto add = [&](Operation operation, Method method) {
    router.add(operation,
               [writer, method](const CallPtr& call, Reply& reply) { ((*writer).*method)(call, reply); });
  };
  add(Operation::create_workflow, &Writer::create);
  add(Operation::import_workflow, &Writer::create);
  add(Operation::update_workflow, &Writer::update);
  add(Operation::delete_workflow, &Writer::remove);
  add(Operation::publish_workflow, &Writer::publish);
  add(Operation::rollback_workflow, &Writer::roll_back);
  router.add(Operation::enable_workflow,
             [writer](const CallPtr& call, Reply& reply) { writer->enable(call, reply, true); });
  router.add(Operation::disable_workflow,
             [writer](const CallPtr& call, Reply& reply) { writer->enable(call, reply, false); });
}

}  // namespace fp::api
