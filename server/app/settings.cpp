#include "app/settings.hpp"

#include "app/files.hpp"
#include "base/error_code.hpp"
#include "model/suggest.hpp"
#include "model/workflow.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

namespace fp::app {

namespace {

std::string environment_name(std::string_view setting) {
  std::string out = "FLOWPILOT_";
  for (const char c : setting) out += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

Result<void> check(const SettingSpec& spec, const SettingValue& value) {
  const std::string_view type(spec.type);
  if (type == "flag" || type.find('|') != std::string_view::npos) {
    const auto choices = "|" + std::string(type == "flag" ? "true|false" : type) + "|";
    const bool is_one = !value.text.empty() && choices.find("|" + value.text + "|") != std::string::npos;
    if (is_one) return {};
    return Error(codes::setting_invalid,
                 fmt::format("the setting {} (from {}) must be one of {}, not {}", spec.name, value.origin,
                             choices.substr(1, choices.size() - 2), model::quote(value.text)));
  }
  if (type != "count") return {};
  std::size_t number = 0;
  const auto [end, ec] = std::from_chars(value.text.data(), value.text.data() + value.text.size(), number);
  if (ec == std::errc() && end == value.text.data() + value.text.size() && number >= spec.least &&
      number <= spec.most)
    return {};
  return Error(codes::setting_invalid,
               fmt::format("the setting {} (from {}) must be a number from {} to {}, not {}", spec.name,
                           value.origin, spec.least, spec.most, model::quote(value.text)));
}

std::string list_text(const Json& value) {
  if (!value.is_array()) return to_display_text(value);
  std::vector<std::string> parts;
  for (const auto& item : value.get_array()) parts.push_back(to_display_text(item));
  return fmt::format("{}", fmt::join(parts, ","));
}

}  // namespace

Result<Settings> Settings::load(const std::map<std::string, std::string>& flags,
                                const std::string& config_file) {
  Settings out;
  std::vector<std::string> names;
  for (const auto& spec : kSettings) {
    out.values_[spec.name] = {spec.fallback, "default"};
    names.emplace_back(spec.name);
  }
  if (!config_file.empty()) {
    const auto text = read_file(config_file, 1 << 20);
    if (!text) return text.error();
    const auto file = model::parse_document(*text);
    if (!file)
      return Error(file.error().code, fmt::format("{}: {}", config_file, file.error().message), false);
    if (!file->is_object())
      return Error(codes::setting_invalid,
                   fmt::format("{} must hold settings, one a line: name: value", config_file));
    for (const auto& member : file->get_object()) {
      const std::string name(member.key());
      if (!out.values_.contains(name))
        return Error(codes::setting_unknown, fmt::format("{}: there is no setting {}{}", config_file,
                                                         model::quote(name), model::suggest(name, names)));
      out.values_[name] = {list_text(member.value()), "file " + config_file};
    }
  }
  for (const auto& name : names) {
    if (const char* value = std::getenv(environment_name(name).c_str()))
      out.values_[name] = {value, "environment " + environment_name(name)};
  }
  for (const auto& [name, value] : flags) out.values_[name] = {value, "flag"};
  for (const auto& spec : kSettings) {
    if (auto checked = check(spec, out.values_[spec.name]); !checked) return checked.error();
  }
  return out;
}

std::vector<std::string> Settings::list(const std::string& name) const {
  std::vector<std::string> out;
  std::string_view rest = values_.at(name).text;
  while (!rest.empty()) {
    const auto part = rest.substr(0, rest.find(','));
    if (!part.empty()) out.emplace_back(part);
    rest.remove_prefix(std::min(rest.size(), part.size() + 1));
  }
  return out;
}

bool Settings::flag(const std::string& name) const {
  return values_.at(name).text == "true";
}

std::size_t Settings::count(const std::string& name) const {
  std::size_t number = 0;
  const auto& text = values_.at(name).text;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::filesystem::path Settings::data_dir() const {
  if (!text("data_dir").empty()) return text("data_dir");
  if (const char* state = std::getenv("XDG_STATE_HOME"); state != nullptr && *state == '/')
    return std::filesystem::path(state) / "flowpilot";
  const char* home = std::getenv("HOME");
  return std::filesystem::path(home == nullptr ? "." : home) / ".local/state/flowpilot";
}

std::string mask_secrets(const std::string& text) {
  const auto scheme = text.find("://");
  const auto at = text.find('@', scheme == std::string::npos ? 0 : scheme);
  if (scheme == std::string::npos || at == std::string::npos) return text;
  const auto colon = text.find(':', scheme + 3);
  if (colon == std::string::npos || colon > at) return text;
  return text.substr(0, colon + 1) + "***" + text.substr(at);
}

}  // namespace fp::app
