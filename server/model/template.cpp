#include "model/template.hpp"

#include "base/error_code.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fp::model {

namespace {

/// Line and column (code points, from 1) of `offset` in `text`.
std::pair<std::size_t, std::size_t> locate(std::string_view text, std::size_t offset) {
  std::size_t line = 1;
  std::size_t column = 1;
  for (std::size_t i = 0; i < offset; ++i) {
    if (text[i] == '\n') {
      ++line;
      column = 1;
    } else if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) {
      ++column;
    }
  }
  return {line, column};
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

}  // namespace

Template::Node Template::parse_text(std::string_view text, const std::string& pointer,
                                    std::vector<Issue>& issues) {
  Text out;
  std::size_t at = 0;
  while (true) {
    const auto open = text.find("{{", at);
    if (open == std::string_view::npos) break;
    const auto [line, column] = locate(text, open + 2);
    const auto close = find_expression_end(text, open + 2);
    if (close == std::string_view::npos) {
      issues.push_back(
          {pointer, codes::expr_syntax.id,
           fmt::format("at line {}, column {} of this text: this expression is never closed with }}}}", line,
                       column)});
      return Json(text);
    }
    const auto source = text.substr(open + 2, close - open - 2);
    if (is_blank(source)) {
      issues.push_back(
          {pointer, codes::expr_syntax.id,
           fmt::format("at line {}, column {} of this text: the expression is empty", line, column)});
    }
    if (open > at) out.parts.emplace_back(std::string(text.substr(at, open - at)));
    auto expression = parse_expression(source);
    expression.line = line;
    expression.column = column;
    out.parts.emplace_back(std::move(expression));
    at = close + 2;
  }
  if (out.parts.empty()) return Json(text);
  if (at < text.size()) out.parts.emplace_back(std::string(text.substr(at)));
  if (out.parts.size() > 1) return out;
  auto& only = std::get<Expression>(out.parts.front());
  if (only.constant) return std::move(*only.constant);
  return std::move(only);
}

Template Template::parse(const Json& json, const std::string& pointer, std::vector<Issue>& issues,
                         std::span<const std::string> literal) {
  Template out;
  out.pointer_ = pointer;
  bool constant = true;
  if (const auto* text = json.if_string()) {
    out.node_ = parse_text({text->data(), text->size()}, pointer, issues);
  } else if (const auto* array = json.if_array()) {
    Array items;
    for (const auto& item : *array) {
      items.push_back(parse(item, fmt::format("{}/{}", pointer, items.size()), issues));
      constant = constant && items.back().is_constant();
    }
    // A constant expression such as {{ 5 }} makes the rendered value differ from the document's, so both are
    // rebuilt.
    JsonArray values;
    if (constant)
      for (const auto& item : items) values.push_back(item.constant());
    out.node_ = constant ? Node(Json(std::move(values))) : Node(std::move(items));
  } else if (const auto* object = json.if_object()) {
    Object members;
    for (const auto& member : *object) {
      Template part;
      if (std::ranges::find(literal, std::string_view(member.key())) != literal.end())
        part.node_ = member.value();
      else
        part = parse(member.value(), pointer + "/" + pointer_token(member.key()), issues);
      members.emplace_back(std::string(member.key()), std::move(part));
      constant = constant && members.back().second.is_constant();
    }
    JsonObject values;
    if (constant)
      for (const auto& [key, member] : members) values.emplace(key, member.constant());
    out.node_ = constant ? Node(Json(std::move(values))) : Node(std::move(members));
  } else {
    out.node_ = json;
  }
  out.index_javascript();
  return out;
}

void Template::index_javascript() {
  javascript_.clear();
  const auto add = [this](const Expression& expression) {
    if (expression.is_javascript()) javascript_.push_back(&expression);
  };
  if (const auto* expression = std::get_if<Expression>(&node_)) {
    add(*expression);
  } else if (const auto* text = std::get_if<Text>(&node_)) {
    for (const auto& part : text->parts) {
      if (const auto* inner = std::get_if<Expression>(&part)) add(*inner);
    }
  } else if (const auto* array = std::get_if<Array>(&node_)) {
    for (const auto& item : *array)
      javascript_.insert(javascript_.end(), item.javascript_.begin(), item.javascript_.end());
  } else if (const auto* object = std::get_if<Object>(&node_)) {
    for (const auto& [key, member] : *object) {
      javascript_.insert(javascript_.end(), member.javascript_.begin(), member.javascript_.end());
    }
  }
}

void Template::collect(const std::string& pointer,
                       std::vector<std::pair<std::string, const Expression*>>& out) const {
  if (const auto* expression = std::get_if<Expression>(&node_)) {
    out.emplace_back(pointer, expression);
  } else if (const auto* text = std::get_if<Text>(&node_)) {
    for (const auto& part : text->parts) {
      if (const auto* inner = std::get_if<Expression>(&part)) out.emplace_back(pointer, inner);
    }
  } else if (const auto* array = std::get_if<Array>(&node_)) {
    for (const auto& item : *array) item.collect(item.pointer_, out);
  } else if (const auto* object = std::get_if<Object>(&node_)) {
    for (const auto& [key, member] : *object) member.collect(member.pointer_, out);
  }
}

std::vector<std::pair<std::string, const Expression*>> Template::list_expressions() const {
  std::vector<std::pair<std::string, const Expression*>> out;
  collect(pointer_, out);
  return out;
}

const Expression* Template::as_expression() const {
  return std::get_if<Expression>(&node_);
}

const Template* Template::find(std::string_view key) const {
  if (const auto* object = std::get_if<Object>(&node_)) {
    for (const auto& [name, member] : *object) {
      if (name == key) return &member;
    }
  }
  return nullptr;
}

std::vector<std::pair<std::string, const Template*>> Template::list_members() const {
  std::vector<std::pair<std::string, const Template*>> out;
  if (const auto* object = std::get_if<Object>(&node_)) {
    for (const auto& [name, member] : *object) out.emplace_back(name, &member);
  }
  return out;
}

namespace {

/// The error, and where in the document it happened.
Error placed(Error error, const Expression& expression, const std::string& pointer) {
  if (error.details.is_null())
    error.details = JsonObject{{"pointer", pointer}, {"expression", expression.source}};
  return error;
}

Result<Json> evaluate(const Expression& expression, const std::string& pointer, const Scope& scope,
                      std::span<const Result<Json>> results, std::size_t& used) {
  if (expression.constant) return *expression.constant;
  if (expression.path) {
    Json scratch;
    const auto read = scope.read(*expression.path, scratch);
    if (!read) return placed(read.error(), expression, pointer);
    return **read;
  }
  if (used >= results.size()) return Error(codes::expr_failed, "the expression was not evaluated");
  const auto& result = results[used++];
  if (!result) return placed(result.error(), expression, pointer);
  return result;
}

}  // namespace

Result<Json> Template::render(const Scope& scope, std::span<const Result<Json>> results) const {
  std::size_t used = 0;
  return render_from(scope, results, used);
}

Result<Json> Template::render_from(const Scope& scope, std::span<const Result<Json>> results,
                                   std::size_t& used) const {
  if (const auto* constant = std::get_if<Json>(&node_)) return *constant;
  if (const auto* expression = std::get_if<Expression>(&node_))
    return evaluate(*expression, pointer_, scope, results, used);
  if (const auto* text = std::get_if<Text>(&node_)) {
    std::string out;
    for (const auto& part : text->parts) {
      if (const auto* plain = std::get_if<std::string>(&part)) {
        out += *plain;
        continue;
      }
      auto value = evaluate(std::get<Expression>(part), pointer_, scope, results, used);
      if (!value) return value;
      out += to_display_text(*value);
    }
    return Json(std::move(out));
  }
  if (const auto* items = std::get_if<Array>(&node_)) {
    JsonArray out;
    out.reserve(items->size());
    for (const auto& item : *items) {
      auto value = item.render_from(scope, results, used);
      if (!value) return value;
      out.push_back(std::move(*value));
    }
    return Json(std::move(out));
  }
  JsonObject out;
  for (const auto& [key, member] : std::get<Object>(node_)) {
    auto value = member.render_from(scope, results, used);
    if (!value) return value;
    out.emplace(key, std::move(*value));
  }
  return Json(std::move(out));
}

}  // namespace fp::model
