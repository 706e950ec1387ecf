#include "app/commands.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace fp::app {

namespace {

std::vector<std::string> list_flags(const CLI::App& command) {
  std::vector<std::string> out;
  for (const auto* option : command.get_options()) {
    for (const auto& name : option->get_lnames()) out.push_back("--" + name);
  }
  return out;
}

std::vector<std::string> list_names(const std::vector<const CLI::App*>& commands) {
  std::vector<std::string> out;
  for (const auto* command : commands) out.push_back(command->get_name());
  return out;
}

std::vector<const CLI::App*> subcommands(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

void print_bash(const CLI::App& app, bool for_zsh) {
  if (for_zsh) fmt::print("autoload -U +X bashcompinit && bashcompinit\n");
  fmt::print(
      "_flowpilot() {{\n  local word=\"${{COMP_WORDS[COMP_CWORD]}}\" command=\"${{COMP_WORDS[1]}}\"\n  if [ "
      "\"$COMP_CWORD\" -eq 1 ]; then\n"
      "    COMPREPLY=($(compgen -W \"{}\" -- \"$word\"))\n    return\n  fi\n  case \"$command\" in\n",
      fmt::join(list_names(subcommands(app)), " "));
  for (const auto* command : subcommands(app)) {
    auto words = list_flags(*command);
    for (const auto& name : list_names(subcommands(*command))) words.push_back(name);
    fmt::print("    {}) COMPREPLY=($(compgen -W \"{}\" -- \"$word\")) ;;\n", command->get_name(),
               fmt::join(words, " "));
  }
  fmt::print(
      "  esac\n  case \"$word\" in -*) ;; *) COMPREPLY+=($(compgen -f -- \"$word\")) ;; esac\n}}\ncomplete "
      "-F _flowpilot flowpilot\n");
}

void print_fish(const CLI::App& app) {
  for (const auto* command : subcommands(app)) {
    fmt::print("complete -c flowpilot -n __fish_use_subcommand -a {} -d \"{}\"\n", command->get_name(),
               command->get_description());
    for (const auto& flag : list_flags(*command)) {
      fmt::print("complete -c flowpilot -n \"__fish_seen_subcommand_from {}\" -l {}\n", command->get_name(),
                 flag.substr(2));
    }
    for (const auto& name : list_names(subcommands(*command))) {
      fmt::print("complete -c flowpilot -n \"__fish_seen_subcommand_from {}\" -a {}\n", command->get_name(),
                 name);
    }
  }
}

}  // namespace

ExitCode completion_command(const std::string& shell, const CLI::App& app) {
  if (shell == "fish")
    print_fish(app);
  else
    print_bash(app, shell == "zsh");
  return kOk;
}

}  // namespace fp::app
