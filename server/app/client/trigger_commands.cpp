#include "app/client/api_client.hpp"
#include "app/client/client_commands.hpp"
#include "app/client/output.hpp"
#include "base/error_code.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace fp::app {

namespace {

const std::vector<Column> kSchedules = {
    {"workflow_name", "WORKFLOW"}, {"trigger", "TRIGGER"},      {"next_at", "NEXT"}, {"waits", "WAITS"},
    {"last_tick_at", "LAST"},      {"last_outcome", "OUTCOME"}, {"workflow", "ID"}};
const std::vector<Column> kTicks = {
    {"tick", "TICK"}, {"outcome", "OUTCOME"}, {"reason", "REASON"}, {"execution_id", "EXECUTION"}};
const std::vector<Column> kTimes = {{"local", "LOCAL"}, {"at", "UTC"}, {"note", "NOTE"}};
const std::vector<Column> kWebhooks = {{"workflow_name", "WORKFLOW"},
                                       {"trigger", "TRIGGER"},
                                       {"methods", "METHODS"},
                                       {"path", "PATH"},
                                       {"signature", "SIGNATURE"},
                                       {"problem", "PROBLEM"},
                                       {"last_request_at", "LAST"},
                                       {"last_status", "STATUS"},
                                       {"workflow", "ID"}};
const std::vector<Column> kRequests = {
    {"number", "NUMBER"}, {"at", "AT"},           {"method", "METHOD"},       {"path", "PATH"},
    {"status", "STATUS"}, {"outcome", "OUTCOME"}, {"signature", "SIGNATURE"}, {"execution_id", "EXECUTION"}};

ExitCode print_all(const ClientOptions& o, const Settings& settings, const std::string& path,
                   const std::vector<Column>& columns) {
  auto client = ApiClient::make(settings);
  if (!client) return report(client.error());
  auto page = client->get(path);
  if (!page) return report(page.error());
  auto rows = std::move(page->as_object()["results"]);
  const auto format = parse_format(o.format);
  for (auto& row : rows.as_array()) {
    auto* methods = row.as_object().if_contains("methods");
    if (methods == nullptr || format != Format::table) continue;
    std::string words;
    for (const auto& method : methods->as_array())
      words += (words.empty() ? "" : ",") + std::string(method.as_string());
    *methods = words;
  }
  print_rows(rows, columns, format);
  return kOk;
}

/// What is known below /api/<kind>/WORKFLOW/TRIGGER/<what>/; the workflow by its name too.
ExitCode print_of_trigger(const ClientOptions& o, const Settings& settings, const std::string& kind,
                          const std::string& what, const std::vector<Column>& columns) {
  auto client = ApiClient::make(settings);
  if (!client) return report(client.error());
  const auto page = client->get(fmt::format("/api/{}/", kind));
  if (!page) return report(page.error());
  for (const auto& row : page->at("results").as_array()) {
    const bool is_named = json_string(row, "workflow_name") == o.id || json_string(row, "workflow") == o.id;
    if (!is_named || (!o.name.empty() && json_string(row, "trigger") != o.name)) continue;
    return print_all(o, settings,
                     fmt::format("/api/{}/{}/{}/{}/", kind, json_string(row, "workflow"),
                                 json_string(row, "trigger"), what),
                     columns);
  }
  return report(Error(codes::not_found, fmt::format("no published workflow {} has such a trigger", o.id)));
}

ExitCode preview(const ClientOptions& o, const Settings& settings) {
  auto client = ApiClient::make(settings);
  if (!client) return report(client.error());
  JsonObject body{{"cron", o.payload}, {"count", o.limit}};
  if (!o.name.empty()) body["timezone"] = o.name;
  const auto answer = client->post("/api/schedules/preview/", Json(std::move(body)));
  if (!answer) return report(answer.error());
  print_rows(answer->at("results"), kTimes, parse_format(o.format));
  return kOk;
}

CLI::App* add_command(CLI::App* group, ClientOptions& o, const char* name, const char* help,
                      const char* example) {
  auto* command = group->add_subcommand(name, help);
  command->add_option("-o,--output", o.format, "table, json or yaml")
      ->check(CLI::IsMember({"table", "json", "yaml"}));
  command->footer(std::string("Example:\n  ") + example);
  return command;
}

void add_trigger_arguments(CLI::App* command, ClientOptions& o) {
  command->add_option("WORKFLOW", o.id, "Its name or id")->required();
  command->add_option("TRIGGER", o.name, "Id of the trigger; default the first");
}

}  // namespace

void add_trigger_commands(CLI::App& app, ClientOptions& o, const ClientRegistrar& add) {
  auto* schedule = app.add_subcommand("schedule", "Schedules of published workflows");
  schedule->require_subcommand(1);
  auto* listing = add_command(schedule, o, "list", "When each fires next", "flowpilot schedule list");
  add(listing, [&o](const Settings& s) { return print_all(o, s, "/api/schedules/", kSchedules); });
  auto* fires = add_command(schedule, o, "fires", "What became of the last ticks of one",
                            "flowpilot schedule fires Nightly");
  add_trigger_arguments(fires, o);
  add(fires, [&o](const Settings& s) { return print_of_trigger(o, s, "schedules", "fires", kTicks); });
  auto* next = add_command(schedule, o, "preview", "When a cron expression fires",
                           "flowpilot schedule preview '0 6 * * MON-FRI' --timezone Europe/Berlin");
  next->add_option("CRON", o.payload, "Five fields, or six with seconds first")->required();
  next->add_option("--timezone", o.name, "Of the tz database; default UTC");
  next->add_option("--count", o.limit, "How many")->default_val(10)->check(CLI::Range(1, 1000));
  add(next, [&o](const Settings& s) { return preview(o, s); });

  auto* webhook = app.add_subcommand("webhook", "Webhooks of published workflows");
  webhook->require_subcommand(1);
  auto* hooks = add_command(webhook, o, "list", "Where they listen", "flowpilot webhook list");
  add(hooks, [&o](const Settings& s) { return print_all(o, s, "/api/webhooks/", kWebhooks); });
  auto* requests = add_command(webhook, o, "requests", "The last requests of one",
                               "flowpilot webhook requests Onboarding");
  add_trigger_arguments(requests, o);
  add(requests,
      [&o](const Settings& s) { return print_of_trigger(o, s, "webhooks", "requests", kRequests); });
}

}  // namespace fp::app
