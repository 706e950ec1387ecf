#pragma once

#include "base/ids.hpp"
#include "base/result.hpp"
#include "triggers/webhook.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace fp::triggers {

/// A webhook and whose it is.
struct WebhookRoute {
  Webhook hook;
  WorkflowId workflow;
  std::string workflow_name;
  std::uint32_t version = 0;
};
using WebhookRoutePtr = std::shared_ptr<const WebhookRoute>;

/// What a request is for: a route and what its `:name` segments took, or the methods that its path has
/// instead, or neither.
struct WebhookMatch {
  WebhookRoutePtr route;
  std::vector<std::pair<std::string, std::string>> params;
  std::vector<std::string> methods;
};

/// Every path on which something listens. A workflow claims its paths before the write that publishes them
/// and settles the claim after it, so that of two workflows only one gets a path, and none answers that is
/// not on disk. A literal segment wins over `:name`. Thread-safe.
class WebhookRoutes {
 public:
  /// Error webhook.path_taken, naming the other workflow.
  Result<std::uint64_t> claim(const WorkflowId& workflow, std::vector<WebhookRoutePtr> routes);
  /// With `holds` the claimed routes replace those the workflow had.
  void settle(std::uint64_t claim, bool holds);
  /// `path` is what follows /hooks/.
  WebhookMatch find(std::string_view method, std::string_view path) const;
  /// In the order of their paths.
  std::vector<WebhookRoutePtr> list() const;

 private:
  using Methods = std::map<std::string, WebhookRoutePtr, std::less<>>;
  struct Claim {
    WorkflowId workflow;
    std::vector<WebhookRoutePtr> routes;
  };
  const WebhookRoute* find_other(const WorkflowId& workflow, const WebhookRoute& wanted) const;
  void remove(const WorkflowId& workflow);
  bool match(const std::string& shape, const std::vector<std::string>& segments, std::string_view method,
             WebhookMatch& out) const;

  mutable std::shared_mutex mutex_;
  // All guarded by mutex_. The shape of a path has ":" for each segment that takes anything.
  std::map<std::string, Methods, std::less<>> shapes_;
  std::map<std::size_t, std::vector<std::string>> open_shapes_;  // those with ":", by their length
  std::unordered_map<WorkflowId, std::vector<WebhookRoutePtr>> by_workflow_;
  std::map<std::uint64_t, Claim> claims_;
  std::uint64_t next_claim_ = 1;
};

}  // namespace fp::triggers
