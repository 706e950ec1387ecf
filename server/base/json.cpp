#include "base/json.hpp"

#include <charconv>
#include <cmath>

namespace fp {

const Value& null_value() {
  static const Value value = make_value(nullptr);
  return value;
}

bool same_value(const Value& a, const Value& b) {
  return a == b || (a && b && *a == *b);
}

const Json* json_find(const Json& json, std::string_view key) {
  return json.is_object() ? json.get_object().if_contains(key) : nullptr;
}

std::string json_string(const Json& json, std::string_view key) {
  const auto* value = json_find(json, key);
  return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::optional<std::int64_t> json_int(const Json& json, std::string_view key) {
  const auto* value = json_find(json, key);
  if (!value) return std::nullopt;
  if (value->is_int64()) return value->get_int64();
  if (value->is_uint64()) return static_cast<std::int64_t>(value->get_uint64());
  return std::nullopt;
}

namespace {

void append_string(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  std::size_t plain = 0;  // start of what needs no escape
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text, plain, i - plain);
    plain = i + 1;
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        out.append("\\u00").append(1, kHex[c >> 4]).append(1, kHex[c & 15]);
    }
  }
  out.append(text, plain);
  out += '"';
}

template <class Number>
void append_number(std::string& out, Number number) {
  char digits[32];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

void append_double(std::string& out, double number) {
  if (!std::isfinite(number)) {
    out += "null";  // as JSON.stringify does
    return;
  }
  // Written with all its digits a large whole number would read as an integer that is out of range.
  char digits[32];
  const bool large = std::abs(number) >= 1e17;
  const auto end =
      large ? std::to_chars(digits, digits + sizeof digits, number, std::chars_format::scientific).ptr
            : std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, end);
}

}  // namespace

/// Boost's own serializer writes 60.0 as 6E1, which people would read in their mails; this one writes the
/// shortest text that gives the same number again.
void append_text(std::string& out, const Json& json) {
  switch (json.kind()) {
    case boost::json::kind::null:
      out += "null";
      return;
    case boost::json::kind::bool_:
      out += json.get_bool() ? "true" : "false";
      return;
    case boost::json::kind::int64:
      return append_number(out, json.get_int64());
    case boost::json::kind::uint64:
      return append_number(out, json.get_uint64());
    case boost::json::kind::double_:
      return append_double(out, json.get_double());
    case boost::json::kind::string:
      return append_string(out, json.get_string());
    case boost::json::kind::array: {
      out += '[';
      bool first = true;
      for (const auto& item : json.get_array()) {
        if (!first) out += ',';
        first = false;
        append_text(out, item);
      }
      out += ']';
      return;
    }
    case boost::json::kind::object: {
      out += '{';
      bool first = true;
      for (const auto& member : json.get_object()) {
        if (!first) out += ',';
        first = false;
        append_string(out, member.key());
        out += ':';
        append_text(out, member.value());
      }
      out += '}';
      return;
    }
  }
}

std::string to_text(const Json& json) {
  std::string out;
  append_text(out, json);
  return out;
}

namespace {

void append_pretty(std::string& out, const Json& json, std::size_t depth) {
  const auto indent = [&](std::size_t levels) { out.append("\n").append(levels * 2, ' '); };
  if (const auto* object = json.if_object(); object && !object->empty()) {
    bool first = true;
    out += '{';
    for (const auto& [key, value] : *object) {
      if (!first) out += ',';
      first = false;
      indent(depth + 1);
      append_text(out, Json(key));
      out += ": ";
      append_pretty(out, value, depth + 1);
    }
    indent(depth);
    out += '}';
  } else if (const auto* array = json.if_array(); array && !array->empty()) {
    bool first = true;
    out += '[';
    for (const auto& value : *array) {
      if (!first) out += ',';
      first = false;
      indent(depth + 1);
      append_pretty(out, value, depth + 1);
    }
    indent(depth);
    out += ']';
  } else {
    append_text(out, json);
  }
}

}  // namespace

std::string to_pretty_text(const Json& json) {
  std::string out;
  append_pretty(out, json, 0);
  return out;
}

bool is_truthy(const Json& json) {
  if (json.is_null()) return false;
  if (json.is_bool()) return json.get_bool();
  if (json.is_number()) return json.to_number<double>() != 0 && !std::isnan(json.to_number<double>());
  if (json.is_string()) return !json.get_string().empty();
  return true;
}

std::string to_display_text(const Json& json) {
  return json.is_string() ? std::string(json.get_string()) : to_text(json);
}

std::string_view json_type_name(const Json& json) {
  switch (json.kind()) {
    case boost::json::kind::null:
      return "null";
    case boost::json::kind::bool_:
      return "a boolean";
    case boost::json::kind::int64:
    case boost::json::kind::uint64:
    case boost::json::kind::double_:
      return "a number";
    case boost::json::kind::string:
      return "a string";
    case boost::json::kind::array:
      return "a list";
    case boost::json::kind::object:
      return "an object";
  }
  return "a value";
}

std::string pointer_token(std::string_view raw) {
  std::string out;
  out.reserve(raw.size());
  for (const char c : raw) {
    if (c == '~')
      out += "~0";
    else if (c == '/')
      out += "~1";
    else
      out += c;
  }
  return out;
}

std::size_t json_weight(const Json& json) {
  std::size_t total = sizeof(Json);
  if (const auto* text = json.if_string()) return total + text->size();
  if (const auto* array = json.if_array()) {
    for (const auto& item : *array) total += json_weight(item);
  } else if (const auto* object = json.if_object()) {
    for (const auto& [key, value] : *object) total += key.size() + json_weight(value);
  }
  return total;
}

}  // namespace fp
