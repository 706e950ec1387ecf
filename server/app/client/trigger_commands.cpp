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
    {"last_tick_at", "LAST"},      {"last_outcome", "OUTCOME"}, {"pause", "PAUSED"}, {"workflow", "ID"}};
const std::vector<Column> kSchedule = {
    {"workflow_name", "workflow"}, {"trigger", "trigger"}, {"next_at", "next"}, {"pause", "paused"}};
const std::vector<Column> kStarted = {{"id", "execution"}, {"status", "status"}};
const std::vector<Column> kBackfill = {
    {"id", "job"},      {"status", "status"}, {"count", "ticks"}, {"started_before", "started before"},
    {"first", "first"}, {"last", "last"},     {"done", "done"},   {"refused", "refused"},
    {"error", "error"}};
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

/// Why it is paused, as a column.
void show_pause(Json& row) {
  const auto* paused = json_find(row, "paused");
  if (paused == nullptr || !paused->is_object()) return;
  const auto note = json_string(*paused, "note");
  row.as_object()["pause"] = note.empty() ? "by " + json_string(*paused, "by") : note;
}

ExitCode print_all(const ClientOptions& o, const Settings& settings, const std::string& path,
                   const std::vector<Column>& columns) {
  auto client = ApiClient::make(settings);
  if (!client) return report(client.error());
  auto page = client->get(path);
  if (!page) return report(page.error());
  auto rows = std::move(page->as_object()["results"]);
  const auto format = parse_format(o.format);
  for (auto& row : rows.as_array()) {
    show_pause(row);
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

/// "/api/<kind>/WORKFLOW/TRIGGER/"; the workflow by its name too, the first trigger when none is named.
Result<std::string> find_trigger(ApiClient& client, const ClientOptions& o, const std::string& kind) {
  const auto page = client.get(fmt::format("/api/{}/", kind));
  if (!page) return page.error();
  for (const auto& row : page->at("results").as_array()) {
    const bool is_named = json_string(row, "workflow_name") == o.id || json_string(row, "workflow") == o.id;
    if (!is_named || (!o.name.empty() && json_string(row, "trigger") != o.name)) continue;
    return fmt::format("/api/{}/{}/{}/", kind, json_string(row, "workflow"), json_string(row, "trigger"));
  }
  return Error(codes::not_found, fmt::format("no published workflow {} has such a trigger", o.id));
}

ExitCode print_of_trigger(const ClientOptions& o, const Settings& settings, const std::string& kind,
                          const std::string& what, const std::vector<Column>& columns) {
  auto client = ApiClient::make(settings);
  if (!client) return report(client.error());
  const auto trigger = find_trigger(*client, o, kind);
  if (!trigger) return report(trigger.error());
  return print_all(o, settings, *trigger + what + "/", columns);
}

/// POST .../<what>/ of a schedule.
ExitCode tell_schedule(const ClientOptions& o, const Settings& settings, const std::string& what,
                       JsonObject body, const std::vector<Column>& members) {
  auto client = ApiClient::make(settings);
  if (!client) return report(client.error());
  const auto trigger = find_trigger(*client, o, "schedules");
  if (!trigger) return report(trigger.error());
  auto answer = client->post(*trigger + what + "/", Json(std::move(body)));
  if (!answer) return report(answer.error());
  show_pause(*answer);
  print_object(*answer, members, parse_format(o.format));
  return kOk;
}

ExitCode backfill(const ClientOptions& o, const Settings& settings) {
  JsonObject body{{"from", o.from}, {"until", o.until}, {"dry_run", o.dry_run}};
  if (o.at_once) body["overlap"] = "allow";
  return tell_schedule(o, settings, "backfill", std::move(body), kBackfill);
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

void add_trigger_arguments(CLI::App* command, ClientOptions& o) {
  command->add_option("WORKFLOW", o.id, "Its name or id")->required();
  command->add_option("TRIGGER", o.name, "Id of the trigger; default the first");
}

void add_schedule_controls(CLI::App* schedule, ClientOptions& o, const ClientRegistrar& add) {
  auto* pause = add_command(schedule, o, "pause", "No ticks until it is resumed",
                            "flowpilot schedule pause Nightly --note 'the shop is closed'");
  add_trigger_arguments(pause, o);
  pause->add_option("--note", o.note, "Why");
  add(pause, [&o](const Settings& s) { return tell_schedule(o, s, "pause", {{"note", o.note}}, kSchedule); });
  auto* resume =
      add_command(schedule, o, "resume", "Go on with the next tick", "flowpilot schedule resume Nightly");
  add_trigger_arguments(resume, o);
  add(resume, [&o](const Settings& s) { return tell_schedule(o, s, "resume", {}, kSchedule); });
  auto* trigger =
      add_command(schedule, o, "trigger", "Start one execution now", "flowpilot schedule trigger Nightly");
  add_trigger_arguments(trigger, o);
  add(trigger, [&o](const Settings& s) { return tell_schedule(o, s, "trigger", {}, kStarted); });
  auto* fill = add_command(schedule, o, "backfill", "Start what a range of the past did not",
                           "flowpilot schedule backfill Nightly --from 2026-03-01T00:00:00Z "
                           "--until 2026-03-07T00:00:00Z --dry-run");
  add_trigger_arguments(fill, o);
  fill->add_option("--from", o.from, "RFC 3339")->required();
  fill->add_option("--until", o.until, "RFC 3339; not in the future")->required();
  fill->add_flag("--dry-run", o.dry_run, "Count and start nothing");
  fill->add_flag("--at-once", o.at_once, "Do not wait for the end of each before the next");
  add(fill, [&o](const Settings& s) { return backfill(o, s); });
}

}  // namespace

CLI::App* add_command(CLI::App* group, ClientOptions& o, const char* name, const char* help,
                      const char* example) {
  auto* command = group->add_subcommand(name, help);
  command->add_option("-o,--output", o.format, "table, json or yaml")
      ->check(CLI::IsMember({"table", "json", "yaml"}));
  command->footer(std::string("Example:\n  ") + example);
  return command;
}

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

  add_schedule_controls(schedule, o, add);

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
