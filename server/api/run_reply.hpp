#pragma once

#include "api/services.hpp"

namespace fp::api {

/// Which version of which workflow an execution follows; number 0 is the draft.
struct VersionNumber {
  WorkflowId workflow;
  std::uint32_t number = 0;
};

/// A start with what every start has: a new id, a seed, the server's variables. The caller adds what is its
/// own.
runtime::StartRequest make_start(const Services& services, std::shared_ptr<const model::Workflow> workflow,
                                 VersionNumber version, std::string trigger, Value input);
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
