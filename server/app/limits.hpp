#pragma once

#include "api/services.hpp"

#include <vector>

namespace fp::app {

/// Every limit of this process, for /api/limits/.
std::vector<api::LimitRow> list_limits(const net::Limits& net, const runtime::RuntimeOptions& runtime);

}  // namespace fp::app
