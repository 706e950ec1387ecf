#pragma once

#include "base/ip_address.hpp"
#include "base/json.hpp"
#include "base/time.hpp"
#include "model/template.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fp::triggers {

/// How a request proves where it comes from (docs/reference/triggers.md).
enum class Scheme : std::uint8_t { none, token, basic, hmac, standard, github, stripe };

/// One webhook of a published document.
struct Webhook {
  enum class Answer : std::uint8_t { accepted, result, respond };

  std::string trigger;                // id of the trigger
  std::string path;                   // below /hooks/, without slashes at its ends
  std::vector<std::string> segments;  // of path; ":name" takes any one segment
  std::vector<std::string> methods;
  Answer answer = Answer::accepted;
  Milliseconds wait{30'000};
  bool gives_body = false;  // the body alone is the execution's input
  bool gives_raw = false;   // with the bytes of the body, in base64

  // Both read `input`, as the execution would get it, and `vars`.
  std::shared_ptr<const model::Template> only_if;  // null: any request
  std::shared_ptr<const model::Template> dedupe;   // equal values are one delivery
  std::vector<IpNetwork> addresses;                // that may call; none: any

  Scheme scheme = Scheme::none;
  std::vector<std::string> secrets;  // names; any of them may have signed
  std::string header;                // of the signature or token
  std::string prefix;                // of the signature in it, such as "sha256="
  bool is_base64 = false;            // hmac: hex otherwise
  Milliseconds tolerance{300'000};   // of time stamps

  std::string delivery_header;                      // equal values are one delivery; "" = the scheme's own
  std::uint32_t rate_per_minute = 0;                // 0: no limit of its own
  std::vector<std::string> origins;                 // that browsers may call from; "*" any
  bool operator==(const Webhook&) const = default;  // expressions are the same when they are the same object
};

/// Those of a checked document that are enabled. `workflow` is its id: a webhook without a path gets one that
/// nobody can guess and that stays the same.
std::vector<Webhook> read_webhooks(const Json& document, std::string_view workflow);
/// The one of that id, enabled or not, also of a document with mistakes elsewhere.
std::optional<Webhook> find_webhook(const Json& document, std::string_view workflow,
                                    std::string_view trigger);

std::string_view to_text(Scheme scheme);
std::string_view to_text(Webhook::Answer answer);

}  // namespace fp::triggers
