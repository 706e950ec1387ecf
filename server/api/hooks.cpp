#include "api/hooks.hpp"

#include "api/run_reply.hpp"
#include "base/error_code.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "triggers/webhook_body.hpp"
#include "triggers/webhook_signature.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fp::api {

namespace {

using triggers::Scheme;
using triggers::Webhook;

constexpr std::string_view kPrefix = "/hooks/";
constexpr std::size_t kSmallBody = 64u << 10;  // so much is checked where the request came in
constexpr std::size_t kMostIdBytes = 256;
constexpr std::string_view kHidden = "[hidden]";
constexpr std::string_view kCredentials[] = {"authorization", "proxy-authorization", "cookie"};

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

/// Names in lower case; those that repeat are joined, as RFC 9110 section 5.3 has it.
JsonObject show_headers(const net::Request& request, const Webhook& hook) {
  JsonObject out;
  const auto own_secret = hook.scheme == Scheme::token ? lower(hook.header) : std::string();
  for (const auto& [name, value] : request.headers) {
    const auto key = lower(name);
    const bool is_hidden =
        key == own_secret || std::ranges::find(kCredentials, key) != std::end(kCredentials);
    auto text = is_hidden ? std::string(kHidden) : is_utf8(value) ? value : std::string("(not UTF-8)");
    auto* known = out.if_contains(key);
    if (known == nullptr)
      out.emplace(key, std::move(text));
    else if (!is_hidden)
      *known = std::string(known->get_string()) + ", " + text;
  }
  return out;
}

JsonObject show_query(const net::Request& request) {
  JsonObject out;
  for (const auto& [name, value] : request.query) {
    auto* known = out.if_contains(name);
    if (known == nullptr)
      out.emplace(name, value);
    else if (known->is_array())
      known->get_array().emplace_back(value);
    else
      *known = JsonArray{Json(*known), Json(value)};
  }
  return out;
}

std::string_view header_of(const net::Request& request, std::string_view name) {
  const auto* found = net::find_field(request.headers, name);
  return found == nullptr ? std::string_view() : std::string_view(*found);
}

net::Response state_response(unsigned status, const ExecutionId& id, JsonObject body) {
  auto out = json_response(status, Json(std::move(body)));
  out.headers.emplace_back("FlowPilot-Execution", to_string(id));
  return out;
}

}  // namespace

/// One request on its way to an answer.
struct Hooks::Delivery {
  net::Request request;
  net::Handler::Respond respond;
  std::chrono::steady_clock::time_point began = std::chrono::steady_clock::now();
  triggers::WebhookRoutePtr route;
  JsonObject params;
  Value envelope;  // {method, path, params, query, headers, body}
  Value input;
  std::string delivery_id;
  std::string key;  // of the delivery among all requests of this server; "" without an id
  Hash256 fingerprint{};
  HookRecord record;
};

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
  auto delivery = std::make_shared<Delivery>();
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
  delivery->record.at = s_.clock.now();
  delivery->record.method = asked.method;
  delivery->record.path = asked.path;
  delivery->record.body_bytes = asked.body.size();
  if (const auto turn = take_turn(*delivery->route); !turn) return answer(delivery, turn.error());
  if (asked.body.size() <= kSmallBody && s_.directory.find(delivery->route->workflow))
    return receive(delivery);
  post(
      s_, [this, delivery](Result<net::Response> result) { answer(delivery, std::move(result)); },
      [this, delivery](Reply&) { receive(delivery); });
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
  Delivery asked;
  asked.request = request;
  asked.route = match.route;
  allow_origin(asked, out);
  out.headers.emplace_back("Access-Control-Allow-Methods",
                           fmt::format("{}", fmt::join(match.route->hook.methods, ", ")));
  out.headers.emplace_back("Access-Control-Allow-Headers", "content-type, idempotency-key");
  return out;
}

void Hooks::allow_origin(const Delivery& delivery, net::Response& response) const {
  if (!delivery.route) return;
  const auto origin = header_of(delivery.request, "Origin");
  const auto& allowed = delivery.route->hook.origins;
  const bool any = std::ranges::find(allowed, "*") != allowed.end();
  if (origin.empty() || (!any && std::ranges::find(allowed, origin) == allowed.end())) return;
  response.headers.emplace_back("Access-Control-Allow-Origin", any ? "*" : std::string(origin));
  if (!any) response.headers.emplace_back("Vary", "Origin");
}

/// Signature, body, delivery id: all that needs no other part of the server.
Result<void> Hooks::check(Delivery& d) {
  const auto& hook = d.route->hook;
  std::vector<std::string> secrets;
  for (const auto& name : hook.secrets) {
    const auto found = s_.options.secrets.find(name);
    if (found != s_.options.secrets.end()) secrets.push_back(found->second);
  }
  if (hook.scheme != Scheme::none && secrets.empty())
    return Error(codes::webhook_secret_missing,
                 "this server was started without the secret of this webhook, so it can trust nobody");
  d.record.signature = hook.scheme == Scheme::none ? "none" : "refused";
  const auto header = [&d](std::string_view name) { return header_of(d.request, name); };
  if (auto held = triggers::check_signature(hook, secrets, header, d.request.body, s_.clock.now()); !held)
    return held;
  if (hook.scheme != Scheme::none) d.record.signature = "ok";
  auto body = triggers::read_body(header("Content-Type"), d.request.body);
  if (!body) return body.error();
  d.delivery_id =
      header(hook.delivery_header.empty() ? "Idempotency-Key" : std::string_view(hook.delivery_header));
  if (d.delivery_id.empty() && hook.scheme == Scheme::stripe) d.delivery_id = json_string(*body, "id");
  if (d.delivery_id.size() > kMostIdBytes)
    return Error(codes::webhook_id,
                 fmt::format("the id of a delivery has at most {} characters", kMostIdBytes));
  if (!d.delivery_id.empty()) {
    const auto all = fmt::format("{} {} {}", to_string(d.route->workflow), hook.trigger, d.delivery_id);
    d.key = "hook:" + to_hex(hash_256(all));
    d.fingerprint = hash_256(fmt::format("{} {}\n{}", d.request.method, d.request.target, d.request.body));
  }
  d.envelope = make_value(JsonObject{{"method", d.request.method},
                                     {"path", d.request.path},
                                     {"params", std::move(d.params)},
                                     {"query", show_query(d.request)},
                                     {"headers", show_headers(d.request, hook)},
                                     {"body", *body}});
  d.input = hook.gives_body ? make_value(std::move(*body)) : d.envelope;
  return {};
}

void Hooks::receive(const DeliveryPtr& delivery) {
  if (const auto checked = check(*delivery); !checked) return answer(delivery, checked.error());
  const auto& id = delivery->route->workflow;
  auto known = s_.directory.find(id);
  if (!known) {
    const auto loaded = s_.directory.load(id);
    if (loaded) known = *loaded;
  }
  if (!known || !known->is_live())
    return answer(delivery, Error(codes::not_found,
                                  fmt::format("nothing listens at {}", echo(delivery->request.path))));
  start_execution(delivery, *known);
}

void Hooks::start_execution(const DeliveryPtr& delivery, const KnownWorkflow& known) {
  const auto& workflow = known.published;
  if (const auto fits = model::check_input(*workflow, *delivery->input); !fits)
    return answer(delivery, fits.error());
  auto request =
      make_start(s_, workflow, {known.record.id, known.record.version}, "webhook", delivery->input);
  if (!delivery->key.empty())
    request.idempotency =
        ports::IdempotencyEntry{delivery->key, delivery->fingerprint, request.id.bytes, s_.clock.now()};
  const auto id = request.id;
  delivery->record.execution = id;
  delivery->record.outcome = "triggered";
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
bool Hooks::wait_for_end(const DeliveryPtr& delivery, const ExecutionId& id) {
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
void Hooks::answer_as_before(const DeliveryPtr& delivery) {
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

void Hooks::answer(const DeliveryPtr& delivery, Result<net::Response> result) {
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
