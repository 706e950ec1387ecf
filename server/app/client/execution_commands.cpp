#include "app/client/api_client.hpp"
#include "app/client/client_commands.hpp"
#include "app/client/output.hpp"
#include "base/json_parse.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace fp::app {

namespace {

const std::vector<Column> kListed = {{"id", "ID"},
                                     {"workflow_name", "WORKFLOW"},
                                     {"workflow_version", "VERSION"},
                                     {"status", "STATUS"},
                                     {"trigger", "TRIGGER"},
                                     {"started_at", "STARTED"},
                                     {"error_message", "ERROR"}};
const std::vector<Column> kShown = {{"id", "id"},
                                    {"workflow_name", "workflow"},
                                    {"workflow_version", "version"},
                                    {"status", "status"},
                                    {"trigger", "trigger"},
                                    {"started_at", "started"},
                                    {"completed_at", "completed"},
                                    {"retry_of", "retry of"},
                                    {"output", "output"},
                                    {"error_message", "error"}};
const std::vector<Column> kTasks = {
    {"step", "STEP"},           {"index", "ITEM"},         {"step_type", "TYPE"},     {"status", "STATUS"},
    {"retry_count", "RETRIES"}, {"started_at", "STARTED"}, {"error_message", "ERROR"}};

Result<ExitCode> show(const Result<Json>& answer, Format format) {
  if (!answer) return answer.error();
  print_object(*answer, kShown, format);
  if (format == Format::table) {
    fmt::print("\n");
    std::fflush(stdout);
    print_rows(answer->at("tasks"), kTasks, format);
  }
  return kOk;
}

ExitCode finish(const Result<ExitCode>& done) {
  return done ? *done : report(done.error());
}

ExitCode list(const ClientOptions& o, const Settings& settings) {
  auto client = ApiClient::make(settings);
  if (!client) return report(client.error());
  const auto page = client->get("/api/executions/" + to_query({{"workflow", o.workflow},
                                                               {"status", o.status},
                                                               {"label", o.label},
                                                               {"search", o.search},
                                                               {"limit", std::to_string(o.limit)}}));
  if (!page) return report(page.error());
  print_rows(page->at("results"), kListed, parse_format(o.format));
  return kOk;
}

ExitCode show_one(const ClientOptions& o, const Settings& settings) {
  auto client = ApiClient::make(settings);
  if (!client) return report(client.error());
  return finish(show(client->get("/api/executions/" + percent_encode(o.id) + "/"), parse_format(o.format)));
}

/// Posts `body` to one of the execution's routes and shows the execution after it.
ExitCode act(const ClientOptions& o, const Settings& settings, const std::string& route, const Json& body) {
  auto client = ApiClient::make(settings);
  if (!client) return report(client.error());
  return finish(show(client->post(fmt::format("/api/executions/{}/{}/", percent_encode(o.id), route), body),
                     parse_format(o.format)));
}

ExitCode retry(const ClientOptions& o, const Settings& settings) {
  return act(o, settings, "retry",
             JsonObject{{"from", o.from}, {"version", o.version.empty() ? "same" : o.version}});
}

ExitCode cancel(const ClientOptions& o, const Settings& settings) {
  return act(o, settings, "cancel", o.reason.empty() ? JsonObject() : JsonObject{{"reason", o.reason}});
}

ExitCode signal(const ClientOptions& o, const Settings& settings) {
  auto payload = o.payload.empty() ? Result<Json>(Json(nullptr)) : parse_json(o.payload);
  return act(o, settings, "signals/" + percent_encode(o.name), payload ? *payload : Json(o.payload));
}

}  // namespace

void add_execution_commands(CLI::App& app, ClientOptions& o, const ClientRegistrar& add) {
  auto* group = app.add_subcommand("execution", "Executions of a running server");
  group->require_subcommand(1);
  const auto make = [&](const char* name, const char* help, const char* example,
                        ExitCode (*command_act)(const ClientOptions&, const Settings&)) {
    auto* command = group->add_subcommand(name, help);
    command->footer(std::string("Example:\n  flowpilot execution ") + example);
    command->add_option("-o,--output", o.format, "table, json or yaml")
        ->check(CLI::IsMember({"table", "json", "yaml"}));
    add(command, [&o, command_act](const Settings& settings) { return command_act(o, settings); });
    return command;
  };
  const auto named = [&](CLI::App* command) {
    command->add_option("EXECUTION", o.id, "Its id")->required();
    return command;
  };
  auto* listing =
      make("list", "List executions, newest first", "list --status failed --workflow onboarding", list);
  listing->add_option("--workflow", o.workflow, "Id or name of the workflow");
  listing->add_option("--status", o.status, "One or several, separated by commas");
  listing->add_option("--label", o.label, "KEY or KEY=VALUE");
  listing->add_option("--search", o.search, "Text in id, workflow name, error or labels");
  listing->add_option("--limit", o.limit, "How many")->check(CLI::Range(1, 200));
  named(make("show", "One execution with its tasks", "show 01a20a44-97cd-7914-8631-63fd5fd2988d", show_one));
  named(make("watch", "Follow an execution until it ends", "watch 01a20a44-97cd-7914-8631-63fd5fd2988d",
             watch_command));
  auto* logs =
      named(make("logs", "Print its log lines",
                 "logs 01a20a44-97cd-7914-8631-63fd5fd2988d --follow --level warning", logs_command));
  logs->add_flag("-f,--follow", o.follow, "Go on until the execution ends");
  logs->add_option("--step", o.name, "Of this step");
  logs->add_option("--level", o.level, "This level and above")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}));
  logs->add_option("--search", o.search, "Text in the line");
  logs->add_option("--tail", o.tail, "Only the newest so many")->check(CLI::Range(1, 1000));
  auto* retrying =
      named(make("retry", "Run it again",
                 "retry 01a20a44-97cd-7914-8631-63fd5fd2988d --from crm --version published", retry));
  retrying->add_option("--from", o.from, "failed, start, or a step id");
  retrying->add_option("--version", o.version, "same, published or draft")
      ->check(CLI::IsMember({"same", "published", "draft"}));
  auto* cancelling = named(make(
      "cancel", "Stop it", "cancel 01a20a44-97cd-7914-8631-63fd5fd2988d --reason 'wrong customer'", cancel));
  cancelling->add_option("--reason", o.reason, "Why, for the journal");
  auto* signalling =
      named(make("signal", "Send it a signal",
                 "signal 01a20a44-97cd-7914-8631-63fd5fd2988d paid '{\"amount\": 12}'", signal));
  signalling->add_option("NAME", o.name, "Of the signal")->required();
  signalling->add_option("PAYLOAD", o.payload, "JSON, or plain text");
}

}  // namespace fp::app
