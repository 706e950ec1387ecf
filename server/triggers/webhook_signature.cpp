#include "triggers/webhook_signature.hpp"

#include "base/error_code.hpp"
#include "base/hash.hpp"
#include "base/secret.hpp"

#include <fmt/format.h>
#include <sodium/utils.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace fp::triggers {

namespace {

constexpr std::size_t kMostIdBytes = 256;
constexpr std::size_t kMostSignatures = 16;

Error wrong() {
  return Error(codes::webhook_signature,
               "the signature does not fit the body and the secret of this webhook");
}

std::string to_base64(const Hash256& bytes) {
  std::string out(sodium_base64_encoded_len(bytes.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
  sodium_bin2base64(out.data(), out.size(), bytes.data(), bytes.size(), sodium_base64_VARIANT_ORIGINAL);
  out.resize(out.size() - 1);  // its NUL
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  std::string out(text.size(), '\0');
  std::size_t length = 0;
  const char* end = nullptr;
  if (sodium_base642bin(reinterpret_cast<unsigned char*>(out.data()), out.size(), text.data(), text.size(),
                        nullptr, &length, &end, sodium_base64_VARIANT_ORIGINAL) != 0 ||
      end != text.data() + text.size())
    return std::nullopt;
  out.resize(length);
  return out;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> out;
  while (!text.empty() && out.size() < kMostSignatures) {
    const auto to = std::min(text.find(separator), text.size());
    if (to > 0) out.push_back(text.substr(0, to));
    text.remove_prefix(std::min(to + 1, text.size()));
  }
  return out;
}

/// Every secret is tried, whichever fits: how long it takes tells nothing.
template <class Expected>
bool fits_any(const std::vector<std::string>& secrets, const std::vector<std::string_view>& given,
              Expected expected) {
  bool out = false;
  for (const auto& secret : secrets) {
    const std::string wanted = expected(secret);
    for (const auto& one : given) out = is_same_secret(wanted, one) || out;
  }
  return out;
}

Result<void> check_time(std::string_view text, Milliseconds tolerance, TimePoint now) {
  std::int64_t seconds = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  constexpr std::int64_t kMostSeconds = 1'000'000'000'000;
  if (text.empty() || ec != std::errc() || end != text.data() + text.size() || seconds < 0 ||
      seconds > kMostSeconds)
    return Error(codes::webhook_timestamp, "the request has no time stamp in whole seconds");
  const auto at = TimePoint(std::chrono::seconds(seconds));
  const auto apart = at > now ? at - now : now - at;
  if (apart > tolerance) {
    return Error(codes::webhook_timestamp,
                 fmt::format("the time stamp is more than {} s from the server's time",
                             std::chrono::duration_cast<std::chrono::seconds>(tolerance).count()));
  }
  return {};
}

Result<void> check_standard(const Webhook& hook, const std::vector<std::string>& secrets,
                            const HeaderLookup& header, std::string_view body, TimePoint now) {
  const auto id = header("webhook-id");
  if (id.empty() || id.size() > kMostIdBytes || id.find('.') != std::string_view::npos)
    return Error(codes::webhook_id, "webhook-id must be there, without dots and of at most 256 characters");
  const auto time = header("webhook-timestamp");
  if (auto timely = check_time(time, hook.tolerance, now); !timely) return timely;
  std::vector<std::string_view> given;
  for (const auto one : split(header("webhook-signature"), ' ')) {
    if (one.starts_with("v1,")) given.push_back(one.substr(3));
  }
  const auto signed_text = fmt::format("{}.{}.{}", id, time, body);
  const bool fits = fits_any(secrets, given, [&](const std::string& secret) {
    constexpr std::string_view kPrefix = "whsec_";
    auto key = std::optional(secret);
    if (secret.starts_with(kPrefix)) key = from_base64(std::string_view(secret).substr(kPrefix.size()));
    return key ? to_base64(hmac_sha256(*key, signed_text)) : std::string("no key");
  });
  return fits ? Result<void>() : wrong();
}

Result<void> check_stripe(const Webhook& hook, const std::vector<std::string>& secrets,
                          const HeaderLookup& header, std::string_view body, TimePoint now) {
  std::string_view time;
  std::vector<std::string_view> given;
  for (const auto one : split(header("Stripe-Signature"), ',')) {
    if (one.starts_with("t=")) time = one.substr(2);
    if (one.starts_with("v1=")) given.push_back(one.substr(3));
  }
  if (auto timely = check_time(time, hook.tolerance, now); !timely) return timely;
  const auto signed_text = fmt::format("{}.{}", time, body);
  const bool fits =
      fits_any(secrets, given, [&](const auto& secret) { return to_hex(hmac_sha256(secret, signed_text)); });
  return fits ? Result<void>() : wrong();
}

Result<void> check_basic(const std::vector<std::string>& secrets, std::string_view given) {
  constexpr std::string_view kBasic = "Basic ";
  const auto decoded = given.starts_with(kBasic) ? from_base64(given.substr(kBasic.size())) : std::nullopt;
  const bool fits = fits_any(secrets, {decoded ? std::string_view(*decoded) : std::string_view()},
                             [](const auto& secret) { return secret; });
  return decoded && fits ? Result<void>() : wrong();
}

Result<void> check_hmac(const std::vector<std::string>& secrets, std::string_view given,
                        std::string_view prefix, bool is_base64, std::string_view body) {
  if (!given.starts_with(prefix) || given.size() == prefix.size()) return wrong();
  const bool fits = fits_any(secrets, {given.substr(prefix.size())}, [&](const auto& secret) {
    const auto hash = hmac_sha256(secret, body);
    return is_base64 ? to_base64(hash) : to_hex(hash);
  });
  return fits ? Result<void>() : wrong();
}

}  // namespace

Result<void> check_signature(const Webhook& hook, const std::vector<std::string>& secrets,
                             const HeaderLookup& header, std::string_view body, TimePoint now) {
  if (hook.scheme == Scheme::none) return {};
  if (secrets.empty()) return wrong();
  switch (hook.scheme) {
    case Scheme::none:
      return {};
    case Scheme::token: {
      const bool fits = fits_any(secrets, {header(hook.header)}, [](const auto& secret) { return secret; });
      return fits ? Result<void>() : wrong();
    }
    case Scheme::basic:
      return check_basic(secrets, header("Authorization"));
    case Scheme::hmac:
      return check_hmac(secrets, header(hook.header), hook.prefix, hook.is_base64, body);
    case Scheme::standard:
      return check_standard(hook, secrets, header, body, now);
    case Scheme::github:
      return check_hmac(secrets, header("X-Hub-Signature-256"), "sha256=", false, body);
    case Scheme::stripe:
      return check_stripe(hook, secrets, header, body, now);
  }
  return wrong();
}

}  // namespace fp::triggers
