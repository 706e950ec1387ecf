#pragma once

#include "engine/engine.hpp"

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fp::engine {

/// Where large values go: given the text of a value, returns a reference to store instead ({hash, size}), or
/// null to keep it in place. In the text, the member `output` then becomes `output@blob`.
using BlobWriter = std::function<Json(const std::string& text)>;
using BlobReader = std::function<Json(const Json& reference)>;

/// Events as the JSON text of one journal row: a list of objects {type, step, item?, ...}; steps by id, times
/// in ms since 1970.
std::string encode_events(std::span<const Event> events, const model::Workflow& workflow,
                          const BlobWriter& spill = {});
/// The inverse. Throws Unavailable (storage.corrupt) when the text is not what encode_events writes.
std::vector<Event> decode_events(std::string_view text, const model::Workflow& workflow,
                                 const BlobReader& load = {});

/// A state without its volatile parts, as the JSON text of a snapshot.
std::string encode_state(const ExecutionState& state, const BlobWriter& spill = {});
ExecutionState decode_state(std::string_view text, std::shared_ptr<const model::Workflow> workflow,
                            const BlobReader& load = {});

/// The first event of a journal names its version: {workflow name, version hash}. For finding the workflow to
/// decode with.
std::string peek_version_hash(std::string_view first_row);

}  // namespace fp::engine
