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

Json to_resource(const model::TaskTypeSpec& spec) {
  JsonArray ports;
  for (const auto& port : spec.ports) ports.emplace_back(port);
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
                    {"source", spec.source}};
}

}  // namespace

void install_palette(Router& router, Services& s) {
  router.add_blocking(Operation::list_task_types, [&s](Call&) -> Result<net::Response> {
    JsonArray results;
    for (const auto& name : s.types.list_names()) results.push_back(to_resource(*s.types.find(name)));
    const auto count = results.size();
    return json_response(200,
                         JsonObject{{"count", count}, {"next", nullptr}, {"results", std::move(results)}});
  });
  router.add_blocking(Operation::get_task_type, [&s](Call& call) -> Result<net::Response> {
    const auto* spec = s.types.find(call.text("type"));
    if (spec == nullptr) return Error(codes::not_found, "there is no such task type");
    return json_response(200, to_resource(*spec));
  });
}

}  // namespace fp::api
