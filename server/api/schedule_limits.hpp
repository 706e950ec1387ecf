#pragma once

#include "api/services.hpp"

#include <memory>
#include <vector>

namespace fp::api {

/// read_workflow(), and what this server asks beyond it: no schedule fires more often than the setting
/// minimum_schedule_seconds allows (cron.too_frequent).
Result<std::shared_ptr<const model::Workflow>> read_document(const Services& services, Json document);

}  // namespace fp::api
