#pragma once

#include "sandbox/wire.hpp"

#include <cstddef>
#include <jsapi.h>
#include <string_view>

namespace fp::sandbox {

/// Turns results into JSON text with the engine's own JSON.stringify, and refuses what JSON would lose
/// silently: functions, symbols, BigInt, NaN, infinities, invalid dates, Map, Set, promises.
class JsonResult {
 public:
  explicit JsonResult(JSContext* cx);

  /// kValue, kNoValue, kNotJson, kTooLarge, or what stopped the engine (a `toJSON` of the expression's runs
  /// here).
  wire::Outcome take(JS::HandleValue value, std::size_t max_bytes);

 private:
  JSContext* cx_;
  JS::PersistentRootedObject inspect_;
};

/// UTF-8 of JSON text in which lone surrogates (written `\udxxx`) have become U+FFFD.
std::string to_utf8_json(std::u16string_view text);

}  // namespace fp::sandbox
