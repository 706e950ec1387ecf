#include "simulated_evaluator.hpp"

#include "base/error_code.hpp"

namespace fp::simulation {

namespace {

class Scope {
 public:
  Scope(const ports::EvaluationRequest& request, const Json* item, std::size_t index)
      : request_(request), item_(item), index_(index) {}

  Json read(std::string_view name) const {
    for (const auto& entry : request_.scope) {
      if (entry.path == name) return *entry.value;
    }
    if (name == "item" && item_ != nullptr) return *item_;
    return nullptr;
  }
  Json input(std::string_view member) const {
    const auto whole = read("input");
    const auto* found = json_find(whole, member);
    return found == nullptr ? Json(nullptr) : *found;
  }
  std::size_t index() const { return index_; }

 private:
  const ports::EvaluationRequest& request_;
  const Json* item_;
  std::size_t index_;
};

double number(const Json& json) {
  return json.is_number() ? json.to_number<double>() : 0;
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(' ');
  return text.substr(first, text.find_last_not_of(' ') + 1 - first);
}

Result<Json> run(const std::string& text, const Scope& scope) {
  const auto source = trim(text);
  if (source == "input.n + 1") return Json(number(scope.input("n")) + 1);
  if (source == "input.n * 2") return Json(number(scope.input("n")) * 2);
  if (source == "input.n > 5") return Json(number(scope.input("n")) > 5);
  if (source == "!input.flag") return Json(scope.input("flag") != Json(true));
  if (source == "item > 2") return Json(number(scope.read("item")) > 2);
  if (source == "item + 1") return Json(number(scope.read("item")) + 1);
  if (source == "input.kind.concat('')") return scope.input("kind");
  if (source == "input.items.concat(input.items)") {
    auto items = scope.input("items");
    if (!items.is_array()) return Error(codes::expr_failed, "no list");
    auto twice = items.get_array();
    for (const auto& item : items.get_array()) twice.push_back(item);
    return Json(std::move(twice));
  }
  if (source == "boom()") return Error(codes::expr_failed, "boom is not defined");
  throw Violation("an expression the simulation does not know: " + text);
}

ports::EvaluationAnswer answer(const ports::EvaluationRequest& request) {
  ports::EvaluationAnswer out;
  const auto* list = request.items ? request.items->if_array() : nullptr;
  for (const auto& source : request.expressions) {
    if (list == nullptr) out.results.push_back(run(source, Scope(request, nullptr, 0)));
    for (std::size_t i = 0; list != nullptr && i < list->size(); ++i)
      out.results.push_back(run(source, Scope(request, &(*list)[i], i)));
  }
  return out;
}

}  // namespace

ports::EvaluationAnswer SimulatedEvaluator::crash(const ports::EvaluationRequest& request, const char* why) {
  ports::EvaluationAnswer out;
  const auto each = request.items && request.items->is_array() ? request.items->get_array().size() : 1;
  out.results.assign(request.expressions.size() * each, Error(codes::expr_crashed, why));
  return out;
}

void SimulatedEvaluator::evaluate(ports::EvaluationRequest request, Done done) {
  tally_.count("command evaluate");
  if (stopped_) return done(crash(request, kSandboxStopped));
  if (!calm_ && dice_.one_in(12)) {
    tally_.count("fault expression crashed");
    return done(crash(request, "planned"));
  }
  pending_.push_back({std::move(request), std::move(done)});
  const auto place = std::prev(pending_.end());
  const auto late = dice_.one_in(3) ? dice_.up_to(Milliseconds(2'000)) : Milliseconds(0);
  loop_.post_after(late, [this, place] {
    if (stopped_) return;
    auto pending = std::move(*place);
    pending_.erase(place);
    pending.done(answer(pending.request));
  });
}

void SimulatedEvaluator::stop() {
  stopped_ = true;
  auto pending = std::exchange(pending_, {});
  for (auto& one : pending) one.done(crash(one.request, kSandboxStopped));
}

}  // namespace fp::simulation
