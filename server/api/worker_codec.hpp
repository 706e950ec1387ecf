#pragma once

#include "workers/messages.hpp"

/// The worker protocol's JSON (docs/reference/worker-protocol.md). What comes in has passed the schemas of
/// contract/openapi.yaml.
namespace fp::api {

constexpr std::size_t kMostResultBytes = 12u << 20;

/// Error validation.failed with a pointer for everything wrong.
Result<workers::Registration> read_registration(const Json& json);
/// Error time.syntax.
Result<workers::Exchange> read_exchange(Json& json);
std::vector<workers::Heartbeat> read_heartbeats(Json& json);
Error read_reported_error(const Json& json);
Result<std::vector<ports::LogLine>> read_lines(Json& json, TimePoint now);

Json to_json(const workers::GrantedLease& lease);
Json to_json(const workers::ExchangeAnswer& answer);
Json to_json(const workers::WorkerView& worker);
Json to_json(const workers::QueueView& queue);
JsonArray to_json(const std::vector<std::string>& names);

}  // namespace fp::api
