#include "app/client/api_client.hpp"
#include "app/client/client_commands.hpp"
#include "app/client/output.hpp"
#include "base/error_code.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace fp::app {

namespace {

const std::vector<Column> kListed = {
    {"name", "NAME"},       {"status", "STATUS"},        {"host", "HOST"},
    {"pid", "PID"},         {"slots", "SLOTS"},          {"running", "RUNNING"},
    {"runtime", "RUNTIME"}, {"task_types", "FUNCTIONS"}, {"id", "ID"}};

Result<Json> list_workers(ApiClient& client) {
  auto page = client.get("/api/workers/");
  if (!page) return page.error();
  auto rows = std::move(page->as_object()["results"]);
  for (auto& row : rows.as_array()) row.as_object()["running"] = row.at("leases").as_array().size();
  return rows;
}

ExitCode list(const ClientOptions& o, const Settings& settings) {
  auto client = ApiClient::make(settings);
  if (!client) return report(client.error());
  auto rows = list_workers(*client);
  if (!rows) return report(rows.error());
  const auto format = parse_format(o.format);
  if (format == Format::table) {
    for (auto& row : rows->as_array()) {
      std::string names;
      for (const auto& type : row.at("task_types").as_array())
        names += (names.empty() ? "" : ", ") + std::string(type.as_string());
      row.as_object()["task_types"] = names;
    }
  }
  print_rows(*rows, kListed, format);
  return kOk;
}

/// By id or by name: of several with one name, all.
ExitCode drain(const ClientOptions& o, const Settings& settings) {
  auto client = ApiClient::make(settings);
  if (!client) return report(client.error());
  const auto rows = list_workers(*client);
  if (!rows) return report(rows.error());
  std::size_t drained = 0;
  for (const auto& row : rows->as_array()) {
    const auto id = json_string(row, "id");
    if (id != o.id && json_string(row, "name") != o.id) continue;
    const auto answer = client->post(fmt::format("/api/workers/{}/drain/", id), JsonObject());
    if (!answer) return report(answer.error());
    fmt::print("{} ({}) gets no more leases; it ends once it has finished {}\n", json_string(row, "name"), id,
               row.at("running").to_number<std::size_t>());
    ++drained;
  }
  if (drained > 0) return kOk;
  return report(
      Error(codes::not_found, fmt::format("there is no worker {}; see flowpilot worker list", o.id)));
}

}  // namespace

void add_worker_commands(CLI::App& app, ClientOptions& o, const ClientRegistrar& add) {
  auto* group = app.add_subcommand("worker", "Workers that carry out Python functions for a server");
  group->require_subcommand(1);
  group->footer("Start one with: python3 -m flowpilot worker --server URL MODULE");
  auto* listing = group->add_subcommand("list", "Workers that are registered, and what each has");
  listing->add_option("-o,--output", o.format, "table, json or yaml")
      ->check(CLI::IsMember({"table", "json", "yaml"}));
  listing->footer("Example:\n  flowpilot worker list");
  add(listing, [&o](const Settings& settings) { return list(o, settings); });
  auto* draining = group->add_subcommand("drain", "Let a worker finish what it has, and end");
  draining->add_option("WORKER", o.id, "Its name or id")->required();
  draining->footer("Example:\n  flowpilot worker drain billing-1");
  add(draining, [&o](const Settings& settings) { return drain(o, settings); });
}

}  // namespace fp::app
