#include "model/object_reader.hpp"

#include "base/error_code.hpp"
#include "model/suggest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace fp::model {

ObjectReader::ObjectReader(const Json& json, std::string pointer, std::vector<Issue>& issues)
    : object_(json.if_object()), pointer_(std::move(pointer)), issues_(issues) {
  if (object_ == nullptr) {
    issues_.push_back({pointer_, codes::field_type.id,
                       fmt::format("this must be an object, not {}", json_type_name(json))});
  }
}

std::string ObjectReader::pointer_of(std::string_view key) const {
  return pointer_ + "/" + pointer_token(key);
}

void ObjectReader::report(std::string_view key, std::string_view code, std::string message) {
  issues_.push_back({pointer_of(key), std::string(code), std::move(message)});
}

void ObjectReader::report_type(std::string_view key, const Json& value, std::string_view wanted) {
  report(key, codes::field_type.id,
         fmt::format("\"{}\" must be {}, not {}", key, wanted, json_type_name(value)));
}

const Json* ObjectReader::find(std::string_view key) {
  known_.push_back(key);
  return object_ == nullptr ? nullptr : object_->if_contains(key);
}

std::optional<std::string> ObjectReader::find_text(std::string_view key) {
  const auto* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (value->is_string()) return std::string(value->get_string());
  report_type(key, *value, "a string");
  return std::nullopt;
}

std::string ObjectReader::get_text(std::string_view key, std::string fallback) {
  auto text = find_text(key);
  return text ? std::move(*text) : std::move(fallback);
}

bool ObjectReader::get_bool(std::string_view key, bool fallback) {
  const auto* value = find(key);
  if (value == nullptr) return fallback;
  if (value->is_bool()) return value->get_bool();
  report_type(key, *value, "true or false");
  return fallback;
}

std::optional<double> ObjectReader::find_number(std::string_view key, double least, double most) {
  const auto* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number()) {
    report_type(key, *value, "a number");
    return std::nullopt;
  }
  const auto number = value->to_number<double>();
  if (std::isfinite(number) && number >= least && number <= most) return number;
  report(key, codes::field_range.id, fmt::format("\"{}\" must be between {} and {}", key, least, most));
  return std::nullopt;
}

std::optional<std::uint32_t> ObjectReader::find_whole(std::string_view key, std::uint32_t least,
                                                      std::uint32_t most) {
  const auto number = find_number(key, least, most);
  if (!number) return std::nullopt;
  if (*number == std::floor(*number)) return static_cast<std::uint32_t>(*number);
  report(key, codes::field_type.id, fmt::format("\"{}\" must be a whole number", key));
  return std::nullopt;
}

std::optional<Milliseconds> ObjectReader::find_seconds(std::string_view key, double least, double most) {
  const auto number = find_number(key, least, most);
  if (!number) return std::nullopt;
  return Milliseconds(static_cast<std::int64_t>(std::llround(*number * 1000.0)));
}

std::size_t ObjectReader::get_choice(std::string_view key, const std::vector<std::string_view>& choices,
                                     std::size_t fallback) {
  const auto text = find_text(key);
  if (!text) return fallback;
  const auto found = std::find(choices.begin(), choices.end(), *text);
  if (found != choices.end()) return static_cast<std::size_t>(found - choices.begin());
  report(key, codes::field_range.id,
         fmt::format("\"{}\" must be one of {}, not {}", key, fmt::join(choices, ", "), quote(*text)));
  return fallback;
}

const JsonArray* ObjectReader::find_array(std::string_view key) {
  const auto* value = find(key);
  if (value == nullptr) return nullptr;
  if (value->is_array()) return &value->get_array();
  report_type(key, *value, "a list");
  return nullptr;
}

const Json* ObjectReader::find_object(std::string_view key) {
  const auto* value = find(key);
  if (value == nullptr) return nullptr;
  if (value->is_object()) return value;
  report_type(key, *value, "an object");
  return nullptr;
}

void ObjectReader::require(std::string_view key) {
  if (object_ != nullptr && !object_->contains(key)) {
    issues_.push_back({pointer_, codes::field_missing.id, fmt::format("\"{}\" is missing", key)});
  }
}

void ObjectReader::finish() {
  if (object_ == nullptr) return;
  for (const auto& member : *object_) {
    const std::string_view key = member.key();
    if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
    report(key, codes::field_unknown.id,
           fmt::format("there is no field {}{}", quote(key), suggest(key, std::span(known_))));
  }
}

}  // namespace fp::model
