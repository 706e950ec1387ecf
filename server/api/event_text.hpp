#pragma once

#include "runtime/journal.hpp"

namespace fp::api {

/// One event in a plain sentence: "crm failed: the peer answered 503 [http.5xx]; attempt 2 follows at
/// 08:15:04".
std::string to_sentence(const engine::Event& event, const model::Workflow& workflow);
/// {seq, at, type, step, index, attempt, text, data}
Json to_resource(const runtime::RecordedEvent& recorded, const model::Workflow& workflow);

}  // namespace fp::api
