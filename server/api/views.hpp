#pragma once

#include "api/directory.hpp"
#include "ports/store.hpp"

namespace fp::api {

/// The workflow as the API shows it: what it is, and the members of its draft beside.
Json to_resource(const ports::WorkflowRecord& record, const std::vector<Issue>& issues);
Json to_summary(const ports::WorkflowRecord& record);
Json to_summary(const ports::ExecutionSummary& summary);
/// {id, status, started_at, completed_at}
Json to_brief(const ports::ExecutionSummary& summary);
/// {name, description, tags, steps} of a document, whatever is wrong with it.
JsonObject outline(const Json& document);
Json to_resource(const ports::PublishedVersion& version, const ports::WorkflowRecord& record);
Json to_json(const std::vector<Issue>& issues);

/// A document without the members that to_resource adds, so that what was read can be sent back.
Json strip_resource(Json document);

}  // namespace fp::api
