#include "app/client/api_client.hpp"
#include "app/client/client_commands.hpp"
#include "app/client/output.hpp"
#include "app/documents.hpp"
#include "app/files.hpp"
#include "base/json_parse.hpp"
#include "model/workflow.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cstdio>

namespace fp::app {

namespace {

const std::vector<Column> kListed = {
    {"id", "ID"},          {"name", "NAME"},       {"published_version", "PUBLISHED"},
    {"is_draft", "DRAFT"}, {"enabled", "ENABLED"}, {"updated_at", "UPDATED"}};
const std::vector<Column> kShown = {{"id", "id"},
                                    {"name", "name"},
                                    {"description", "description"},
                                    {"version", "version"},
                                    {"is_draft", "draft"},
                                    {"published_version", "published"},
                                    {"enabled", "enabled"},
                                    {"revision", "revision"},
                                    {"created_by", "created by"},
                                    {"updated_at", "updated"}};
const std::vector<Column> kExecution = {{"id", "id"},
                                        {"status", "status"},
                                        {"workflow_name", "workflow"},
                                        {"workflow_version", "version"},
                                        {"output", "output"},
                                        {"error_message", "error"}};

ExitCode with_client(const Settings& settings, const std::function<Result<ExitCode>(ApiClient&)>& act) {
  auto client = ApiClient::make(settings);
  if (!client) return report(client.error());
  const auto done = act(*client);
  return done ? *done : report(done.error());
}

Result<ExitCode> show(const Result<Json>& answer, const std::vector<Column>& members,
                      const std::string& format) {
  if (!answer) return answer.error();
  print_object(*answer, members, parse_format(format));
  return kOk;
}

ExitCode list(const ClientOptions& o, const Settings& settings) {
  return with_client(settings, [&](ApiClient& client) -> Result<ExitCode> {
    const auto page = client.get(
        "/api/workflows/" +
        to_query({{"search", o.search}, {"status", o.status}, {"limit", std::to_string(o.limit)}}));
    if (!page) return page.error();
    print_rows(page->at("results"), kListed, parse_format(o.format));
    return kOk;
  });
}

/// Runs `act` with the path of the workflow that the command names.
ExitCode with_workflow(const ClientOptions& o, const Settings& settings,
                       const std::function<Result<ExitCode>(ApiClient&, const std::string&)>& act) {
  return with_client(settings, [&](ApiClient& client) -> Result<ExitCode> {
    const auto id = client.find_workflow(o.id);
    if (!id) return id.error();
    return act(client, "/api/workflows/" + *id);
  });
}

ExitCode create(const ClientOptions& o, const Settings& settings) {
  return with_client(settings, [&](ApiClient& client) -> Result<ExitCode> {
    const auto text = read_file(o.file, 16u << 20);
    if (!text) return text.error();
    const auto document = model::parse_document(*text);
    if (!document)
      return Error(document.error().code, fmt::format("{}: {}", o.file, document.error().message), false);
    auto made = client.post("/api/workflows/", *document);
    if (made && o.publish)
      made = client.post(fmt::format("/api/workflows/{}/publish/", json_string(*made, "id")), JsonObject());
    return show(made, kShown, o.format);
  });
}

ExitCode update(const ClientOptions& o, const Settings& settings) {
  return with_workflow(o, settings, [&](ApiClient& client, const std::string& path) -> Result<ExitCode> {
    const auto text = read_file(o.file, 16u << 20);
    if (!text) return text.error();
    const auto document = model::parse_document(*text);
    if (!document)
      return Error(document.error().code, fmt::format("{}: {}", o.file, document.error().message), false);
    const auto now = client.get(path + "/");
    if (!now) return now.error();
    const auto etag = fmt::format("\"{}\"", *json_int(*now, "revision"));
    const auto saved = client.send("PUT", path + "/", to_text(*document), {{"If-Match", etag}});
    if (!saved) return saved.error();
    return show(parse_json(saved->body, {.max_bytes = 16u << 20}), kShown, o.format);
  });
}

ExitCode diff(const ClientOptions& o, const Settings& settings) {
  return with_workflow(o, settings, [&](ApiClient& client, const std::string& path) -> Result<ExitCode> {
    const auto answer = client.get(path + "/diff/" + to_query({{"from", o.version}, {"to", o.to}}));
    if (!answer) return answer.error();
    if (parse_format(o.format) != Format::table) {
      print_object(*answer, {}, parse_format(o.format));
      return kOk;
    }
    fmt::print("from {} to {}\n", json_string(*answer, "from"), json_string(*answer, "to"));
    const auto& changes = answer->at("changes").get_array();
    for (const auto& change : changes) {
      const auto* before = json_find(change, "before");
      const auto* after = json_find(change, "after");
      fmt::print("{:<8} {}\n", json_string(change, "op"), json_string(change, "pointer"));
      if (before != nullptr) fmt::print("  - {}\n", to_text(*before));
      if (after != nullptr) fmt::print("  + {}\n", to_text(*after));
    }
    if (changes.empty()) fmt::print("nothing changed\n");
    return kOk;
  });
}

ExitCode export_document(const ClientOptions& o, const Settings& settings) {
  return with_workflow(o, settings, [&](ApiClient& client, const std::string& path) -> Result<ExitCode> {
    const auto format = o.format == "json" ? "json" : "yaml";
    const auto answer =
        client.send("GET", path + "/export/" + to_query({{"format", format}, {"version", o.version}}), "");
    if (!answer) return answer.error();
    std::fwrite(answer->body.data(), 1, answer->body.size(), stdout);
    return kOk;
  });
}

Result<Json> read_input(const ClientOptions& o, const Json& workflow) {
  Json input = JsonObject();
  if (!o.input_file.empty()) {
    const auto text = read_file(o.input_file, 16u << 20);
    if (!text) return text.error();
    auto parsed = parse_json(*text, {.max_bytes = 16u << 20});
    if (!parsed)
      return Error(parsed.error().code, fmt::format("{}: {}", o.input_file, parsed.error().message), false);
    input = std::move(*parsed);
  }
  const auto* schema = json_find(workflow, "inputs");
  const auto pairs = read_pairs(o.input_pairs, schema == nullptr ? Json(nullptr) : *schema, "--input");
  if (!pairs) return pairs.error();
  for (const auto& member : pairs->get_object()) {
    if (input.is_object()) input.get_object().insert_or_assign(member.key(), member.value());
  }
  return input;
}

ExitCode run(const ClientOptions& o, const Settings& settings) {
  return with_workflow(o, settings, [&](ApiClient& client, const std::string& path) -> Result<ExitCode> {
    const auto workflow = client.get(path + "/");
    if (!workflow) return workflow.error();
    auto input = read_input(o, *workflow);
    if (!input) return input.error();
    const auto labels = read_pairs(o.labels, Json(nullptr), "--label");
    if (!labels) return labels.error();
    JsonObject texts;
    for (const auto& label : labels->get_object()) texts[label.key()] = to_display_text(label.value());
    const auto answer = client.post(path + "/run/", JsonObject{{"input", std::move(*input)},
                                                               {"draft", o.draft},
                                                               {"labels", std::move(texts)},
                                                               {"wait_seconds", o.wait}});
    const auto shown = show(answer, kExecution, o.format);
    if (!shown) return shown;
    const auto status = answer->is_object() ? json_string(*answer, "status") : std::string();
    return status == "failed" || status == "cancelled" ? kExecutionFailed : kOk;
  });
}

}  // namespace

void add_workflow_commands(CLI::App& app, ClientOptions& o, const ClientRegistrar& add) {
  auto* group = app.add_subcommand("workflow", "Workflows of a running server");
  group->require_subcommand(1);
  const auto make = [&](const char* name, const char* help, const char* example,
                        ExitCode (*act)(const ClientOptions&, const Settings&)) {
    auto* command = group->add_subcommand(name, help);
    command->footer(std::string("Example:\n  flowpilot workflow ") + example);
    command->add_option("-o,--output", o.format, "table, json or yaml")
        ->check(CLI::IsMember({"table", "json", "yaml"}));
    add(command, [&o, act](const Settings& settings) { return act(o, settings); });
    return command;
  };
  const auto named = [&](CLI::App* command) {
    command->add_option("WORKFLOW", o.id, "Id or exact name")->required();
    return command;
  };
  const auto version = [&](CLI::App* command, const char* help) {
    command->add_option("--version", o.version, help);
  };

  auto* listing = make("list", "List workflows, newest first", "list --search onboarding", list);
  listing->add_option("--search", o.search, "Text in name or description");
  listing->add_option("--status", o.status, "draft, published or disabled")
      ->check(CLI::IsMember({"draft", "published", "disabled"}));
  listing->add_option("--limit", o.limit, "How many")->check(CLI::Range(1, 200));
  named(make("show", "One workflow", "show onboarding -o yaml",
             [](const ClientOptions& given, const Settings& settings) {
               return with_workflow(given, settings, [&](ApiClient& client, const std::string& path) {
                 return show(client.get(path + "/"), kShown, given.format);
               });
             }));
  auto* creating =
      make("create", "Create a workflow from a file", "create onboarding.yaml --publish", create);
  creating->add_option("FILE", o.file, "Document, YAML or JSON; - for standard input")->required();
  creating->add_flag("--publish", o.publish, "Publish it at once");
  auto* importing =
      make("import", "The same as create: YAML and JSON are both taken", "import exported.json", create);
  importing->add_option("FILE", o.file, "Document, YAML or JSON; - for standard input")->required();
  importing->add_flag("--publish", o.publish, "Publish it at once");
  auto* updating =
      named(make("update", "Replace the draft with a file", "update onboarding onboarding.yaml", update));
  updating->add_option("FILE", o.file, "Document, YAML or JSON; - for standard input")->required();
  auto* publishing = named(
      make("publish", "Make the draft the next version", "publish onboarding --note 'thanks twice'",
           [](const ClientOptions& given, const Settings& settings) {
             return with_workflow(given, settings, [&](ApiClient& client, const std::string& path) {
               return show(client.post(path + "/publish/",
                                       given.note.empty() ? JsonObject() : JsonObject{{"note", given.note}}),
                           kShown, given.format);
             });
           }));
  publishing->add_option("--note", o.note, "What changed");
  auto* rolling =
      named(make("rollback", "Make an earlier version the published one again",
                 "rollback onboarding --version 3", [](const ClientOptions& given, const Settings& settings) {
                   return with_workflow(given, settings, [&](ApiClient& client, const std::string& path) {
                     return show(client.post(path + "/rollback/",
                                             JsonObject{{"version", std::atoll(given.version.c_str())}}),
                                 kShown, given.format);
                   });
                 }));
  rolling->add_option("--version", o.version, "The version's number")->required()->check(CLI::PositiveNumber);
  auto* comparing =
      named(make("diff", "What changed between two versions, or the published one and the draft",
                 "diff onboarding --from 1 --to 2", diff));
  comparing->add_option("--from", o.version, "Version number or draft; default the published one");
  comparing->add_option("--to", o.to, "Version number or draft; default draft");
  version(named(make("export", "Print the document", "export onboarding > onboarding.yaml", export_document)),
          "Version number; default the draft");
  auto* running =
      named(make("run", "Start an execution", "run onboarding --input email=ada@example.org --wait 30", run));
  running->add_option("-i,--input", o.input_pairs, "Input field, NAME=VALUE; repeat it")
      ->type_name("NAME=VALUE")
      ->expected(1)
      ->take_all();
  running->add_option("--input-file", o.input_file, "JSON file with the input; - for standard input");
  running->add_option("--label", o.labels, "Label, KEY=VALUE; repeat it")
      ->type_name("KEY=VALUE")
      ->expected(1)
      ->take_all();
  running->add_option("--wait", o.wait, "Seconds to wait for its end")->check(CLI::Range(0, 300));
  running->add_flag("--draft", o.draft, "Run the draft");
}

}  // namespace fp::app
