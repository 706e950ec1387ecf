#pragma once

#include "base/json.hpp"
#include "base/result.hpp"
#include "model/expression.hpp"

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace fp::model {

/// Reads scope values for plain paths.
class Scope {
 public:
  virtual ~Scope() = default;
  /// The value a plain path reads; `scratch` may hold it and must outlive the result. Error: expr.undefined.
  virtual Result<const Json*> read(const Path& path, Json& scratch) const = 0;
};

/// A JSON value in which texts may hold `{{ expressions }}`, taken apart once. A text that is exactly one
/// expression keeps its value's type; otherwise results become text. Object keys are never templates.
/// Immutable.
class Template {
 public:
  Template() : node_(Json(nullptr)) {}
  /// Takes `json` apart. Problems (an expression never closed, an empty one) are appended to `issues` with
  /// pointers below `pointer`. Members of an object named in `literal` are taken as they stand.
  static Template parse(const Json& json, const std::string& pointer, std::vector<Issue>& issues,
                        std::span<const std::string> literal = {});

  bool is_constant() const { return std::holds_alternative<Json>(node_); }
  const Json& constant() const { return std::get<Json>(node_); }
  /// The JavaScript expressions in the order in which render() takes their results.
  const std::vector<const Expression*>& javascript() const { return javascript_; }
  /// Every expression, with the pointer of the text that holds it.
  std::vector<std::pair<std::string, const Expression*>> list_expressions() const;
  /// The single expression this template is, when it is one.
  const Expression* as_expression() const;
  /// The template of member `key`, when this is an object that has it.
  const Template* find(std::string_view key) const;
  /// Members of an object template (of a constant one: none).
  std::vector<std::pair<std::string, const Template*>> list_members() const;

  /// The value: paths read from `scope`, JavaScript results taken in order from `results`. The first error
  /// wins.
  Result<Json> render(const Scope& scope, std::span<const Result<Json>> results) const;

 private:
  struct Text {
    std::vector<std::variant<std::string, Expression>> parts;
  };
  using Array = std::vector<Template>;
  using Object = std::vector<std::pair<std::string, Template>>;
  using Node = std::variant<Json, Expression, Text, Array, Object>;

  static Node parse_text(std::string_view text, const std::string& pointer, std::vector<Issue>& issues);
  void index_javascript();
  void collect(const std::string& pointer, std::vector<std::pair<std::string, const Expression*>>& out) const;
  Result<Json> render_from(const Scope& scope, std::span<const Result<Json>> results,
                           std::size_t& used) const;

  Node node_;
  std::string pointer_;
  std::vector<const Expression*> javascript_;

 public:
  // The index points into the node, so a copy or move makes it anew.
  Template(const Template& other) : node_(other.node_), pointer_(other.pointer_) { index_javascript(); }
  Template(Template&& other) noexcept : node_(std::move(other.node_)), pointer_(std::move(other.pointer_)) {
    index_javascript();
  }
  Template& operator=(Template other) noexcept {
    node_ = std::move(other.node_);
    pointer_ = std::move(other.pointer_);
    index_javascript();
    return *this;
  }
  ~Template() = default;
};

}  // namespace fp::model
