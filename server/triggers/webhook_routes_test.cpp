#include "triggers/webhook_routes.hpp"

#include "base/json_parse.hpp"

#include <gtest/gtest.h>

namespace fp::triggers {
namespace {

WorkflowId id(std::uint8_t n) {
  WorkflowId out;
  out.bytes[0] = n;
  return out;
}

std::vector<WebhookRoutePtr> routes(std::uint8_t workflow, std::initializer_list<const char*> paths,
                                    std::vector<std::string> methods = {"POST"}) {
  std::vector<WebhookRoutePtr> out;
  for (const char* path : paths) {
    const auto trigger = parse_trusted_json(
        R"({"triggers": [{"id": "t", "trigger_type": "webhook", "trigger_config": {"path": ")" +
        std::string(path) + R"("}}]})");
    auto hook = read_webhooks(trigger, "w").at(0);
    hook.methods = methods;
    out.push_back(std::make_shared<const WebhookRoute>(
        WebhookRoute{hook, id(workflow), "W" + std::to_string(workflow), 1}));
  }
  return out;
}

void publish(WebhookRoutes& table, std::uint8_t workflow, std::vector<WebhookRoutePtr> wanted) {
  const auto claim = table.claim(id(workflow), std::move(wanted));
  ASSERT_TRUE(claim) << claim.error().message;
  table.settle(*claim, true);
}

std::string found(const WebhookRoutes& table, std::string_view path, std::string_view method = "POST") {
  const auto match = table.find(method, path);
  if (!match.route) return match.methods.empty() ? "404" : "405 " + match.methods.front();
  std::string out = match.route->workflow_name + " " + match.route->hook.path;
  for (const auto& [name, value] : match.params) out += " " + name + "=" + value;
  return out;
}

TEST(WebhookRoutes, FindsTheMostLiteralPath) {
  WebhookRoutes table;
  publish(table, 1, routes(1, {"orders/:id", "orders/new", ":any/new", "/a//b/"}));
  EXPECT_EQ(found(table, "orders/new"), "W1 orders/new");
  EXPECT_EQ(found(table, "orders/7/"), "W1 orders/:id id=7");
  EXPECT_EQ(found(table, "users/new"), "W1 :any/new any=users");
  EXPECT_EQ(found(table, "a/b"), "W1 a/b");
  EXPECT_EQ(found(table, "orders"), "404");
  EXPECT_EQ(found(table, "orders/7/x"), "404");
  EXPECT_EQ(found(table, "Orders/new"), "W1 :any/new any=Orders");
  EXPECT_EQ(found(table, "a/b", "GET"), "405 POST");
  EXPECT_EQ(found(table, ""), "404");
}

TEST(WebhookRoutes, APathBelongsToOneWorkflow) {
  WebhookRoutes table;
  publish(table, 1, routes(1, {"orders/:id"}));
  const auto taken = table.claim(id(2), routes(2, {"free", "orders/:number"}));
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, "webhook.path_taken");
  EXPECT_NE(taken.error().message.find("\"W1\""), std::string::npos);
  EXPECT_EQ(found(table, "free"), "404") << "all or nothing";
  publish(table, 2, routes(2, {"orders/:number"}, {"GET"}));
  EXPECT_EQ(found(table, "orders/7", "GET"), "W2 orders/:number number=7")
      << "another method is another webhook";
}

TEST(WebhookRoutes, WhatIsNotOnDiskDoesNotAnswerButKeepsOthersOut) {
  WebhookRoutes table;
  const auto first = table.claim(id(1), routes(1, {"a"}));
  ASSERT_TRUE(first);
  EXPECT_EQ(found(table, "a"), "404");
  EXPECT_FALSE(table.claim(id(2), routes(2, {"a"})));
  table.settle(*first, false);
  publish(table, 2, routes(2, {"a"}));
  EXPECT_EQ(found(table, "a"), "W2 a");
}

TEST(WebhookRoutes, ANewVersionReplacesTheOld) {
  WebhookRoutes table;
  publish(table, 1, routes(1, {"a", "b/:x"}));
  publish(table, 1, routes(1, {"b/:y", "c"}));
  EXPECT_EQ(found(table, "a"), "404");
  EXPECT_EQ(found(table, "b/1"), "W1 b/:y y=1");
  EXPECT_EQ(table.list().size(), 2u);
  publish(table, 1, {});
  EXPECT_EQ(found(table, "b/1"), "404");
  EXPECT_TRUE(table.list().empty());
}

TEST(Webhook, WithoutAPathItGetsOneThatStays) {
  const auto document = parse_trusted_json(
      R"({"triggers": [{"id": "t", "trigger_type": "webhook"}, {"id": "u", "trigger_type": "webhook", "enabled": false}]})");
  const auto first = read_webhooks(document, "w1");
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(first[0].path.size(), 32u);
  EXPECT_EQ(first, read_webhooks(document, "w1"));
  EXPECT_NE(first[0].path, read_webhooks(document, "w2")[0].path);
}

}  // namespace
}  // namespace fp::triggers
