#include "sandbox/child/json_result.hpp"

#include "sandbox/child/failure.hpp"
#include "sandbox/child/watch.hpp"

#include <cmath>
#include <js/CallArgs.h>
#include <js/CharacterEncoding.h>
#include <js/Date.h>
#include <js/JSON.h>
#include <js/Object.h>
#include <js/PropertyAndElement.h>
#include <jsfriendapi.h>

namespace fp::sandbox {

namespace {

using wire::Outcome;
using wire::Verdict;

/// What the inspection under way found; the engine's callback has no other way to hand it out.
const char* g_found = nullptr;

const char* why_object_is_no_json(JSContext* cx, JS::HandleObject object) {
  if (JS::IsCallable(object)) return "a function";
  js::ESClass kind;
  if (!JS::GetBuiltinClass(cx, object, &kind)) return nullptr;
  switch (kind) {
    case js::ESClass::Map:
      return "a Map (Object.fromEntries makes an object of it)";
    case js::ESClass::Set:
      return "a Set (spread it into a list: [...set])";
    case js::ESClass::Promise:
      Watch::set_forbidden();
      return "a promise";
    default:
      return nullptr;
  }
}

const char* why_value_is_no_json(JSContext* cx, JS::HandleValue value) {
  if (value.isSymbol()) return "a symbol";
  if (value.isBigInt()) return "a BigInt";
  if (value.isDouble() && std::isnan(value.toDouble())) return "NaN";
  if (value.isDouble() && std::isinf(value.toDouble())) return "Infinity";
  if (!value.isObject()) return nullptr;
  JS::RootedObject object(cx, &value.toObject());
  return why_object_is_no_json(cx, object);
}

/// toJSON of an invalid date gives null, which nobody would notice.
bool is_invalid_date(JSContext* cx, JS::HandleObject holder, JS::HandleValue key, bool& is_invalid) {
  JS::RootedId id(cx);
  JS::RootedValue original(cx);
  if (!JS_ValueToId(cx, key, &id) || !JS_GetPropertyById(cx, holder, id, &original)) return false;
  if (!original.isObject()) return true;
  JS::RootedObject object(cx, &original.toObject());
  bool is_date = false;
  bool is_valid = false;
  if (!JS::ObjectIsDate(cx, object, &is_date)) return false;
  if (is_date && !js::DateIsValid(cx, object, &is_valid)) return false;
  is_invalid = is_date && !is_valid;
  return true;
}

/// The replacer of JSON.stringify: changes nothing, stops at the first value that is no JSON.
bool inspect(JSContext* cx, unsigned argc, JS::Value* vp) {
  const JS::CallArgs args = JS::CallArgsFromVp(argc, vp);
  args.rval().set(args.get(1));
  g_found = why_value_is_no_json(cx, args.get(1));
  if (!g_found && args.get(1).isNull() && args.thisv().isObject()) {
    JS::RootedObject holder(cx, &args.thisv().toObject());
    bool is_invalid = false;
    if (!is_invalid_date(cx, holder, args.get(0), is_invalid)) return false;
    if (is_invalid) g_found = "an invalid date";
  }
  return g_found == nullptr && !JS_IsExceptionPending(cx);
}

bool append(const char16_t* text, std::uint32_t length, void* out) {
  static_cast<std::u16string*>(out)->append(text, length);
  return true;
}

void append_point(std::string& out, char32_t point) {
  const auto put = [&out](char32_t bits) { out.push_back(static_cast<char>(bits)); };
  if (point < 0x80) return put(point);
  if (point < 0x800) {
    put(0xC0 | point >> 6);
  } else if (point < 0x10000) {
    put(0xE0 | point >> 12);
    put(0x80 | (point >> 6 & 0x3F));
  } else {
    put(0xF0 | point >> 18);
    put(0x80 | (point >> 12 & 0x3F));
    put(0x80 | (point >> 6 & 0x3F));
  }
  put(0x80 | (point & 0x3F));
}

Outcome not_json(const char* what) {
  return {.verdict = Verdict::kNotJson,
          .text = std::string("the result is or holds ") + what + ", which is not JSON"};
}

}  // namespace

std::string to_utf8_json(std::u16string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char16_t unit = text[i];
    if (unit == u'\\' && i + 1 < text.size()) {
      const bool is_surrogate =
          text.substr(i + 1, 2) == u"ud" && i + 5 < text.size() && text[i + 3] != u'7' && text[i + 3] >= u'8';
      if (is_surrogate) {
        out.append("\xEF\xBF\xBD");
        i += 5;
      } else {
        out.push_back('\\');
        out.push_back(static_cast<char>(text[++i]));
      }
    } else if (unit >= 0xD800 && unit < 0xDC00 && i + 1 < text.size()) {
      append_point(out, 0x10000 + (static_cast<char32_t>(unit - 0xD800) << 10) +
                            (static_cast<char32_t>(text[++i]) - 0xDC00));
    } else {
      append_point(out, unit);
    }
  }
  return out;
}

JsonResult::JsonResult(JSContext* cx)
    : cx_(cx), inspect_(cx, JS_GetFunctionObject(JS_NewFunction(cx, inspect, 2, 0, "inspect"))) {}

Outcome JsonResult::take(JS::HandleValue value, std::size_t max_bytes) {
  if (value.isUndefined()) return {.verdict = Verdict::kNoValue};
  if (value.isBoolean()) return {.text = value.toBoolean() ? "true" : "false"};
  if (value.isInt32()) return {.text = std::to_string(value.toInt32())};
  if (value.isNull()) return {.text = "null"};
  std::u16string text;
  JS::RootedValue root(cx_, value);
  JS::RootedObject replacer(cx_, value.isObject() ? inspect_.get() : nullptr);
  g_found = value.isObject() ? nullptr : why_value_is_no_json(cx_, value);
  if (g_found) return not_json(g_found);
  const bool is_written = JS_Stringify(cx_, &root, replacer, JS::NullHandleValue, append, &text);
  if (g_found) {
    const char* found = g_found;
    if (Watch::is_forbidden())
      return {.verdict = Verdict::kForbidden, .text = "asynchronous code is not allowed in expressions"};
    return not_json(found);
  }
  if (!is_written) {
    Outcome outcome = take_failure(cx_);
    if (outcome.text == "cyclic object value") return not_json("a cycle");
    return outcome;
  }
  if (text == u"undefined") return {.verdict = Verdict::kNoValue};
  if (text.size() > max_bytes) return {.verdict = Verdict::kTooLarge};
  std::string json = to_utf8_json(text);
  if (json.size() > max_bytes) return {.verdict = Verdict::kTooLarge};
  return {.text = std::move(json)};
}

}  // namespace fp::sandbox
