#include "random_workflow.hpp"

#include "engine/steps/step.hpp"
#include "tally.hpp"

#include <fmt/format.h>

namespace fp::simulation {

const model::TaskTypeRegistry& simulation_types() {
  static const model::TaskTypeRegistry types = [] {
    model::TaskTypeRegistry out;
    engine::register_engine_steps(out);
    model::TaskTypeSpec work;
    work.type = "work";
    work.config_schema = Json(true);
    out.add(std::move(work));
    return out;
  }();
  return types;
}

Json make_random_input(Dice& dice) {
  JsonArray items;
  for (std::size_t i = dice.below(6); i > 0; --i) items.push_back(Json(dice.below(10)));
  return JsonObject{{"n", dice.below(20)},
                    {"flag", dice.one_in(2)},
                    {"kind", dice.one_in(2) ? "a" : "b"},
                    {"items", std::move(items)}};
}

namespace {

using Names = std::vector<std::string>;

class DocumentMaker {
 public:
  DocumentMaker(Dice& dice, const Names& children) : dice_(dice), children_(children) {}

  Json make(const std::string& name, const std::string& on_failure) {
    const auto count = dice_.one_in(4) ? dice_.between(6, 15) : dice_.between(1, 6);
    for (std::size_t i = 0; i < count; ++i) add_step(i);
    JsonObject document{{"name", name}, {"steps", std::move(steps_)}};
    JsonObject settings;
    if (dice_.one_in(6)) settings["timeout_seconds"] = dice_.between(5, 900);
    if (!on_failure.empty() && dice_.one_in(2)) settings["on_failure"] = on_failure;
    if (!settings.empty()) document["settings"] = std::move(settings);
    if (dice_.one_in(2))
      document["output"] = dice_.pick(Names{"{{ input.n }}", "{{ input.n * 2 }}", "{{ steps.s0.output }}",
                                            "{{ input.n + 1 }}", "{{ boom() }}"});
    return document;
  }

 private:
  struct Made {
    std::string id;
    Names ports;
  };

  void add_step(std::size_t index) {
    JsonObject step{{"id", fmt::format("s{}", index)}};
    const bool loops = dice_.one_in(4);
    auto ports = add_type(step, loops);
    add_dependencies(step);
    if (loops && ports.empty()) {
      step["for_each"] = dice_.pick(
          Names{"{{ input.items }}", "{{ input.items }}", "{{ input.items.concat(input.items) }}"});
      step["max_parallel"] = dice_.between(1, 4);
    }
    if (dice_.one_in(3)) step["retry_config"] = make_retry();
    if (dice_.one_in(3)) step["timeout_seconds"] = dice_.between(1, 40);
    if (dice_.one_in(5)) step["on_error"] = "continue";
    if (dice_.one_in(4)) step["join"] = dice_.pick(Names{"all", "any", "always"});
    if (dice_.one_in(15)) step["disabled"] = true;
    const auto id = fmt::format("undo{}", index);
    const bool undone = dice_.one_in(6);
    if (undone) step["compensate"] = id;
    made_.push_back({fmt::format("s{}", index), std::move(ports)});
    steps_.push_back(std::move(step));
    if (undone) add_compensation(id);
  }

  void add_compensation(const std::string& id) {
    JsonObject undo{
        {"id", id},
        {"step_type", "work"},
        {"config", JsonObject{{"value", dice_.pick(Names{"{{ input.n }}", "{{ input.n + 1 }}"})}}}};
    if (dice_.one_in(2)) undo["retry_config"] = make_retry();
    steps_.push_back(std::move(undo));
  }

  Json make_retry() {
    JsonObject retry{{"max_attempts", dice_.between(1, 4)},
                     {"initial_delay_seconds", dice_.below(20)},
                     {"jitter", dice_.one_in(2)}};
    if (dice_.one_in(5)) retry["max_elapsed_seconds"] = dice_.between(5, 60);
    return retry;
  }

  void add_dependencies(JsonObject& step) {
    if (made_.empty()) return;
    JsonArray edges;
    Names seen;
    for (std::size_t i = dice_.below(4); i > 0; --i) {
      const auto& source = made_[made_.size() - 1 - dice_.below(std::min<std::size_t>(made_.size(), 5))];
      JsonObject edge{{"step", source.id}};
      if (dice_.one_in(6))
        edge["when"] = "error";
      else if (!source.ports.empty() && !dice_.one_in(4))
        edge["when"] = dice_.pick(source.ports);
      const auto text = to_text(Json(edge));
      if (std::find(seen.begin(), seen.end(), text) != seen.end()) continue;
      seen.push_back(text);
      edges.push_back(std::move(edge));
    }
    step["depends_on"] = std::move(edges);
  }

  std::string number() {
    return dice_.pick(Names{"{{ input.n }}", "{{ input.n + 1 }}", "{{ input.n * 2 }}"});
  }
  std::string list() {
    return dice_.pick(Names{"{{ input.items }}", "{{ input.items.concat(input.items) }}"});
  }
  std::string truth() {
    return dice_.pick(Names{"{{ input.flag }}", "{{ input.n > 5 }}", "{{ !input.flag }}"});
  }

  /// Fills in type and config; returns the ways out.
  Names add_type(JsonObject& step, bool loops) {
    const auto set = [&](const char* type, JsonObject config) {
      step["step_type"] = type;
      step["config"] = std::move(config);
      return Names{};
    };
    const auto item = [&](const char* with, const char* without) {
      return std::string(loops ? with : without);
    };
    switch (dice_.below(32)) {
      default:
        return set("work", {{"value", item("{{ item }}", number().c_str())}});
      case 0:
        return set("work", {{"value", item("{{ item + 1 }}", "{{ input.n + 1 }}")}});
      case 1:
        return set("work", {{"value", 1}});
      case 2:
        return set("set", {{"values", JsonObject{{"a", number()}, {"b", item("{{ index }}", "x")}}}});
      case 3:
        return set("conditional", {{"condition", truth()}}), Names{"true", "false"};
      case 4:
        return set("switch", {{"value", "{{ input.kind }}"},
                              {"cases", JsonArray{JsonObject{{"name", "a"}, {"equals", "a"}},
                                                  JsonObject{{"name", "big"}, {"when", truth()}}}}}),
               Names{"a", "big", "default"};
      case 5:
        return set("filter", {{"items", list()}, {"where", "{{ item > 2 }}"}});
      case 6:
        return set("map", {{"items", list()}, {"value", "{{ item + 1 }}"}});
      case 7:
        return add_list_step(step);
      case 8:
        return set("delay", {{"seconds", dice_.one_in(2) ? dice_.below(5) : dice_.below(400)}});
      case 9:
      case 10:
        return add_wait(step);
      case 11:
        return set("approval", with_limit({{"title", "go on?"}})), Names{"approved", "rejected", "timeout"};
      case 12:
      case 13:
        return add_child(step);
      case 14:
        return set("fail", {{"message", "planned"}, {"retryable", dice_.one_in(2)}});
      case 15:
        return set("set", {{"values", dice_.pick(Names{"{{ boom() }}", "{{ input.missing }}"})}});
    }
  }

  JsonObject with_limit(JsonObject config) {
    if (dice_.one_in(2)) config["timeout_seconds"] = dice_.between(1, 300);
    return config;
  }

  Names add_wait(JsonObject& step) {
    step["step_type"] = "wait_signal";
    // A name with JavaScript in it takes the long way: asked, answered, perhaps tried again.
    step["config"] = with_limit({{"name", dice_.pick(Names{"go", "stop", "{{ input.kind.concat('') }}"})}});
    return {"timeout"};
  }

  Names add_list_step(JsonObject& step) {
    const auto which = dice_.below(6);
    static const Names kTypes{"sort", "limit", "dedupe", "aggregate", "split", "merge"};
    step["step_type"] = kTypes[which];
    JsonObject config{{"items", list()}};
    if (which == 1) config["count"] = 2;
    if (which == 4) config["size"] = 2;
    if (which == 5) config["items"] = JsonArray{list(), "{{ input.items }}"};
    step["config"] = std::move(config);
    return {};
  }

  Names add_child(JsonObject& step) {
    if (children_.empty()) {
      step["step_type"] = "work";
      step["config"] = JsonObject();
      return {};
    }
    JsonObject config{{"workflow", dice_.one_in(20) ? "nobody wrote this" : dice_.pick(children_)}};
    config["input"] =
        JsonObject{{"n", number()}, {"flag", true}, {"kind", "a"}, {"items", "{{ input.items }}"}};
    if (dice_.one_in(4)) config["wait"] = false;
    step["step_type"] = "workflow";
    step["config"] = std::move(config);
    return {};
  }

  Dice& dice_;
  const Names& children_;
  JsonArray steps_;
  std::vector<Made> made_;
};

}  // namespace

std::shared_ptr<const model::Workflow> make_random_workflow(Dice& dice, const std::string& name,
                                                            const Names& children,
                                                            const std::string& on_failure) {
  auto document = DocumentMaker(dice, children).make(name, on_failure);
  const auto text = to_text(document);
  auto workflow = model::read_workflow(std::move(document), simulation_types());
  if (workflow) return *workflow;
  std::string problem = "the random workflow is not valid: " + text;
  for (const auto& issue : workflow.error().issues)
    problem += fmt::format("\n  {} {}", issue.pointer, issue.message);
  throw Violation(problem);
}

}  // namespace fp::simulation
