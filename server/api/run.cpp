#include "api/part.hpp"
#include "api/run_reply.hpp"
#include "api/services.hpp"
#include "base/error_code.hpp"
#include "runtime/execution_view.hpp"

#include <fmt/format.h>

namespace fp::api {

namespace {

using Response = net::Response;

struct RunBody {
  Json input = JsonObject();
  bool draft = false;
  Json labels = JsonObject();
  Milliseconds wait{0};

  static RunBody read(const Json& body) {
    RunBody out;
    if (const auto* input = json_find(body, "input")) out.input = *input;
    if (const auto* draft = json_find(body, "draft")) out.draft = draft->get_bool();
    if (const auto* labels = json_find(body, "labels")) out.labels = *labels;
    if (const auto* wait = json_find(body, "wait_seconds"))
      out.wait = Milliseconds(static_cast<std::int64_t>(wait->to_number<double>() * 1000));
    return out;
  }
};

/// Planning reads journals and may walk a thousand steps: not on the network's thread.
void run_part(Services& s, const CallPtr& call, runtime::StartRequest request, Milliseconds wait,
              Reply reply) {
  post(s, std::move(reply), [&s, call, request = std::move(request), wait](Reply& later) mutable {
    auto& started = request.started;
    const auto& workflow = *request.workflow;
    if (const auto planned = plan_part(s, workflow, *started.workflow_id, call->body, started); !planned)
      return later(planned.error());
    if (const auto fits = model::check_input(workflow, *started.input); !fits) return later(fits.error());
    const auto* dry = json_find(call->body, "dry_run");
    if (dry != nullptr && dry->get_bool())
      return later(json_response(200, to_json(engine::foresee(workflow, started), workflow)));
    start_and_reply(s, call, std::move(request), wait, std::move(later));
  });
}

void run(Services& s, const CallPtr& call, Reply& reply, const KnownWorkflow& known) {
  auto body = RunBody::read(call->body);
  const bool use_draft = body.draft || !known.published;
  const auto& workflow = use_draft ? known.draft : known.published;
  if (!workflow)
    return reply(Error(codes::workflow_invalid,
                       "the draft has mistakes and can not run; validate it to see them all"));
  const bool is_part = wants_part(call->body);
  if (is_part && !use_draft) return reply(refuse_part(call->body));
  auto request = make_start(s, workflow, {known.record.id, use_draft ? 0 : known.record.version}, "manual",
                            make_value(std::move(body.input)));
  request.idempotency = call->entry_for(request.id, s.clock.now());
  auto& started = request.started;
  started.labels = make_value(std::move(body.labels));
  if (is_part) return run_part(s, call, std::move(request), body.wait, std::move(reply));
  if (const auto fits = model::check_input(*workflow, *started.input); !fits) return reply(fits.error());
  start_and_reply(s, call, std::move(request), body.wait, std::move(reply));
}

}  // namespace

runtime::StartRequest make_start(const Services& s, std::shared_ptr<const model::Workflow> workflow,
                                 VersionNumber version, std::string trigger, Value input) {
  runtime::StartRequest out;
  out.id = s.runtime.make_id();
  out.workflow = std::move(workflow);
  auto& started = out.started;
  started.workflow_name = out.workflow->name;
  started.version_hash = out.workflow->hash;
  started.workflow_id = version.workflow;
  started.workflow_version = version.number;
  started.input = std::move(input);
  started.vars = s.options.vars;
  started.labels = make_value(JsonObject());
  started.seed = s.runtime.draw_seed();
  started.trigger = std::move(trigger);
  return out;
}

/// Its body is the workflow's own: a page of it is shut in a sandbox, so
/// that it can do nothing in the name of this origin.
net::Response custom_response(const ExecutionId& id, const Json& answer) {
  net::Response out;
  out.status = static_cast<unsigned>(json_int(answer, "status").value_or(200));
  const auto* body = json_find(answer, "body");
  const bool is_text = body != nullptr && body->is_string();
  if (body != nullptr && !body->is_null())
    out.body = is_text ? std::string(body->get_string()) : to_text(*body);
  out.content_type = is_text ? "text/plain; charset=utf-8" : "application/json";
  if (const auto* headers = json_find(answer, "headers"); headers != nullptr && headers->is_object()) {
    for (const auto& header : headers->get_object()) {
      auto value = to_display_text(header.value());
      std::string name(header.key());
      if (net::find_field({{name, ""}}, "Content-Type") != nullptr)
        out.content_type = std::move(value);
      else
        out.headers.emplace_back(std::move(name), std::move(value));
    }
  }
  out.headers.emplace_back("Content-Security-Policy", "sandbox; default-src 'none'");
  out.headers.emplace_back("FlowPilot-Execution", to_string(id));
  return out;
}

void reply_with(Services& s, unsigned status, const ExecutionId& id, Reply reply) {
  post(s, std::move(reply), [&s, status, id](Reply& later) {
    auto resource = load_resource(s, id);
    later(resource ? Result<Response>(json_response(status, *resource)) : Result<Response>(resource.error()));
  });
}

/// Somebody started one with the same key: they are the same, or they are in conflict.
void reply_as_before(Services& s, const CallPtr& call, Reply reply) {
  post(s, std::move(reply), [&s, call](Reply& later) {
    const auto earlier = find_repeated<ExecutionId>(s, *call);
    if (!earlier) return later(earlier.error());
    if (!*earlier) return later(Error(codes::execution_conflict, "the execution of this key is gone"));
    auto resource = load_resource(s, **earlier);
    if (!resource) return later(resource.error());
    const auto* wait = json_find(call->body, "wait_seconds");
    const bool waited = wait != nullptr && wait->to_number<double>() > 0;
    const bool ended = waited && ports::is_terminal_status(json_string(*resource, "status"));
    later(json_response(ended ? 200 : 202, *resource));
  });
}

void start_and_reply(Services& s, const CallPtr& call, runtime::StartRequest request, Milliseconds wait,
                     Reply reply) {
  const auto id = request.id;
  auto shared = std::make_shared<Reply>(std::move(reply));
  const bool waits = wait.count() > 0;
  if (waits) {
    EndWaits::Done done = [&s, id, shared](const engine::ExecutionState* state, const Json* response) {
      if (response != nullptr) return (*shared)(custom_response(id, *response));
      if (state != nullptr)
        return (*shared)(json_response(200, runtime::to_resource(*state, runtime::kShownBytes)));
      reply_with(s, 202, id, std::move(*shared));
    };
    if (!s.waits.add(id, wait, done))
      return (*shared)(Error(codes::server_overloaded, "too many requests wait for results; try again soon"));
  }
  s.runtime.start_execution(
      std::move(request), [&s, call, id, shared, waits](Result<const engine::ExecutionState*> started) {
        if (started && waits) return;
        if (started)
          return (*shared)(json_response(202, runtime::to_resource(**started, runtime::kShownBytes)));
        if (waits) s.waits.drop(id);
        if (started.error().code == codes::execution_duplicate.id)
          return reply_as_before(s, call, std::move(*shared));
        (*shared)(started.error());
      });
}

void install_run(Router& router, Services& s) {
  router.add(Operation::run_workflow, [&s](const CallPtr& call, Reply& reply) {
    const auto id = call->id<WorkflowId>();
    const auto known = s.directory.find(id);
    if (known && !known->record.deleted_at) return run(s, call, reply, *known);
    post(s, std::move(reply), [&s, call, id](Reply& later) {
      const auto loaded = s.directory.load(id);
      if (!loaded) return later(loaded.error());
      run(s, call, later, **loaded);
    });
  });
}

}  // namespace fp::api
