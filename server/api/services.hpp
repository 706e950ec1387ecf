#pragma once

#include "api/directory.hpp"
#include "api/end_waits.hpp"
#include "api/metrics.hpp"
#include "api/page.hpp"
#include "api/router.hpp"
#include "base/ip_address.hpp"
#include "net/http_server.hpp"
#include "ports/expression.hpp"
#include "runtime/runtime.hpp"
#include "triggers/webhook_routes.hpp"
#include "workers/worker_hub.hpp"

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fp::api {

/// A limit, as /api/limits/ shows it.
struct LimitRow {
  std::string name;
  double value = 0;
  std::string unit;
  std::string description;
};

struct ApiOptions {
  Value vars = make_value(JsonObject());  // what expressions read as `vars`
  std::vector<LimitRow> limits;
  net::Limits net;
  std::string durability = "power-safe";
  std::string storage;              // library and version, for /readyz
  std::string worker_token;         // what workers must send; empty: nobody may be a worker
  bool workers_only = false;        // no route but those of the worker protocol
  std::function<Json()> isolation;  // layers around expressions
  std::function<ports::TaskHandler*(const std::string&)> find_handler;  // of a built-in task type, for polls
  std::map<std::string, std::string, std::less<>> secrets;  // that webhooks check signatures with, by name
  std::vector<IpNetwork> trusted_proxies;  // whose X-Forwarded-For says who sent a request to a webhook
  Milliseconds least_schedule_gap{1'000};  // between two ticks of a schedule
  PagePack page;                           // the web page; empty when this build has none
  std::span<const std::pair<std::string_view, std::string_view>> templates;  // id and YAML text
};

class EventHub;
class Poller;
class Scheduler;

/// What the handlers work with. All of it outlives the router.
struct Services {
  ports::Store& store;
  runtime::Runtime& runtime;
  const model::TaskTypeRegistry& types;
  workers::WorkerHub& workers;
  ports::ExpressionEvaluator& expressions;
  model::SyntaxCheck check_syntax;
  const Clock& clock;
  Rng& rng;
  Pool& pool;
  Directory& directory;
  EndWaits& waits;
  Metrics& metrics;
  triggers::WebhookRoutes& webhooks;
  Scheduler& scheduler;
  EventHub& events;
  Poller& poller;
  const ApiOptions& options;
};

// One installer a file; each adds the handlers of its routes.
void install_workflow_reads(Router& router, Services& services);
void install_workflow_writes(Router& router, Services& services);
void install_run(Router& router, Services& services);
void install_execution_reads(Router& router, Services& services);
void install_execution_control(Router& router, Services& services);
void install_retry(Router& router, Services& services);
void install_history(Router& router, Services& services);
void install_templates(Router& router, Services& services);
void install_palette(Router& router, Services& services);
void install_expressions(Router& router, Services& services);
void install_stats(Router& router, Services& services);
void install_workers(Router& router, Services& services);
void install_trigger_problems(Router& router, Services& services);

/// Runs `job` on the pool. The reply says so instead when the pool's queue is full or the storage fails.
void post(Services& services, Reply reply, UniqueFunction<void(Reply&)> job);
/// What an earlier request with the same Idempotency-Key made or changed (its id): nullopt when there was
/// none. Error idempotency.conflict when that request was another one. Blocks.
template <class Id>
Result<std::optional<Id>> find_repeated(Services& services, const Call& call);
/// The execution as it is on disk, as the API shows it. Blocks. Error not_found.
Result<Json> load_resource(Services& services, const ExecutionId& id);

}  // namespace fp::api
