#include "app/commands.hpp"

#include <fmt/format.h>

namespace fp::app {

ExitCode config_show_command(const Settings& settings) {
  for (const auto& spec : kSettings) {
    const auto& value = settings.all().at(spec.name);
    const bool is_default_dir = std::string_view(spec.name) == "data_dir" && value.text.empty();
    const auto shown = is_default_dir ? settings.data_dir().string() : mask_secrets(value.text);
    fmt::print("{:<16} {:<40} {}\n", spec.name, shown.empty() ? "(none)" : shown, value.origin);
  }
  return kOk;
}

}  // namespace fp::app
