#pragma once

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/time.hpp"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace fp::model {

/// Reads the fields of one JSON object and collects everything wrong with them as issues: wrong types, values
/// out of range, and (on finish) fields nobody asked for. Reading a wrong field gives the fallback, so that
/// the rest is checked too.
class ObjectReader {
 public:
  ObjectReader(const Json& json, std::string pointer, std::vector<Issue>& issues);

  const Json* find(std::string_view key);
  std::optional<std::string> find_text(std::string_view key);
  std::string get_text(std::string_view key, std::string fallback);
  bool get_bool(std::string_view key, bool fallback);
  std::optional<double> find_number(std::string_view key, double least, double most);
  std::optional<std::uint32_t> find_whole(std::string_view key, std::uint32_t least, std::uint32_t most);
  std::optional<Milliseconds> find_seconds(std::string_view key, double least, double most);
  /// One of `choices`; its position, or `fallback` when the field is missing or wrong.
  std::size_t get_choice(std::string_view key, const std::vector<std::string_view>& choices,
                         std::size_t fallback);
  const JsonArray* find_array(std::string_view key);
  const Json* find_object(std::string_view key);

  void require(std::string_view key);
  void finish();
  std::string pointer_of(std::string_view key) const;
  void report(std::string_view key, std::string_view code, std::string message);
  bool is_object() const { return object_ != nullptr; }

 private:
  void report_type(std::string_view key, const Json& value, std::string_view wanted);

  const JsonObject* object_;
  std::string pointer_;
  std::vector<Issue>& issues_;
  std::vector<std::string_view> known_;
};

}  // namespace fp::model
