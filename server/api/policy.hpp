#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>

namespace fp::api {

/// Who asks.
struct Subject {
  std::string name;            // shown as created_by, published_by, by
  bool from_loopback = false;  // the other end of the connection is this machine
  bool is_worker = false;      // it sent the worker token
};

/// The one place that says who may do what. Workers are known by their token. Until there is
/// sign-in, whoever sits at this machine may do everything else and nobody else anything; the server refuses
/// to listen elsewhere besides. `object` is the id of what is touched, or "". Errors: forbidden, auth.token.
Result<void> decide_access(const Subject& subject, std::string_view action, std::string_view object);

/// Does decide_access know this action? A route whose action it does not know is refused, always.
bool is_known_action(std::string_view action);

}  // namespace fp::api
