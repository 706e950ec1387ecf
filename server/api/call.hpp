#pragma once

#include "api/operations.hpp"
#include "api/policy.hpp"
#include "base/hash.hpp"
#include "base/ids.hpp"
#include "base/unique_function.hpp"
#include "net/message.hpp"
#include "ports/store.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace fp::api {

/// One request after the router has understood it: parameters are checked, typed and filled with their
/// defaults, the body is checked against its schema.
struct Call {
  net::Request request;
  const OperationSpec* spec = nullptr;
  Subject subject;
  std::map<std::string, Json, std::less<>>
      parameters;               // of path, query and header, by name; missing ones are not there
  Json body;                    // null when there is none
  std::string idempotency_key;  // "" = none

  bool has(std::string_view name) const { return parameters.find(name) != parameters.end(); }
  std::string text(std::string_view name) const;
  std::uint64_t number(std::string_view name) const;
  bool flag(std::string_view name) const;
  /// The `id` of the path. The router has checked that it is one.
  template <class Id>
  Id id(std::string_view name = "id") const {
    return *parse_uuid<Id>(text(name));
  }
  /// What two requests must share to be the same one: method, path and body.
  Hash256 fingerprint() const;
  /// For the write that this request makes; nullopt without a key.
  template <class Id>
  std::optional<ports::IdempotencyEntry> entry_for(const Id& subject_id, TimePoint now) const {
    if (idempotency_key.empty()) return std::nullopt;
    return ports::IdempotencyEntry{idempotency_key, fingerprint(), subject_id.bytes, now};
  }
};
using CallPtr = std::shared_ptr<Call>;

/// Answers a call, from any thread, once. An error becomes a problem document.
using Reply = UniqueFunction<void(Result<net::Response>)>;

net::Response json_response(unsigned status, const Json& body);
/// With the ETag of a workflow's revision.
net::Response json_response(unsigned status, const Json& body, std::uint64_t revision);
/// RFC 9457. `instance` is the path of the request.
net::Response problem_response(const Error& error, std::string_view instance, std::string_view request_id);

}  // namespace fp::api
