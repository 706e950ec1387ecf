#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace fp {

using Json = boost::json::value;
using JsonObject = boost::json::object;
using JsonArray = boost::json::array;

/// A value that is never changed once made, so that states, commands and journal entries may share it.
/// An empty pointer means "no value yet"; a JSON null is a value.
using Value = std::shared_ptr<const Json>;

inline Value make_value(Json json) {
  return std::make_shared<const Json>(std::move(json));
}
/// A JSON null that everybody shares.
const Value& null_value();
/// Same value? Two empty pointers are the same; otherwise the JSON decides.
bool same_value(const Value& a, const Value& b);

/// The member `key` when `json` is an object that has it; nullptr otherwise.
const Json* json_find(const Json& json, std::string_view key);
/// The text member `key`, or "" when it is missing or no text.
std::string json_string(const Json& json, std::string_view key);
std::optional<std::int64_t> json_int(const Json& json, std::string_view key);

/// Compact text of a value (RFC 8259).
std::string to_text(const Json& json);
void append_text(std::string& out, const Json& json);
/// Text for people: two spaces of indent a level.
std::string to_pretty_text(const Json& json);
/// How a value reads inside a sentence or an interpolated string: text as it is, anything else as JSON.
std::string to_display_text(const Json& json);
/// JavaScript's truth (ECMA-262 section 7.1.2): null, false, 0, NaN and "" are false.
bool is_truthy(const Json& json);
/// "a string", "a number", "null", ... for error sentences.
std::string_view json_type_name(const Json& json);
/// RFC 6901: one reference token escaped (`~` -> `~0`, `/` -> `~1`).
std::string pointer_token(std::string_view raw);
/// Rough size of a value in memory, in bytes; used for limits, never for exact accounts.
std::size_t json_weight(const Json& json);

}  // namespace fp
