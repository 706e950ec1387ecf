#include "triggers/webhook_signature.hpp"

#include "base/hash.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

namespace fp::triggers {
namespace {

using Headers = std::map<std::string, std::string, std::less<>>;

std::string outcome(const Webhook& hook, const std::vector<std::string>& secrets, const Headers& headers,
                    std::string_view body, TimePoint now = TimePoint(std::chrono::seconds(1614265330))) {
  const auto header = [&](std::string_view name) {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string_view() : std::string_view(found->second);
  };
  const auto checked = check_signature(hook, secrets, header, body, now);
  return checked ? "ok" : checked.error().code;
}

// RFC 4231, test case 2.
TEST(WebhookSignature, HmacFollowsRfc4231) {
  EXPECT_EQ(to_hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  Webhook hook{.scheme = Scheme::hmac, .header = "X-Signature"};
  const std::string hex = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
  EXPECT_EQ(outcome(hook, {"Jefe"}, {{"X-Signature", hex}}, "what do ya want for nothing?"), "ok");
  EXPECT_EQ(
      outcome(hook, {"Jefe"}, {{"X-Signature", "5BDC" + hex.substr(4)}}, "what do ya want for nothing?"),
      "webhook.signature");
  EXPECT_EQ(outcome(hook, {"Jefe"}, {}, "what do ya want for nothing?"), "webhook.signature");
  hook.prefix = "v0=";
  EXPECT_EQ(outcome(hook, {"old", "Jefe"}, {{"X-Signature", "v0=" + hex}}, "what do ya want for nothing?"),
            "ok");
  EXPECT_EQ(outcome(hook, {"Jefe"}, {{"X-Signature", hex}}, "what do ya want for nothing?"),
            "webhook.signature");
  hook.prefix = "";
  hook.is_base64 = true;
  EXPECT_EQ(outcome(hook, {"Jefe"}, {{"X-Signature", "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM="}},
                    "what do ya want for nothing?"),
            "ok");
}

// The example of GitHub's documentation, "Validating webhook deliveries".
TEST(WebhookSignature, GithubsOwnExample) {
  const Webhook hook{.scheme = Scheme::github};
  const std::string signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
  const std::vector<std::string> secrets = {"It's a Secret to Everybody"};
  EXPECT_EQ(outcome(hook, secrets, {{"X-Hub-Signature-256", signature}}, "Hello, World!"), "ok");
  EXPECT_EQ(outcome(hook, secrets, {{"X-Hub-Signature-256", signature}}, "Hello, World! "),
            "webhook.signature");
  EXPECT_EQ(outcome(hook, secrets, {{"X-Hub-Signature-256", signature.substr(0, 40)}}, "Hello, World!"),
            "webhook.signature");
  EXPECT_EQ(outcome(hook, {"other"}, {{"X-Hub-Signature-256", signature}}, "Hello, World!"),
            "webhook.signature");
  EXPECT_EQ(outcome(hook, {}, {{"X-Hub-Signature-256", signature}}, "Hello, World!"), "webhook.signature");
}

// The example of the Standard Webhooks specification and its reference libraries.
TEST(WebhookSignature, StandardWebhooksOwnExample) {
  const Webhook hook{.scheme = Scheme::standard};
  const std::vector<std::string> secrets = {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"};
  const std::string body = R"({"test": 2432232314})";
  Headers headers = {{"webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"},
                     {"webhook-timestamp", "1614265330"},
                     {"webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}};
  EXPECT_EQ(outcome(hook, secrets, headers, body), "ok");
  headers["webhook-signature"] = "v1,bm90IHRoaXMgb25l v1a,x v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
  EXPECT_EQ(outcome(hook, secrets, headers, body), "ok") << "any of several, while secrets are rotated";
  EXPECT_EQ(outcome(hook, secrets, headers, R"({"test":2432232314})"), "webhook.signature")
      << "raw bytes only";
  for (const int minutes : {-6, 6}) {
    EXPECT_EQ(
        outcome(hook, secrets, headers, body, TimePoint(std::chrono::seconds(1614265330 + minutes * 60))),
        "webhook.timestamp");
  }
  for (const char* time : {"", "soon", "1614265330.5", "-1", "99999999999999999999"}) {
    headers["webhook-timestamp"] = time;
    EXPECT_EQ(outcome(hook, secrets, headers, body), "webhook.timestamp") << time;
  }
  for (const auto& id : {std::string(), std::string("a.b"), std::string(257, 'a')}) {
    headers["webhook-id"] = id;
    EXPECT_EQ(outcome(hook, secrets, headers, body), "webhook.id");
  }
}

// As Stripe's documentation tells how to verify by hand: HMAC-SHA256 of "TIMESTAMP.PAYLOAD".
TEST(WebhookSignature, StripeSignsTimeAndBody) {
  const Webhook hook{.scheme = Scheme::stripe};
  const auto signature = to_hex(hmac_sha256("whsec_test", R"(1614265330.{"id":"evt_1"})"));
  const auto given = [&](const std::string& text) {
    return outcome(hook, {"whsec_test"}, {{"Stripe-Signature", text}}, R"({"id":"evt_1"})");
  };
  EXPECT_EQ(given(fmt::format("t=1614265330,v1={},v0=abc", signature)), "ok");
  EXPECT_EQ(given(fmt::format("t=1614265330,v1=00,v1={}", signature)), "ok");
  EXPECT_EQ(given(fmt::format("t=1614265331,v1={}", signature)), "webhook.signature");
  EXPECT_EQ(given(fmt::format("t=1614264000,v1={}", signature)), "webhook.timestamp");
  EXPECT_EQ(given(fmt::format("v1={}", signature)), "webhook.timestamp");
}

TEST(WebhookSignature, TokensAndBasicCredentials) {
  const Webhook token{.scheme = Scheme::token, .header = "X-Token"};
  EXPECT_EQ(outcome(token, {"s3cret"}, {{"X-Token", "s3cret"}}, ""), "ok");
  EXPECT_EQ(outcome(token, {"s3cret"}, {{"X-Token", "S3cret"}}, ""), "webhook.signature");
  EXPECT_EQ(outcome(token, {"s3cret"}, {}, ""), "webhook.signature");
  // RFC 7617 section 2.
  const Webhook basic{.scheme = Scheme::basic};
  EXPECT_EQ(
      outcome(basic, {"Aladdin:open sesame"}, {{"Authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="}}, ""),
      "ok");
  EXPECT_EQ(
      outcome(basic, {"Aladdin:open sesame"}, {{"Authorization", "Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ=="}}, ""),
      "webhook.signature");
  EXPECT_EQ(outcome(basic, {""}, {{"Authorization", "Basic ?"}}, ""), "webhook.signature");
}

}  // namespace
}  // namespace fp::triggers
