#include "app/client/client_commands.hpp"
#include "app/commands.hpp"
#include "app/run_command.hpp"
#include "app/serve_command.hpp"
#include "app/signals.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace fp::app {

namespace {

/// Every setting is a flag of the commands that use settings: data_dir is --data-dir.
class SettingFlags {
 public:
  void add_to(CLI::App& command, std::string_view only = "") {
    command.add_option("--config", config_file_, "File with settings, one a line: name: value")
        ->group("Settings");
    for (const auto& spec : kSettings) {
      const bool is_special =
          *spec.only != 0 && !(only == "doctor" && std::string_view(spec.only) == "client");
      if (is_special ? spec.only != only : only == "client") continue;  // clients need none of a server's
      std::string flag = "--" + std::string(spec.name);
      std::replace(flag.begin(), flag.end(), '_', '-');
      const auto help = std::string(spec.help) +
                        (*spec.fallback == 0 ? "" : " (default " + std::string(spec.fallback) + ")");
      const std::string name = spec.name;
      if (std::string_view(spec.type) == "flag") {
        command.add_flag_callback(
                   flag, [this, name] { flags_[name] = "true"; }, spec.help)
            ->group("Settings");
        continue;
      }
      command
          .add_option_function<std::vector<std::string>>(
              flag,
              [this, name,
               is_list = std::string_view(spec.type) == "list"](const std::vector<std::string>& given) {
                flags_[name] = is_list ? fmt::format("{}", fmt::join(given, ",")) : given.back();
              },
              help)
          ->group("Settings")
          ->expected(1)
          ->take_all();
    }
  }
  Result<Settings> load() const { return Settings::load(flags_, config_file_); }

 private:
  std::map<std::string, std::string> flags_;
  std::string config_file_;
};

class CommandLine {
 public:
  CommandLine() : app_("Draw a workflow, run it, and trust it.", "flowpilot") {
    app_.require_subcommand(1);
    app_.set_version_flag("--version", FLOWPILOT_VERSION);
    app_.footer(
        "Examples:\n"
        "  flowpilot serve --dev\n"
        "  flowpilot run examples/onboarding.yaml --input email=ada@example.org\n"
        "  flowpilot run --resume\n"
        "  flowpilot validate examples/*.yaml\n\n"
        "Exit codes: 0 ok, 1 execution failed, 2 usage, 3 not found, 4 auth, 5 time-out, 6 conflict, 7 "
        "unavailable");
    add_serve();
    add_run();
    add_validate();
    add_verify();
    add_backup();
    add_doctor();
    add_sandbox_test();
    add_config();
    add_completion();
    const auto add_client = [this](CLI::App* command, std::function<ExitCode(const Settings&)> act) {
      with_settings(command, std::move(act), "client");
    };
    add_workflow_commands(app_, client_, add_client);
    add_execution_commands(app_, client_, add_client);
    add_worker_commands(app_, client_, add_client);
    add_trigger_commands(app_, client_, add_client);
    add_event_commands(app_, client_, add_client);
  }

  int run(int argc, char** argv) {
    try {
      app_.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      const int code = app_.exit(error);
      return code == 0 ? kOk : kUsage;
    }
    return action_ ? action_() : kUsage;
  }

 private:
  void with_settings(CLI::App* command, std::function<ExitCode(const Settings&)> act,
                     std::string_view only = "") {
    flags_.add_to(*command, only);
    command->final_callback([this, act = std::move(act)] {
      action_ = [this, act] {
        const auto settings = flags_.load();
        return settings ? act(*settings) : report(settings.error());
      };
    });
  }

  void add_serve() {
    auto* serve =
        app_.add_subcommand("serve", "Serve workflows over HTTP and WebSocket until SIGTERM or Ctrl-C");
    serve->add_flag("--dev", serve_.dev,
                    "For one person on one machine: demo workflows, and steps may reach loopback");
    serve->add_option("--var", serve_.vars, "Variable that expressions read as vars.NAME; repeat it")
        ->type_name("NAME=VALUE")
        ->expected(1)
        ->take_all();
    serve->footer(
        "Examples:\n"
        "  flowpilot serve --dev\n"
        "  flowpilot serve --data-dir /var/lib/flowpilot --port 8080 --allow-address crm.internal:443");
    with_settings(
        serve, [this](const Settings& settings) { return serve_command(serve_, settings); }, "serve");
  }

  void add_run() {
    auto* run = app_.add_subcommand(
        "run", "Run one workflow in this process, durably; or go on where an earlier process stopped");
    run->add_option("FILE", run_.file, "Workflow document, YAML or JSON; - for standard input");
    run->add_option("-i,--input", run_.input_pairs, "Input field, NAME=VALUE; repeat it")
        ->type_name("NAME=VALUE")
        ->expected(1)
        ->take_all();
    run->add_option("--input-file", run_.input_file, "JSON file with the input; - for standard input");
    run->add_option("--var", run_.vars, "Variable that expressions read as vars.NAME; repeat it")
        ->type_name("NAME=VALUE")
        ->expected(1)
        ->take_all();
    run->add_option("--with", run_.with,
                    "Another workflow document that this one starts by name; those beside FILE are found by "
                    "themselves")
        ->expected(1)
        ->take_all();
    run->add_option("--signal", run_.signals, "Signal to send at the start, NAME=JSON; repeat it")
        ->type_name("NAME=JSON")
        ->expected(1)
        ->take_all();
    run->add_option("--approve", run_.approve, "Approve this step when it asks; repeat it")
        ->type_name("STEP")
        ->expected(1)
        ->take_all();
    run->add_option("--reject", run_.reject, "Reject this step when it asks; repeat it")
        ->type_name("STEP")
        ->expected(1)
        ->take_all();
    auto* resume =
        run->add_option("--resume", run_.resume_id, "Go on with execution ID, or with everything unfinished")
            ->type_name("[ID]")
            ->expected(0, 1);
    run->add_option("-o,--output", format_, "json prints the whole execution on stdout")
        ->check(CLI::IsMember({"text", "json"}))
        ->default_str("text");
    run->add_option("--gate-fd", run_.gate_fd,
                    "Wait for the worker of the caller, whose door is written there")
        ->group("");  // flowpilot.testing
    run->add_option("--override", run_.overrides, "The caller's worker stands in for this step")
        ->expected(1)
        ->take_all()
        ->group("");
    run->footer(
        "Examples:\n"
        "  flowpilot run examples/onboarding.yaml --input email=ada@example.org --var "
        "crm_url=http://127.0.0.1:8025/crm\n"
        "  flowpilot run order.yaml --input-file order.json -o json\n"
        "  flowpilot run --resume --data-dir /var/lib/flowpilot");
    with_settings(run, [this, resume](const Settings& settings) {
      run_.resume = resume->count() > 0;
      run_.json_output = format_ == "json";
      if (run_.resume == !run_.file.empty()) {
        fmt::print(stderr,
                   "flowpilot run: give either a FILE or --resume\n  example: flowpilot run "
                   "examples/onboarding.yaml --input email=ada@example.org\n");
        return kUsage;
      }
      return run_command(run_, settings);
    });
  }

  void add_validate() {
    auto* validate =
        app_.add_subcommand("validate", "Check workflow documents and report everything wrong at once");
    validate->add_option("FILE", files_, "Workflow documents, YAML or JSON; - for standard input")
        ->required();
    validate->add_option("-o,--output", format_, "json prints a list of results on stdout")
        ->check(CLI::IsMember({"text", "json"}))
        ->default_str("text");
    validate->footer("Example:\n  flowpilot validate examples/*.yaml");
    with_settings(validate, [this](const Settings&) { return validate_command(files_, format_ == "json"); });
  }

  void add_verify() {
    auto* verify = app_.add_subcommand(
        "verify", "Check every invariant of a data directory, offline and without changing it");
    verify->footer("Example:\n  flowpilot verify --data-dir /var/lib/flowpilot");
    with_settings(verify, [](const Settings& settings) { return verify_command(settings); });
  }

  void add_backup() {
    auto* backup = app_.add_subcommand(
        "backup", "Copy the data directory, also of a running server, to a new directory");
    backup->add_option("TARGET", path_, "Directory to make")->required();
    backup->footer("Example:\n  flowpilot backup /srv/backups/2026-11-23 --data-dir /var/lib/flowpilot");
    with_settings(backup, [this](const Settings& settings) { return backup_command(path_, settings); });
    auto* restore = app_.add_subcommand("restore", "Make the data directory from a backup");
    restore->add_option("BACKUP", path_, "Directory that backup made")->required();
    restore->footer("Example:\n  flowpilot restore /srv/backups/2026-11-23 --data-dir /var/lib/flowpilot");
    with_settings(restore, [this](const Settings& settings) { return restore_command(path_, settings); });
  }

  void add_doctor() {
    auto* doctor =
        app_.add_subcommand("doctor", "Check disk, data directory, sandbox and server, with what to do");
    doctor->add_flag("--quick", quick_, "Only ask the server whether it is ready");
    doctor->footer("Example:\n  flowpilot doctor --data-dir /var/lib/flowpilot");
    with_settings(
        doctor, [this](const Settings& settings) { return doctor_command(quick_, settings); }, "doctor");
  }

  void add_sandbox_test() {
    auto* test = app_.add_subcommand("sandbox-test",
                                     "Try to break out of the isolation of code steps, in every way we know");
    test->add_option("--level", level_, "basic or strict; default is the setting isolation")
        ->check(CLI::IsMember({"basic", "strict"}));
    test->add_option("-o,--output", format_, "json prints every probe on stdout")
        ->check(CLI::IsMember({"text", "json"}))
        ->default_str("text");
    test->footer("Example:\n  flowpilot sandbox-test --level strict");
    with_settings(test, [this](const Settings& settings) {
      return sandbox_test_command(level_, format_ == "json", settings);
    });
  }

  void add_config() {
    auto* config = app_.add_subcommand("config", "Settings");
    config->require_subcommand(1);
    auto* show = config->add_subcommand("show", "Every setting with its value and where it came from");
    show->footer("Example:\n  FLOWPILOT_DATA_DIR=/srv/flowpilot flowpilot config show");
    with_settings(show, [](const Settings& settings) { return config_show_command(settings); });
  }

  void add_completion() {
    auto* completion = app_.add_subcommand("completion", "Print a completion script for bash, zsh or fish");
    completion->add_option("SHELL", shell_, "bash, zsh or fish")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh", "fish"}));
    completion->footer("Example:\n  source <(flowpilot completion bash)");
    completion->final_callback([this] { action_ = [this] { return completion_command(shell_, app_); }; });
  }

  CLI::App app_;
  SettingFlags flags_;
  RunOptions run_;
  ServeOptions serve_;
  ClientOptions client_;
  std::vector<std::string> files_;
  std::string format_ = "text";
  std::string shell_;
  std::string level_;
  std::string path_;
  bool quick_ = false;
  std::function<ExitCode()> action_;
};

}  // namespace

}  // namespace fp::app

int main(int argc, char** argv) {
  fp::app::block_signals();
  try {
    return fp::app::CommandLine().run(argc, argv);
  } catch (const fp::Unavailable& unavailable) {
    return fp::app::report(unavailable.error());
  }
}
