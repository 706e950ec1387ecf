#pragma once

#include "base/result.hpp"
#include "base/time.hpp"
#include "triggers/webhook.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace fp::triggers {

/// The value of a header of the request, or "".
using HeaderLookup = std::function<std::string_view(std::string_view name)>;

/// Does the request come from somebody who knows one of `secrets`? Over the raw bytes, compared in constant
/// time:
/// - token: the header holds a secret; basic: "user:password" of RFC 7617 is a secret
/// - hmac: header = prefix + HMAC-SHA256(secret, body), hex or base64
/// - standard: Standard Webhooks 1.0: webhook-id, webhook-timestamp, webhook-signature "v1,BASE64 ..."; a
/// secret
///   "whsec_BASE64" is the key's bytes in base64
/// - github: X-Hub-Signature-256: sha256=HEX
/// - stripe: Stripe-Signature: t=SECONDS,v1=HEX over "SECONDS.body"
/// Errors: webhook.signature, webhook.timestamp (further than the tolerance from `now`, or none), webhook.id.
Result<void> check_signature(const Webhook& hook, const std::vector<std::string>& secrets,
                             const HeaderLookup& header, std::string_view body, TimePoint now);

}  // namespace fp::triggers
