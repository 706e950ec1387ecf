#pragma once

#include "base/json.hpp"

namespace fp::api {

/// What changed from one workflow document to another: {steps: {added, removed, changed}, changes: [{pointer,
/// op, before?, after?}]}. Steps, triggers and cases are matched by their ids, so that moving one is no
/// change; pointers name them by id. The canvas's own `ui` is left out.
JsonObject diff_documents(const Json& before, const Json& after);

}  // namespace fp::api
