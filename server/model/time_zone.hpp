#pragma once

#include <string_view>

namespace fp::model {

/// Is this a name of the system's tz database ("Europe/Berlin", "UTC")? Only its own names count: no paths,
/// no offsets.
bool is_time_zone(std::string_view name);

}  // namespace fp::model
