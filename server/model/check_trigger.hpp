#pragma once

#include "model/reading.hpp"

#include <string>

namespace fp::model {

// What the `trigger_config` of one type must be, one file a type.
void check_schedule(Reading& reading, const Json& config, const std::string& pointer);
void check_webhook(Reading& reading, const Json& config, const std::string& pointer);
void check_http_poll(Reading& reading, const Json& config, const std::string& pointer);
void check_file_watch(Reading& reading, const Json& config, const std::string& pointer);

/// Member `key` of a trigger's config, a value in which expressions may stand. They read `input`, as the
/// execution would get it, and `vars`.
void check_trigger_expression(Reading& reading, ObjectReader& reader, const std::string& pointer,
                              const char* key);
/// The same for one that must be a single expression, because it is a condition.
void check_trigger_condition(Reading& reading, ObjectReader& reader, const std::string& pointer,
                             const char* key);

}  // namespace fp::model
