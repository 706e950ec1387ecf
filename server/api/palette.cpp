#include "api/services.hpp"
#include "base/error_code.hpp"

#include <fmt/format.h>

namespace fp::api {

namespace {

/// The defaults that a schema states, as a config to start from.
JsonObject defaults_of(const Json& schema) {
  JsonObject out;
  const auto* properties = json_find(schema, "properties");
  if (properties == nullptr || !properties->is_object()) return out;
  for (const auto& property : properties->get_object()) {
    if (const auto* fallback = json_find(property.value(), "default")) out[property.key()] = *fallback;
  }
  return out;
}

Json to_resource(const model::TaskTypeSpec& spec, const workers::WorkerHub& workers) {
  JsonArray ports;
  for (const auto& port : spec.ports) ports.emplace_back(port);
  const bool is_function = spec.is_function();
  return JsonObject{{"type", spec.type},
                    {"title", spec.title},
                    {"category", spec.category},
                    {"icon", spec.icon},
                    {"description", spec.description},
                    {"config_schema", spec.config_schema},
                    {"output_schema", spec.output_schema},
                    {"ports", std::move(ports)},
                    {"dynamic_ports", spec.dynamic_ports},
                    {"idempotent", spec.idempotent},
                    {"defaults", defaults_of(spec.config_schema)},
                    {"source", spec.source},
                    {"queue", is_function ? Json(spec.queue) : Json(nullptr)},
                    {"workers", is_function ? Json(workers.count_workers(spec.type)) : Json(nullptr)},
                    {"step_defaults", spec.step_defaults},
                    {"problem", nullptr}};
}

/// A module whose functions nobody can use stands where its author looks for them, and says why.
Json to_resource(const Json& problem, const std::string& worker) {
  const auto module = json_string(problem, "module");
  const auto traceback = json_string(problem, "traceback");
  return JsonObject{{"type", module},
                    {"title", module},
                    {"category", "problems"},
                    {"icon", "alert"},
                    {"description", json_string(problem, "title")},
                    {"config_schema", JsonObject{{"type", "object"}}},
                    {"output_schema", nullptr},
                    {"ports", JsonArray()},
                    {"dynamic_ports", false},
                    {"idempotent", true},
                    {"defaults", JsonObject()},
                    {"source", "problem"},
                    {"queue", nullptr},
                    {"workers", nullptr},
                    {"step_defaults", nullptr},
                    {"problem", JsonObject{{"module", module},
                                           {"title", json_string(problem, "title")},
                                           {"traceback", traceback},
                                           {"worker", worker}}}};
}

}  // namespace

void install_palette(Router& router, Services& s) {
  router.add_blocking(Operation::list_task_types, [&s](Call&) -> Result<net::Response> {
    JsonArray results;
    for (const auto& name : s.types.list_names())
      results.push_back(to_resource(*s.types.find(name), s.workers));
    for (const auto& worker : s.workers.list_workers()) {
      for (const auto& problem : worker.registration.problems.get_array())
        results.push_back(to_resource(problem, worker.registration.name));
    }
    const auto count = results.size();
    return json_response(200,
                         JsonObject{{"count", count}, {"next", nullptr}, {"results", std::move(results)}});
  });
  router.add_blocking(Operation::get_task_type, [&s](Call& call) -> Result<net::Response> {
    const auto spec = s.types.find(call.text("type"));
    if (spec == nullptr) return Error(codes::not_found, "there is no such task type");
    return json_response(200, to_resource(*spec, s.workers));
  });
}

}  // namespace fp::api
