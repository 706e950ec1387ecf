#include "api/call.hpp"

#include <fmt/format.h>

namespace fp::api {

std::string Call::text(std::string_view name) const {
  const auto found = parameters.find(name);
  return found == parameters.end() || !found->second.is_string() ? std::string()
                                                                 : std::string(found->second.get_string());
}

std::uint64_t Call::number(std::string_view name) const {
  const auto found = parameters.find(name);
  return found == parameters.end() ? 0 : found->second.to_number<std::uint64_t>();
}

bool Call::flag(std::string_view name) const {
  const auto found = parameters.find(name);
  return found != parameters.end() && found->second.is_bool() && found->second.get_bool();
}

Hash256 Call::fingerprint() const {
  return hash_256(fmt::format("{} {}\n{}", request.method, request.path, to_text(body)));
}

net::Response json_response(unsigned status, const Json& body) {
  net::Response out;
  out.status = status;
  append_text(out.body, body);
  return out;
}

net::Response json_response(unsigned status, const Json& body, std::uint64_t revision) {
  auto out = json_response(status, body);
  out.headers.emplace_back("ETag", fmt::format("\"{}\"", revision));
  return out;
}

net::Response problem_response(const Error& error, std::string_view instance, std::string_view request_id) {
  Json problem = to_problem(error);
  auto& members = problem.get_object();
  const auto status = members.at("status").to_number<unsigned>();
  members.erase("retryable");
  members["instance"] = instance;
  members["request_id"] = request_id;
  auto out = json_response(status, problem);
  out.content_type = "application/problem+json";
  if (const auto seconds = json_int(problem, "retry_after"))
    out.headers.emplace_back("Retry-After", std::to_string(*seconds));
  else if (status == 429 || status == 503)
    out.headers.emplace_back("Retry-After", "1");
  return out;
}

}  // namespace fp::api
