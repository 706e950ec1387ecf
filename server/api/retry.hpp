#pragma once

#include "api/services.hpp"

namespace fp::api {

struct RetryOrder {
  std::string from = "failed";   // failed, start, or a step id
  std::string version = "same";  // same, published, draft
  Value input;                   // with `start` only; empty = the earlier one
};
struct RetryPlan {
  bool continues = false;         // the same execution goes on: deliver input::RetryFailed
  runtime::StartRequest request;  // otherwise
};

/// What a retry of an ended execution does. Blocks. Errors: not_found, execution.running, retry.not_possible,
/// input.invalid.
Result<RetryPlan> plan_retry(Services& services, const ExecutionId& id, const RetryOrder& order);

}  // namespace fp::api
