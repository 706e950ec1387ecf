#include "api/policy.hpp"

#include "base/error_code.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fp::api {

namespace {
/// Written out by hand, not generated: a new action in contract/openapi.yaml is refused until somebody
/// decides about it here.
constexpr std::string_view kDecided[] = {
    "event.publish",   "event.read",       "execution.control", "execution.read", "execution.signal",
    "execution.start", "palette.read",     "schedule.control",  "schedule.read",  "system.public",
    "system.read",     "webhook.control",  "webhook.read",      "worker.control", "worker.protocol",
    "worker.read",     "workflow.publish", "workflow.read",     "workflow.write"};
}  // namespace

bool is_known_action(std::string_view action) {
  return std::find(std::begin(kDecided), std::end(kDecided), action) != std::end(kDecided);
}

Result<void> decide_access(const Subject& subject, std::string_view action, std::string_view) {
  if (action == "worker.protocol") {
    if (subject.is_worker) return {};
    return Error(codes::auth_token,
                 "only workers may do this: the request carries no worker token, or a wrong one");
  }
  if (action == "worker.control" && subject.is_worker) return {};
  if (subject.from_loopback && is_known_action(action)) return {};
  return Error(codes::forbidden, fmt::format("{} needs the right {}", subject.name, action));
}

}  // namespace fp::api
