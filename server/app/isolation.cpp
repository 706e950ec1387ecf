#include "app/isolation.hpp"

#include "launcher/launcher.hpp"

namespace fp::app {

JsonObject to_json(launcher::Level level, const launcher::Layers& layers) {
  JsonObject out{{"level", std::string(launcher::to_text(level))}};
  for (const auto& [name, value] : launcher::to_text(layers)) {
    if (value == "true" || value == "false")
      out[name] = value == "true";
    else
      out[name] = value;
  }
  out["landlock"] = layers.landlock;
  return out;
}

Json probe_code_isolation(const tasks::CodeOptions& code) {
  const auto layers = launcher::Launcher().probe({.level = code.level});
  if (!layers)
    return JsonObject{{"level", std::string(launcher::to_text(code.level))},
                      {"error", layers.error().message}};
  auto out = to_json(code.level, *layers);
  JsonArray missing;
  for (auto& name : launcher::list_missing({.level = code.level}, *layers)) missing.emplace_back(name);
  out["missing"] = std::move(missing);
  return out;
}

}  // namespace fp::app
