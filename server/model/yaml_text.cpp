#include "model/yaml_text.hpp"

#include <yaml-cpp/emitter.h>

namespace fp::model {

namespace {

/// A literal block keeps a text as it is only when its lines hold nothing that YAML would take for its own.
bool fits_literal(std::string_view text) {
  if (text.find('\n') == std::string_view::npos || text.front() == ' ' || text.front() == '\n' ||
      text.back() != '\n')
    return false;
  if (text.size() > 1 && text[text.size() - 2] == '\n') return false;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 && c != '\n') return false;
    if (static_cast<unsigned char>(c) >= 0x7F) return false;
  }
  return true;
}

bool is_plain_word(std::string_view text) {
  static constexpr std::string_view kReserved[] = {"true", "false", "null", "yes", "no",
                                                   "on",   "off",   "y",    "n"};
  if (text.empty() || text.size() > 60) return false;
  std::string lower;
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if (std::isalnum(u) == 0 && c != '_' && c != '-' && c != ' ' && c != '/') return false;
    lower += static_cast<char>(std::tolower(u));
  }
  for (const auto word : kReserved) {
    if (lower == word) return false;
  }
  return std::isalpha(static_cast<unsigned char>(text.front())) != 0 && text.back() != ' ';
}

void emit(YAML::Emitter& out, const Json& value) {
  if (value.is_object()) {
    const auto& members = value.get_object();
    if (members.empty()) out << YAML::Flow;
    out << YAML::BeginMap;
    for (const auto& member : members) {
      out << YAML::Key;
      emit(out, Json(member.key()));
      out << YAML::Value;
      emit(out, member.value());
    }
    out << YAML::EndMap;
  } else if (value.is_array()) {
    const auto& list = value.get_array();
    if (list.empty()) out << YAML::Flow;
    out << YAML::BeginSeq;
    for (const auto& item : list) emit(out, item);
    out << YAML::EndSeq;
  } else if (value.is_string()) {
    const std::string text(value.get_string());
    if (is_plain_word(text))
      out << text;
    else if (fits_literal(text))
      out << YAML::Literal << text;
    else
      out << YAML::DoubleQuoted << text;
  } else if (value.is_null()) {
    out << YAML::Null;
  } else if (value.is_bool()) {
    out << value.get_bool();
  } else {
    out << to_text(value);
  }
}

}  // namespace

std::string to_yaml_text(const Json& document) {
  YAML::Emitter out;
  out.SetIndent(2);
  emit(out, document);
  return std::string(out.c_str()) + "\n";
}

}  // namespace fp::model
