#include "triggers/webhook_routes.hpp"

#include "base/error_code.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fp::triggers {

namespace {

std::string shape_of(const std::vector<std::string>& segments) {
  std::string out;
  for (const auto& segment : segments) {
    if (!out.empty()) out += '/';
    out += segment.starts_with(':') ? ":" : segment;
  }
  return out;
}

std::vector<std::string> split(std::string_view path) {
  std::vector<std::string> out;
  while (!path.empty()) {
    const auto to = std::min(path.find('/'), path.size());
    if (to > 0) out.emplace_back(path.substr(0, to));
    path.remove_prefix(std::min(to + 1, path.size()));
  }
  return out;
}

bool fits(const std::vector<std::string>& shape, const std::vector<std::string>& segments) {
  return std::equal(shape.begin(), shape.end(), segments.begin(), segments.end(),
                    [](const auto& wanted, const auto& given) { return wanted == ":" || wanted == given; });
}

bool share_method(const Webhook& a, const Webhook& b) {
  return std::ranges::any_of(a.methods, [&](const auto& method) {
    return std::find(b.methods.begin(), b.methods.end(), method) != b.methods.end();
  });
}

}  // namespace

const WebhookRoute* WebhookRoutes::find_other(const WorkflowId& workflow, const WebhookRoute& wanted) const {
  const auto shape = shape_of(wanted.hook.segments);
  if (const auto found = shapes_.find(shape); found != shapes_.end()) {
    for (const auto& method : wanted.hook.methods) {
      const auto taken = found->second.find(method);
      if (taken != found->second.end() && taken->second->workflow != workflow) return taken->second.get();
    }
  }
  for (const auto& [number, claim] : claims_) {
    if (claim.workflow == workflow) continue;
    for (const auto& route : claim.routes) {
      if (shape_of(route->hook.segments) == shape && share_method(route->hook, wanted.hook))
        return route.get();
    }
  }
  return nullptr;
}

Result<std::uint64_t> WebhookRoutes::claim(const WorkflowId& workflow, std::vector<WebhookRoutePtr> routes) {
  const std::unique_lock lock(mutex_);
  for (const auto& route : routes) {
    const auto* other = find_other(workflow, *route);
    if (other == nullptr) continue;
    return Error(codes::webhook_path_taken,
                 fmt::format("the workflow \"{}\" listens at {} {} already", other->workflow_name,
                             fmt::join(route->hook.methods, ", "), "/hooks/" + route->hook.path));
  }
  const auto number = next_claim_++;
  claims_.emplace(number, Claim{workflow, std::move(routes)});
  return number;
}

void WebhookRoutes::settle(std::uint64_t claim, bool holds) {
  const std::unique_lock lock(mutex_);
  const auto found = claims_.find(claim);
  if (found == claims_.end()) return;
  const auto taken = std::move(found->second);
  claims_.erase(found);
  if (!holds) return;
  remove(taken.workflow);
  for (const auto& route : taken.routes) {
    const auto& segments = route->hook.segments;
    const auto shape = shape_of(segments);
    auto& methods = shapes_[shape];
    const bool is_open =
        std::ranges::any_of(segments, [](const auto& segment) { return segment.starts_with(':'); });
    if (methods.empty() && is_open) open_shapes_[segments.size()].push_back(shape);
    for (const auto& method : route->hook.methods) methods[method] = route;
  }
  if (!taken.routes.empty()) by_workflow_[taken.workflow] = taken.routes;
}

void WebhookRoutes::remove(const WorkflowId& workflow) {
  const auto known = by_workflow_.find(workflow);
  if (known == by_workflow_.end()) return;
  for (const auto& route : known->second) {
    const auto shape = shape_of(route->hook.segments);
    const auto found = shapes_.find(shape);
    if (found == shapes_.end()) continue;
    std::erase_if(found->second, [&](const auto& entry) { return entry.second->workflow == workflow; });
    if (!found->second.empty()) continue;
    shapes_.erase(found);
    const auto open = open_shapes_.find(route->hook.segments.size());
    if (open != open_shapes_.end()) std::erase(open->second, shape);
  }
  by_workflow_.erase(known);
}

bool WebhookRoutes::match(const std::string& shape, const std::vector<std::string>& segments,
                          std::string_view method, WebhookMatch& out) const {
  const auto found = shapes_.find(shape);
  if (found == shapes_.end()) return false;
  const auto route = found->second.find(method);
  if (route == found->second.end()) {
    for (const auto& entry : found->second) out.methods.push_back(entry.first);
    return false;
  }
  out.route = route->second;
  const auto& wanted = out.route->hook.segments;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i].starts_with(':')) out.params.emplace_back(wanted[i].substr(1), segments[i]);
  }
  return true;
}

WebhookMatch WebhookRoutes::find(std::string_view method, std::string_view path) const {
  WebhookMatch out;
  const auto segments = split(path);
  if (segments.empty()) return out;
  const std::shared_lock lock(mutex_);
  std::string literal;
  for (const auto& segment : segments) literal += (literal.empty() ? "" : "/") + segment;
  if (match(literal, segments, method, out)) return out;
  const auto open = open_shapes_.find(segments.size());
  if (open == open_shapes_.end()) return out;
  // The one that says most about the path: the most literal segments, and those early.
  const std::string* best = nullptr;
  std::string best_rank;
  for (const auto& shape : open->second) {
    const auto wanted = split(shape);
    if (!fits(wanted, segments)) continue;
    std::string rank;
    for (const auto& segment : wanted) rank += segment == ":" ? '0' : '1';
    const auto count = std::ranges::count(rank, '1');
    rank.insert(0, 1, static_cast<char>('0' + count));
    if (best == nullptr || rank > best_rank) {
      best = &shape;
      best_rank = rank;
    }
  }
  if (best != nullptr) match(*best, segments, method, out);
  return out;
}

std::vector<WebhookRoutePtr> WebhookRoutes::list() const {
  const std::shared_lock lock(mutex_);
  std::vector<WebhookRoutePtr> out;
  for (const auto& [workflow, routes] : by_workflow_) out.insert(out.end(), routes.begin(), routes.end());
  std::ranges::sort(out, [](const auto& a, const auto& b) { return a->hook.path < b->hook.path; });
  return out;
}

}  // namespace fp::triggers
