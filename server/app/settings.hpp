#pragma once

#include "base/result.hpp"

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace fp::app {

/// One row of contract/settings.yaml.
struct SettingSpec {
  const char* name;
  const char* type;  // text, list, count, flag, or a|b|c
  const char* fallback;
  const char* help;
  const char* only;       // the command it is a flag of; "" = all
  std::size_t least = 1;  // of a count
  std::size_t most = 1024;
};
extern const std::vector<SettingSpec> kSettings;

struct SettingValue {
  std::string text;
  std::string origin = "default";  // default, file, environment, flag
};

/// The settings in force, each with where it came from: flags > FLOWPILOT_* > file > defaults.
class Settings {
 public:
  /// `flags` are the settings given on the command line. Errors: setting.unknown, setting.invalid, file
  /// problems; each names the setting and its origin.
  static Result<Settings> load(const std::map<std::string, std::string>& flags,
                               const std::string& config_file);

  std::string text(const std::string& name) const { return values_.at(name).text; }
  std::vector<std::string> list(const std::string& name) const;
  std::size_t count(const std::string& name) const;
  bool flag(const std::string& name) const;
  /// data_dir, or its default below the user's state directory (XDG base directories).
  std::filesystem::path data_dir() const;
  const std::map<std::string, SettingValue>& all() const { return values_; }

 private:
  std::map<std::string, SettingValue> values_;
};

/// A value for showing: passwords inside URLs are masked.
std::string mask_secrets(const std::string& text);

}  // namespace fp::app
