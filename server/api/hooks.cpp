#include "api/hooks.hpp"

#include "api/client_address.hpp"
#include "api/evaluate.hpp"
#include "api/run_reply.hpp"
#include "base/error_code.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "engine/steps/values.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fp::api {

namespace {

using triggers::Webhook;

constexpr std::string_view kPrefix = "/hooks/";
constexpr std::size_t kSmallBody = 64u << 10;  // so much is checked where the request came in

net::Response state_response(unsigned status, const ExecutionId& id, JsonObject body) {
  auto out = json_response(status, Json(std::move(body)));
  out.headers.emplace_back("FlowPilot-Execution", to_string(id));
  return out;
}

}  // namespace

std::vector<triggers::WebhookRoutePtr> list_hook_routes(const KnownWorkflow& workflow) {
  std::vector<triggers::WebhookRoutePtr> out;
  const auto& record = workflow.record;
  if (!workflow.is_live()) return out;
  for (auto& hook : triggers::read_webhooks(workflow.published->document, to_string(record.id))) {
    out.push_back(std::make_shared<const triggers::WebhookRoute>(
        triggers::WebhookRoute{std::move(hook), record.id, record.name, record.version}));
  }
  return out;
}

void Hooks::take_up(const KnownWorkflow& workflow) {
  const auto& id = workflow.record.id;
  const auto claim = routes_.claim(id, list_hook_routes(workflow));
  if (claim) return routes_.settle(*claim, true);
  log(LogLevel::error, "a webhook is not there",
      {{"workflow", to_string(id)}, {"detail", claim.error().message}});
}

void Hooks::handle(net::Request request, net::Handler::Respond respond) {
  auto delivery = std::make_shared<HookDelivery>();
  delivery->request = std::move(request);
  delivery->respond = std::move(respond);
  const auto& asked = delivery->request;
  if (!is_loaded_)
    return answer(delivery, Error(codes::server_draining, "the server is starting; ask again"));
  const auto path = std::string_view(asked.path).substr(kPrefix.size());
  if (asked.method == "OPTIONS") return answer(delivery, preflight(asked));
  auto match = routes_.find(asked.method, path);
  if (!match.route) {
    auto refused =
        problem_response(match.methods.empty()
                             ? Error(codes::not_found, fmt::format("nothing listens at {}", echo(asked.path)))
                             : Error(codes::method_not_allowed,
                                     fmt::format("this webhook does not take {}", echo(asked.method))),
                         asked.path, asked.id);
    if (!match.methods.empty())
      refused.headers.emplace_back("Allow", fmt::format("{}", fmt::join(match.methods, ", ")));
    return answer(delivery, std::move(refused));
  }
  delivery->route = std::move(match.route);
  for (auto& [name, value] : match.params) delivery->params.emplace(name, std::move(value));
  if (const auto let = admit(*delivery); !let) return answer(delivery, let.error());
  if (asked.body.size() <= kSmallBody && s_.directory.find(delivery->route->workflow))
    return receive(delivery);
  post(
      s_, [this, delivery](Result<net::Response> result) { answer(delivery, std::move(result)); },
      [this, delivery](Reply&) { receive(delivery); });
}

/// What is decided before anything of the request is read.
Result<void> Hooks::admit(HookDelivery& d) {
  d.record.at = s_.clock.now();
  d.record.method = d.request.method;
  d.record.path = d.request.path;
  d.record.body_bytes = d.request.body.size();
  const auto address = find_client_address(d.request, s_.options.trusted_proxies);
  d.record.peer = address ? to_string(*address) : "unknown";
  const auto& allowed = d.route->hook.addresses;
  const bool is_allowed =
      allowed.empty() ||
      (address && std::ranges::any_of(allowed, [&](const auto& one) { return one.contains(*address); }));
  if (!is_allowed)
    return Error(codes::webhook_address, fmt::format("requests from {} are not taken here", d.record.peer));
  return take_turn(*d.route);
}

Result<void> Hooks::take_turn(const triggers::WebhookRoute& route) {
  const auto limit = route.hook.rate_per_minute;
  if (limit == 0) return {};
  const auto minute = std::chrono::floor<std::chrono::minutes>(s_.clock.now());
  const std::lock_guard lock(turns_mutex_);
  auto& turns = turns_[{route.workflow, route.hook.trigger}];
  if (turns.minute != minute) turns = {minute, 0};
  if (turns.taken < limit) return ++turns.taken, Result<void>();
  Error error(codes::webhook_rate, fmt::format("this webhook takes {} requests a minute", limit));
  error.retry_after =
      std::chrono::duration_cast<Milliseconds>(minute + std::chrono::minutes(1) - s_.clock.now());
  return error;
}

net::Response Hooks::preflight(const net::Request& request) const {
  const auto wanted = header_of(request, "Access-Control-Request-Method");
  const auto match = routes_.find(wanted, std::string_view(request.path).substr(kPrefix.size()));
  net::Response out{.status = 204, .content_type = ""};
  if (!match.route)
    return problem_response(Error(codes::not_found, "nothing listens here"), request.path, request.id);
  HookDelivery asked;
  asked.request = request;
  asked.route = match.route;
  allow_origin(asked, out);
  out.headers.emplace_back("Access-Control-Allow-Methods",
                           fmt::format("{}", fmt::join(match.route->hook.methods, ", ")));
  out.headers.emplace_back("Access-Control-Allow-Headers", "content-type, idempotency-key");
  return out;
}

void Hooks::allow_origin(const HookDelivery& delivery, net::Response& response) const {
  if (!delivery.route) return;
  const auto origin = header_of(delivery.request, "Origin");
  const auto& allowed = delivery.route->hook.origins;
  const bool any = std::ranges::find(allowed, "*") != allowed.end();
  if (origin.empty() || (!any && std::ranges::find(allowed, origin) == allowed.end())) return;
  response.headers.emplace_back("Access-Control-Allow-Origin", any ? "*" : std::string(origin));
  if (!any) response.headers.emplace_back("Vary", "Origin");
}

void Hooks::receive(const HookDeliveryPtr& delivery) {
  if (const auto checked = read_delivery(*delivery, s_.options.secrets, s_.clock.now()); !checked)
    return answer(delivery, checked.error());
  if (delivery->record.is_test) return consider(delivery);
  const auto& id = delivery->route->workflow;
  auto known = s_.directory.find(id);
  if (!known) {
    const auto loaded = s_.directory.load(id);
    if (loaded) known = *loaded;
  }
  if (!known || !known->is_live())
    return answer(delivery, Error(codes::not_found,
                                  fmt::format("nothing listens at {}", echo(delivery->request.path))));
  delivery->workflow = known->published;
  delivery->version = known->record.version;
  consider(delivery);
}

/// The value of an expression of the trigger, or the refusal under the name of the field.
void Hooks::ask(const HookDeliveryPtr& delivery, const std::shared_ptr<const model::Template>& wanted,
                std::string_view code, UniqueFunction<void(const Json&)> then) {
  std::vector<model::ScopeEntry> names{{"input", delivery->input}, {"vars", s_.options.vars}};
  render_later(s_.expressions, wanted, std::move(names), s_.clock.now(),
               [this, delivery, code, then = std::move(then)](Result<Json> value) mutable {
                 if (value) return then(*value);
                 auto error = value.error();
                 // What will be better soon is no fault of the request.
                 if (!error.retryable) error = Error(std::string(code), std::move(error.message), false);
                 answer(delivery, std::move(error));
               });
}

void Hooks::consider(const HookDeliveryPtr& delivery) {
  const auto& condition = delivery->route->hook.only_if;
  if (!condition) return identify(delivery);
  ask(delivery, condition, codes::webhook_condition.id, [this, delivery](const Json& value) {
    if (is_truthy(value)) return identify(delivery);
    delivery->record.outcome = "ignored";
    answer(delivery, json_response(200, JsonObject{{"status", "ignored"}}));
  });
}

void Hooks::identify(const HookDeliveryPtr& delivery) {
  const auto& hook = delivery->route->hook;
  if (!hook.dedupe) {
    if (!delivery->delivery_id.empty()) name_delivery(*delivery, "", delivery->delivery_id, true);
    return start_execution(delivery);
  }
  ask(delivery, hook.dedupe, codes::webhook_dedupe.id, [this, delivery](const Json& value) {
    if (value.is_null() || (value.is_string() && value.get_string().empty()))
      return answer(delivery, Error(codes::webhook_dedupe,
                                    "what tells deliveries apart (dedupe) is empty in this request"));
    name_delivery(*delivery, "by value ", engine::canonical_text(value), false);
    start_execution(delivery);
  });
}

void Hooks::start_execution(const HookDeliveryPtr& delivery) {
  const auto& workflow = delivery->workflow;
  auto& record = delivery->record;
  if (!workflow) {
    record.outcome = "captured";
    return answer(delivery, json_response(200, JsonObject{{"status", "captured"}}));
  }
  if (const auto fits = model::check_input(*workflow, *delivery->input); !fits)
    return answer(delivery, fits.error());
  auto request =
      make_start(s_, workflow, {delivery->route->workflow, delivery->version}, "webhook", delivery->input);
  // Whoever tests sends the same request again and again.
  if (!delivery->key.empty() && !record.is_test)
    request.idempotency =
        ports::IdempotencyEntry{delivery->key, delivery->fingerprint, request.id.bytes, s_.clock.now()};
  const auto id = request.id;
  record.execution = id;
  record.outcome = "triggered";
  const bool waits = delivery->route->hook.answer != Webhook::Answer::accepted;
  if (waits && !wait_for_end(delivery, id))
    return answer(delivery,
                  Error(codes::server_overloaded, "too many requests wait for results; try again soon"));
  s_.runtime.start_execution(
      std::move(request), [this, delivery, id, waits](Result<const engine::ExecutionState*> begun) {
        if (begun && waits) return;
        if (begun)
          return answer(delivery,
                        state_response(202, id, {{"status", "triggered"}, {"execution_id", to_string(id)}}));
        if (waits) s_.waits.drop(id);
        delivery->record.execution.reset();
        if (begun.error().code == codes::execution_duplicate.id) return answer_as_before(delivery);
        answer(delivery, begun.error());
      });
}

/// False when too many wait already.
bool Hooks::wait_for_end(const HookDeliveryPtr& delivery, const ExecutionId& id) {
  const auto& hook = delivery->route->hook;
  EndWaits::Done done = [this, delivery, id](const engine::ExecutionState* state, const Json* response) {
    if (response != nullptr) return answer(delivery, custom_response(id, *response));
    const auto text = to_string(id);
    if (state == nullptr) {
      return answer(delivery, Error(codes::webhook_timeout,
                                    fmt::format("there is no answer yet; execution {} goes on", text)));
    }
    if (state->status != model::ExecutionStatus::completed)
      return answer(delivery,
                    Error(codes::webhook_failed, fmt::format("execution {} did not complete", text)));
    if (delivery->route->hook.answer == Webhook::Answer::respond)
      return answer(delivery, state_response(200, id, {{"status", "completed"}, {"execution_id", text}}));
    auto out = json_response(200, state->output ? *state->output : Json(nullptr));
    out.headers.emplace_back("FlowPilot-Execution", text);
    answer(delivery, std::move(out));
  };
  return s_.waits.add(id, hook.wait, done);
}

/// The same delivery came before: it is the same one, or another under its name.
void Hooks::answer_as_before(const HookDeliveryPtr& delivery) {
  post(
      s_, [this, delivery](Result<net::Response> result) { answer(delivery, std::move(result)); },
      [this, delivery](Reply& reply) {
        const auto earlier = s_.store.find_idempotency(delivery->key);
        if (!earlier || earlier->request != delivery->fingerprint)
          return reply(
              Error(codes::webhook_conflict, "a delivery with this id came before, and it was another one"));
        const ExecutionId id{earlier->subject};
        delivery->record.outcome = "deduplicated";
        delivery->record.execution = id;
        reply(state_response(
            200, id, {{"status", "triggered"}, {"execution_id", to_string(id)}, {"deduplicated", true}}));
      });
}

void Hooks::answer(const HookDeliveryPtr& delivery, Result<net::Response> result) {
  const auto& request = delivery->request;
  auto response = result ? std::move(*result) : problem_response(result.error(), request.path, request.id);
  allow_origin(*delivery, response);
  if (delivery->route) {
    auto& record = delivery->record;
    record.status = response.status;
    if (!result && !record.execution) record.outcome = result.error().code;
    record.is_whole = delivery->envelope && request.body.size() <= HookLog::kMostBodyBytes;
    if (record.is_whole) record.request = delivery->envelope;
    log_.add(delivery->route->workflow, delivery->route->hook.trigger, std::move(record));
  }
  s_.metrics.on_request(nullptr, request.method, response.status,
                        std::chrono::steady_clock::now() - delivery->began);
  std::exchange(delivery->respond, {})(std::move(response));
}

void Hooks::replay(const CallPtr& call, Reply reply, const WorkflowId& workflow, const std::string& trigger,
                   const HookRecord& record) {
  const auto known = s_.directory.load(workflow);
  if (!known) return reply(known.error());
  const auto routes = list_hook_routes(**known);
  const auto route = std::ranges::find(routes, trigger, [](const auto& one) { return one->hook.trigger; });
  if (route == routes.end())
    return reply(Error(codes::not_found, "this workflow has no such webhook now: publish and enable it"));
  auto input = (*route)->hook.gives_body ? make_value(record.request->at("body")) : record.request;
  auto request =
      make_start(s_, (*known)->published, {workflow, (*known)->record.version}, "webhook", std::move(input));
  request.idempotency = call->entry_for(request.id, s_.clock.now());
  request.started.labels = make_value(JsonObject{{"replay_of", std::to_string(record.number)}});
  if (const auto fits = model::check_input(*request.workflow, *request.started.input); !fits)
    return reply(fits.error());
  start_and_reply(s_, call, std::move(request), Milliseconds(0), std::move(reply));
}

}  // namespace fp::api
