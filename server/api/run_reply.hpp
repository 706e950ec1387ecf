#pragma once

#include "api/services.hpp"

namespace fp::api {

/// Starts the execution; answers 202 once it is on disk, or with `wait` when it has ended (200), responded,
/// or the time is over (202). A key that was used before answers as it did then.
void start_and_reply(Services& services, const CallPtr& call, runtime::StartRequest request,
                     Milliseconds wait, Reply reply);
/// What a `respond` step answers with.
net::Response custom_response(const ExecutionId& id, const Json& answer);
/// Answers with the execution as it is on disk.
void reply_with(Services& services, unsigned status, const ExecutionId& id, Reply reply);
/// Answers as the earlier request with the same key was answered.
void reply_as_before(Services& services, const CallPtr& call, Reply reply);

}  // namespace fp::api
