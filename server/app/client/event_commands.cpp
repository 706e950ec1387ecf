#include "app/client/api_client.hpp"
#include "app/client/client_commands.hpp"
#include "app/client/output.hpp"
#include "base/json_parse.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace fp::app {

namespace {

const std::vector<Column> kEvents = {{"at", "AT"},
                                     {"name", "NAME"},
                                     {"key", "KEY"},
                                     {"source", "SOURCE"},
                                     {"started", "STARTED"},
                                     {"outcome", "OUTCOME"},
                                     {"handled_at", "HANDED OUT"},
                                     {"id", "ID"}};
const std::vector<Column> kSubscriptions = {{"name", "EVENT"},
                                            {"workflow_name", "WORKFLOW"},
                                            {"trigger", "TRIGGER"},
                                            {"has_filter", "FILTER"},
                                            {"workflow", "ID"}};
const std::vector<Column> kPolls = {
    {"workflow_name", "WORKFLOW"}, {"trigger", "TRIGGER"}, {"trigger_type", "TYPE"},
    {"last_at", "LAST"},           {"next_at", "NEXT"},    {"items", "ITEMS"},
    {"started", "STARTED"},        {"error", "PROBLEM"},   {"workflow", "ID"}};

/// For a table: objects and lists become a few words.
void put_into_words(Json& row) {
  auto& object = row.as_object();
  if (auto* source = object.if_contains("source")) {
    const auto workflow = json_string(*source, "workflow");
    const auto step = json_string(*source, "step");
    *source = workflow.empty() ? json_string(*source, "type")
                               : workflow + (step.empty() ? std::string() : "/" + step);
  }
  if (auto* outcome = object.if_contains("outcome"); outcome != nullptr && outcome->is_array()) {
    std::string words;
    for (const auto& one : outcome->get_array()) {
      const auto name = json_string(one, "workflow_name");
      words += fmt::format("{}{} {}", words.empty() ? "" : ", ", name.empty() ? "an execution" : name,
                           json_string(one, "outcome"));
    }
    *outcome = words;
  }
  if (auto* error = object.if_contains("error"); error != nullptr && error->is_object())
    *error = json_string(*error, "detail");
}

ExitCode print_page(const ClientOptions& o, const Settings& settings, const std::string& path,
                    const std::vector<Column>& columns) {
  auto client = ApiClient::make(settings);
  if (!client) return report(client.error());
  auto page = client->get(path);
  if (!page) return report(page.error());
  auto rows = std::move(page->as_object()["results"]);
  const auto format = parse_format(o.format);
  if (format == Format::table) {
    for (auto& row : rows.as_array()) put_into_words(row);
  }
  print_rows(rows, columns, format);
  return kOk;
}

ExitCode publish(const ClientOptions& o, const Settings& settings) {
  auto client = ApiClient::make(settings);
  if (!client) return report(client.error());
  JsonObject body{{"name", o.name}};
  if (!o.id.empty()) body["key"] = o.id;
  if (!o.payload.empty()) {
    auto data = parse_json(o.payload);
    body["data"] = data ? std::move(*data) : Json(o.payload);
  }
  const auto answer = client->post("/api/events/", Json(std::move(body)));
  if (!answer) return report(answer.error());
  print_object(*answer, {{"name", "NAME"}, {"key", "KEY"}, {"id", "ID"}}, parse_format(o.format));
  return kOk;
}

}  // namespace

void add_event_commands(CLI::App& app, ClientOptions& o, const ClientRegistrar& add) {
  auto* event = app.add_subcommand("event", "What happened, and who hears of it");
  event->require_subcommand(1);
  auto* publishing = add_command(event, o, "publish", "Say that something happened",
                                 "flowpilot event publish order.paid --key 4711 --data '{\"total\": 99.5}'");
  publishing->add_option("NAME", o.name, "Words with dots between them")->required();
  publishing->add_option("--key", o.id, "What steps that wait for it compare");
  publishing->add_option("--data", o.payload, "JSON, or plain text");
  add(publishing, [&o](const Settings& s) { return publish(o, s); });
  auto* listing = add_command(event, o, "list", "What was published, and what became of it; newest first",
                              "flowpilot event list --name order.paid");
  listing->add_option("--name", o.name, "Of the events");
  listing->add_option("--limit", o.limit, "How many")->check(CLI::Range(1, 200));
  add(listing, [&o](const Settings& s) {
    return print_page(o, s,
                      fmt::format("/api/events/?limit={}{}{}", o.limit,
                                  o.name.empty() ? "" : "&name=", percent_encode(o.name)),
                      kEvents);
  });
  auto* subscriptions = add_command(event, o, "subscriptions", "Which workflows hear of which events",
                                    "flowpilot event subscriptions");
  add(subscriptions,
      [&o](const Settings& s) { return print_page(o, s, "/api/subscriptions/", kSubscriptions); });
  auto* polls =
      add_command(event, o, "polls", "URLs and folders that workflows watch", "flowpilot event polls");
  add(polls, [&o](const Settings& s) { return print_page(o, s, "/api/polls/", kPolls); });
}

}  // namespace fp::app
