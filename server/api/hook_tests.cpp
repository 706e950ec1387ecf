#include "api/hook_tests.hpp"

#include "api/hooks.hpp"
#include "api/schedule_limits.hpp"
#include "base/error_code.hpp"
#include "base/json_parse.hpp"
#include "base/text.hpp"

#include <fmt/format.h>

#include <algorithm>

// Test URLs: /hooks-test/WORKFLOW/TRIGGER/ takes requests for a webhook of a draft while somebody waits for
// them.
namespace fp::api {

namespace {

constexpr std::string_view kPrefix = "/hooks-test/";

struct Target {
  WorkflowId workflow;
  std::string trigger;
  std::vector<std::string> rest;  // what follows, to fill the `:name` words
};

std::optional<Target> read_target(std::string_view path) {
  path.remove_prefix(kPrefix.size());
  std::vector<std::string> words;
  while (!path.empty()) {
    const auto to = std::min(path.find('/'), path.size());
    if (to > 0) words.emplace_back(path.substr(0, to));
    path.remove_prefix(std::min(to + 1, path.size()));
  }
  if (words.size() < 2) return std::nullopt;
  const auto id = parse_uuid<WorkflowId>(words[0]);
  if (!id) return std::nullopt;
  return Target{*id, words[1], {words.begin() + 2, words.end()}};
}

/// What a request to the real path would bring as `params`; nothing when the words do not fit it.
std::optional<JsonObject> match_params(const triggers::Webhook& hook, const std::vector<std::string>& words) {
  JsonObject out;
  if (!words.empty() && words.size() != hook.segments.size()) return std::nullopt;
  for (std::size_t i = 0; i < hook.segments.size(); ++i) {
    const auto& wanted = hook.segments[i];
    if (wanted.starts_with(':'))
      out.emplace(wanted.substr(1), words.empty() ? "" : words[i]);
    else if (!words.empty() && words[i] != wanted)
      return std::nullopt;
  }
  return out;
}

/// Mistakes in the document that are about this trigger.
std::vector<Issue> issues_of(const Services& s, const Json& document, const std::string& trigger) {
  const auto read = read_document(s, document);
  std::vector<Issue> out;
  if (read) return out;
  const auto& all = document.at("triggers").as_array();
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (json_string(all[i], "id") != trigger) continue;
    for (const auto& issue : read.error().issues) {
      if (issue.pointer.starts_with(fmt::format("/triggers/{}/", i))) out.push_back(issue);
    }
  }
  return out;
}

}  // namespace

void HookTests::arm(const WorkflowId& workflow, const std::string& trigger, Armed armed, TimePoint now) {
  const std::lock_guard lock(mutex_);
  std::erase_if(armed_, [&](const auto& entry) { return entry.second.until <= now; });
  armed_.insert_or_assign({workflow, trigger}, armed);
  if (armed.until <= now) armed_.erase({workflow, trigger});
  if (armed_.size() > kMostArmed)
    armed_.erase(std::ranges::min_element(armed_, {}, [](const auto& entry) { return entry.second.until; }));
}

std::optional<HookTests::Armed> HookTests::find(const WorkflowId& workflow, const std::string& trigger,
                                                TimePoint now) const {
  const std::lock_guard lock(mutex_);
  const auto found = armed_.find({workflow, trigger});
  if (found == armed_.end() || found->second.until <= now) return std::nullopt;
  return found->second;
}

Result<triggers::Webhook> find_draft_webhook(const KnownWorkflow& workflow, const std::string& trigger) {
  const auto document = parse_trusted_json(workflow.record.draft);
  auto hook = triggers::find_webhook(document, to_string(workflow.record.id), trigger);
  if (!hook) return Error(codes::not_found, fmt::format("the draft has no webhook {}", echo(trigger)));
  return *hook;
}

void Hooks::handle_test(net::Request request, net::Handler::Respond respond) {
  auto delivery = std::make_shared<HookDelivery>();
  delivery->request = std::move(request);
  delivery->respond = std::move(respond);
  post(
      s_, [this, delivery](Result<net::Response> result) { answer(delivery, std::move(result)); },
      [this, delivery](Reply&) { receive_test(delivery); });
}

void Hooks::receive_test(const HookDeliveryPtr& delivery) {
  auto& d = *delivery;
  const Error nothing(codes::not_found, fmt::format("nothing waits at {}: press Listen in the editor first",
                                                    echo(d.request.path)));
  const auto target = read_target(d.request.path);
  if (!target) return answer(delivery, nothing);
  const auto armed = tests_.find(target->workflow, target->trigger, s_.clock.now());
  const auto known = armed ? s_.directory.load(target->workflow) : Result<KnownPtr>(nothing);
  if (!known) return answer(delivery, nothing);
  auto hook = find_draft_webhook(**known, target->trigger);
  auto params = hook ? match_params(*hook, target->rest) : std::nullopt;
  if (!params) return answer(delivery, nothing);
  d.params = std::move(*params);
  d.record.is_test = true;
  const auto& record = (*known)->record;
  d.route = std::make_shared<const triggers::WebhookRoute>(
      triggers::WebhookRoute{std::move(*hook), record.id, record.name, 0});
  const auto& methods = d.route->hook.methods;
  if (d.request.method == "OPTIONS") {
    net::Response out{.status = 204, .content_type = ""};
    allow_origin(d, out);
    d.route.reset();  // a question, not a request
    return answer(delivery, std::move(out));
  }
  if (const auto let = admit(d); !let) return answer(delivery, let.error());
  if (std::ranges::find(methods, d.request.method) == methods.end())
    return answer(delivery, Error(codes::method_not_allowed,
                                  fmt::format("this webhook does not take {}", echo(d.request.method))));
  if (!(*known)->draft) {
    Error mistakes(codes::workflow_invalid, "the draft has mistakes in this webhook");
    mistakes.issues = issues_of(s_, parse_trusted_json(record.draft), target->trigger);
    if (!mistakes.issues.empty() || armed->runs) return answer(delivery, mistakes);
  }
  if (armed->runs) d.workflow = (*known)->draft;
  receive(delivery);
}

Result<Json> Hooks::listen_for_test(const WorkflowId& workflow, const std::string& trigger,
                                    std::optional<HookTests::Armed> wanted) {
  const auto known = s_.directory.load(workflow);
  if (!known) return known.error();
  const auto hook = find_draft_webhook(**known, trigger);
  if (!hook) return hook.error();
  const auto now = s_.clock.now();
  if (wanted) tests_.arm(workflow, trigger, *wanted, now);
  const auto armed = tests_.find(workflow, trigger, now);
  return JsonObject{{"path", fmt::format("{}{}/{}/", kPrefix, to_string(workflow), trigger)},
                    {"listening", armed.has_value()},
                    {"until", armed ? Json(to_rfc3339(armed->until)) : Json(nullptr)},
                    {"run", armed && armed->runs}};
}

}  // namespace fp::api
