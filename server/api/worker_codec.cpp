#include "api/worker_codec.hpp"

#include "base/error_code.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace fp::api {

using namespace fp::workers;

namespace {

std::vector<std::string> texts_of(const Json* list) {
  std::vector<std::string> out;
  if (list == nullptr) return out;
  for (const auto& text : list->get_array()) out.emplace_back(text.get_string());
  return out;
}

std::uint64_t whole(const Json& json, std::string_view key, std::uint64_t fallback) {
  const auto* value = json_find(json, key);
  return value == nullptr ? fallback : value->to_number<std::uint64_t>();
}

Json null_or(const std::optional<TimePoint>& time) {
  return time ? Json(to_rfc3339(*time)) : Json(nullptr);
}

JsonArray* list_in(Json& json, std::string_view key) {
  auto* list = json.as_object().if_contains(key);
  return list == nullptr ? nullptr : &list->as_array();
}

}  // namespace

Result<Registration> read_registration(const Json& json) {
  Registration out;
  out.name = json_string(json, "name");
  out.host = json_string(json, "host");
  out.pid = whole(json, "pid", 0);
  out.sdk = json_string(json, "sdk");
  out.runtime = json_string(json, "runtime");
  out.slots = static_cast<std::uint32_t>(whole(json, "slots", 1));
  out.queues = texts_of(json_find(json, "queues"));
  if (out.queues.empty()) out.queues.emplace_back("default");
  if (const auto* problems = json_find(json, "problems")) out.problems = *problems;
  if (const auto* isolation = json_find(json, "isolation")) out.isolation = *isolation;
  std::vector<Issue> issues;
  std::set<std::string> names;
  const auto& types = json.at("task_types").get_array();
  for (std::size_t i = 0; i < types.size(); ++i) {
    const auto pointer = fmt::format("/task_types/{}", i);
    auto function = model::read_function(types[i], pointer, issues);
    if (!function.type.empty() && !names.insert(function.type).second)
      issues.push_back(
          {pointer + "/type", codes::field_range.id, fmt::format("{} is there twice", function.type)});
    out.functions.push_back(std::move(function));
  }
  if (issues.empty()) return out;
  Error error(codes::validation_failed, fmt::format("{} {}", issues.front().pointer, issues.front().message));
  error.issues = std::move(issues);
  return error;
}

Result<std::vector<ports::LogLine>> read_lines(Json& json, TimePoint now) {
  std::vector<ports::LogLine> out;
  for (auto& line : json.as_array()) {
    const auto level = json_string(line, "level");
    ports::LogLine read{now, level.empty() ? "info" : level, json_string(line, "text")};
    if (const auto* at = json_find(line, "at")) {
      const auto time = parse_rfc3339(std::string_view(at->get_string()));
      if (!time) return time.error();
      read.at = *time;
    }
    out.push_back(std::move(read));
  }
  return out;
}

std::vector<Heartbeat> read_heartbeats(Json& json) {
  std::vector<Heartbeat> out;
  for (auto& beat : json.as_array()) {
    Heartbeat read{json_string(beat, "lease"), std::nullopt};
    if (auto* details = beat.as_object().if_contains("details")) read.details = std::move(*details);
    out.push_back(std::move(read));
  }
  return out;
}

Error read_reported_error(const Json& json) {
  Error error(json_string(json, "code"), json_string(json, "message"), false);
  const auto* retryable = json_find(json, "retryable");
  error.retryable = retryable != nullptr && retryable->get_bool();
  if (const auto* details = json_find(json, "details")) error.details = *details;
  return error;
}

Result<Exchange> read_exchange(Json& json) {
  Exchange out;
  out.max = static_cast<std::uint32_t>(whole(json, "max", 0));
  if (const auto* wait = json_find(json, "wait_seconds"))
    out.wait = Milliseconds(static_cast<std::int64_t>(wait->to_number<double>() * 1000));
  if (auto* results = list_in(json, "results")) {
    for (auto& result : *results)
      out.reports.push_back({json_string(result, "lease"), std::move(result.as_object()["result"])});
  }
  if (auto* failures = list_in(json, "failures")) {
    for (auto& failure : *failures)
      out.reports.push_back({json_string(failure, "lease"), read_reported_error(failure.at("error"))});
  }
  if (auto* beats = json.as_object().if_contains("heartbeats")) out.heartbeats = read_heartbeats(*beats);
  if (auto* logs = list_in(json, "logs")) {
    for (auto& log : *logs) {
      auto lines = read_lines(log.at("lines"), TimePoint{});
      if (!lines) return lines.error();
      out.logs.push_back({json_string(log, "lease"), std::move(*lines)});
    }
  }
  return out;
}

Json to_json(const GrantedLease& lease) {
  const auto& attempt = lease.attempt;
  return JsonObject{{"lease", lease.lease},
                    {"execution_id", to_string(attempt.execution)},
                    {"step", attempt.step},
                    {"index", attempt.index ? Json(*attempt.index) : Json(nullptr)},
                    {"attempt", attempt.attempt},
                    {"step_type", attempt.step_type},
                    {"config", *attempt.config},
                    {"idempotency_key", attempt.idempotency_key},
                    {"timeout_seconds", static_cast<double>(attempt.timeout.count()) / 1000},
                    {"deadline", to_rfc3339(lease.deadline)},
                    {"last_details", lease.last_details}};
}

JsonArray to_json(const std::vector<std::string>& names) {
  return JsonArray(names.begin(), names.end());
}

Json to_json(const ExchangeAnswer& answer) {
  JsonArray leases;
  for (const auto& lease : answer.leases) leases.push_back(to_json(lease));
  return JsonObject{{"leases", std::move(leases)},
                    {"acknowledged", to_json(answer.acknowledged)},
                    {"lost", to_json(answer.lost)},
                    {"cancelled", to_json(answer.cancelled)},
                    {"draining", answer.draining}};
}

Json to_json(const WorkerView& worker) {
  const auto& said = worker.registration;
  JsonArray types;
  for (const auto& function : said.functions) types.emplace_back(function.type);
  JsonArray leases;
  for (const auto& lease : worker.leases)
    leases.push_back(JsonObject{{"lease", lease.lease},
                                {"execution_id", lease.execution},
                                {"step", lease.step},
                                {"step_type", lease.step_type},
                                {"attempt", lease.attempt},
                                {"since", to_rfc3339(lease.since)},
                                {"details", lease.details}});
  return JsonObject{{"id", to_string(worker.id)},
                    {"name", said.name},
                    {"host", said.host},
                    {"pid", said.pid},
                    {"sdk", said.sdk},
                    {"runtime", said.runtime},
                    {"status", worker.status},
                    {"slots", said.slots},
                    {"queues", to_json(said.queues)},
                    {"task_types", std::move(types)},
                    {"problems", said.problems},
                    {"isolation", said.isolation},
                    {"registered_at", to_rfc3339(worker.registered_at)},
                    {"last_seen_at", to_rfc3339(worker.last_seen_at)},
                    {"leases", std::move(leases)}};
}

Json to_json(const QueueView& queue) {
  return JsonObject{{"queue", queue.queue},     {"step_type", queue.step_type},
                    {"waiting", queue.waiting}, {"running", queue.running},
                    {"workers", queue.workers}, {"oldest_at", null_or(queue.oldest)}};
}

}  // namespace fp::api
