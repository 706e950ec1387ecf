#pragma once

#include "api/services.hpp"
#include "engine/plan.hpp"

namespace fp::api {

/// Does the body of a run ask for a part of the workflow, for values instead of steps, or for a plan?
bool wants_part(const Json& body);

/// Leaves out of `started` what the body does not want, takes over what it names, and without an `input` in
/// the body takes that of the execution it names. Blocks. Errors: partial.invalid, partial.missing,
/// partial.not_reached.
Result<void> plan_part(Services& services, const model::Workflow& workflow, const WorkflowId& id,
                       const Json& body, model::event::ExecutionStarted& started);
/// What a published version is asked in vain; each with its pointer.
Error refuse_part(const Json& body);

/// {run, reuse: [{step, source}], skip}
JsonObject to_json(const engine::RunPlan& plan, const model::Workflow& workflow);

}  // namespace fp::api
