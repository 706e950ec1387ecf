#pragma once

#include "api/directory.hpp"
#include "ports/store.hpp"

namespace fp::api {

/// The workflow as the API shows it: what it is, and the members of its draft beside.
Json to_resource(const ports::WorkflowRecord& record, const std::vector<Issue>& issues);
Json to_summary(const ports::WorkflowRecord& record);
Json to_summary(const ports::ExecutionSummary& summary);
Json to_resource(const ports::PublishedVersion& version, const ports::WorkflowRecord& record);
Json to_json(const std::vector<Issue>& issues);

/// A document without the members that to_resource adds, so that what was read can be sent back.
Json strip_resource(Json document);

}  // namespace fp::api
