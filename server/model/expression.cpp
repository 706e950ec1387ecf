#include "model/expression.hpp"

#include "base/json_parse.hpp"

#include <algorithm>

namespace fp::model {

namespace {

bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool is_name_char(char c) {
  return is_name_start(c) || (c >= '0' && c <= '9');
}
bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/// Steps through JavaScript token by token, as far as needed to know strings, templates, comments, regular
/// expressions and braces from names (ECMA-262 section 12; a slash is a division after a value, else a
/// regex).
class JavaScriptScanner {
 public:
  enum class Token { end, name, punctuation, literal };
  explicit JavaScriptScanner(std::string_view text, std::size_t at = 0) : text_(text), at_(at) {}

  Token next() {
    skip_blank();
    start_ = at_;
    if (at_ >= text_.size()) return Token::end;
    const char c = text_[at_];
    if (is_name_start(c)) {
      while (at_ < text_.size() && is_name_char(text_[at_])) ++at_;
      after_value_ = !is_operator_word(token());
      return Token::name;
    }
    if (c == '"' || c == '\'') return end_literal(skip_string(c));
    if (c == '`') return end_literal(skip_template());
    if (c >= '0' && c <= '9') {
      while (at_ < text_.size() && (is_name_char(text_[at_]) || text_[at_] == '.')) ++at_;
      return end_literal(true);
    }
    if (c == '/' && !after_value_) return end_literal(skip_regex());
    ++at_;
    after_value_ = c == ')' || c == ']' || c == '}';
    return Token::punctuation;
  }

  std::string_view token() const { return text_.substr(start_, at_ - start_); }
  std::size_t start() const { return start_; }
  std::size_t position() const { return at_; }
  /// Steps that template literals read are inside their token; this finds them.
  bool is_template() const { return text_[start_] == '`'; }

 private:
  static bool is_operator_word(std::string_view word) {
    return word == "typeof" || word == "return" || word == "in" || word == "of" || word == "instanceof" ||
           word == "void" || word == "delete" || word == "new" || word == "case";
  }
  Token end_literal(bool) {
    after_value_ = true;
    return Token::literal;
  }
  void skip_blank() {
    while (at_ < text_.size()) {
      if (is_space(text_[at_])) {
        ++at_;
      } else if (text_.substr(at_, 2) == "//") {
        at_ = std::min(text_.size(), text_.find('\n', at_));
      } else if (text_.substr(at_, 2) == "/*") {
        const auto end = text_.find("*/", at_ + 2);
        at_ = end == std::string_view::npos ? text_.size() : end + 2;
      } else {
        return;
      }
    }
  }
  bool skip_string(char quote) {
    for (++at_; at_ < text_.size() && text_[at_] != quote && text_[at_] != '\n'; ++at_) {
      if (text_[at_] == '\\') ++at_;
    }
    at_ = std::min(text_.size(), at_ + 1);
    return true;
  }
  bool skip_regex() {
    bool in_class = false;
    for (++at_; at_ < text_.size() && text_[at_] != '\n'; ++at_) {
      const char c = text_[at_];
      if (c == '\\')
        ++at_;
      else if (c == '[')
        in_class = true;
      else if (c == ']')
        in_class = false;
      else if (c == '/' && !in_class)
        break;
    }
    at_ = std::min(text_.size(), at_ + 1);
    while (at_ < text_.size() && is_name_char(text_[at_])) ++at_;
    return true;
  }
  /// `a ${ b } c`: an inner scanner steps over each substitution. Depth is bounded, so hostile text can not
  /// recurse.
  bool skip_template() {
    for (++at_; at_ < text_.size() && text_[at_] != '`'; ++at_) {
      if (text_[at_] == '\\') {
        ++at_;
      } else if (text_.substr(at_, 2) == "${") {
        at_ = skip_substitution(at_ + 2);
      }
    }
    at_ = std::min(text_.size(), at_ + 1);
    return true;
  }
  std::size_t skip_substitution(std::size_t from) {
    if (depth_ >= kMaxDepth) return text_.size();
    JavaScriptScanner inner(text_, from);
    inner.depth_ = depth_ + 1;
    int braces = 0;
    while (true) {
      const auto kind = inner.next();
      if (kind == Token::end) return text_.size();
      if (kind != Token::punctuation) continue;
      if (inner.token() == "{") ++braces;
      if (inner.token() == "}" && braces-- == 0) return inner.start();
    }
  }

  static constexpr int kMaxDepth = 32;
  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t start_ = 0;
  int depth_ = 0;
  bool after_value_ = false;
};

void add_once(std::vector<std::string>& list, std::string_view item) {
  if (std::find(list.begin(), list.end(), item) == list.end()) list.emplace_back(item);
}

void collect_reads(std::string_view source, Expression& out, int depth);

/// The substitutions of a template literal are expressions of their own.
void collect_template_reads(std::string_view literal, Expression& out, int depth) {
  for (std::size_t at = literal.find("${"); at != std::string_view::npos && depth < 32;
       at = literal.find("${", at + 2)) {
    collect_reads(literal.substr(at + 2), out, depth + 1);
  }
}

void add_step_read(std::string_view source, std::size_t at, Expression& out) {
  JavaScriptScanner ahead(source, at);
  const auto kind = ahead.next();
  bool named = false;
  if (kind == JavaScriptScanner::Token::punctuation && (ahead.token() == "." || ahead.token() == "?")) {
    if (ahead.token() == "?" && ahead.next() == JavaScriptScanner::Token::punctuation && ahead.token() != ".")
      return;
    named = ahead.next() == JavaScriptScanner::Token::name;
    if (named) add_once(out.steps, ahead.token());
  } else if (kind == JavaScriptScanner::Token::punctuation && ahead.token() == "[") {
    if (ahead.next() == JavaScriptScanner::Token::literal && ahead.token().size() > 2 &&
        ahead.token()[0] != '`') {
      add_once(out.steps, ahead.token().substr(1, ahead.token().size() - 2));
      named = true;
    }
  }
  if (!named) out.reads_any_step = true;
}

void collect_reads(std::string_view source, Expression& out, int depth) {
  JavaScriptScanner scanner(source);
  bool after_dot = false;
  for (auto kind = scanner.next(); kind != JavaScriptScanner::Token::end; kind = scanner.next()) {
    const bool is_member =
        std::exchange(after_dot, kind == JavaScriptScanner::Token::punctuation && scanner.token() == ".");
    if (kind == JavaScriptScanner::Token::literal && scanner.is_template())
      collect_template_reads(scanner.token(), out, depth);
    if (kind != JavaScriptScanner::Token::name || is_member) continue;
    const auto name = scanner.token();
    if (std::find(std::begin(kScopeRoots), std::end(kScopeRoots), name) == std::end(kScopeRoots)) continue;
    add_once(out.roots, name);
    if (name == "steps") add_step_read(source, scanner.position(), out);
  }
}

std::optional<Json> parse_constant(std::string_view source) {
  const auto first = source.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return std::nullopt;
  const char c = source[first];
  const bool may_be = c == '"' || c == '-' || (c >= '0' && c <= '9') || c == 't' || c == 'f' || c == 'n';
  if (!may_be) return std::nullopt;
  auto parsed = parse_json(source);
  if (!parsed) return std::nullopt;
  return std::move(*parsed);
}

}  // namespace

std::size_t find_expression_end(std::string_view text, std::size_t from) {
  JavaScriptScanner scanner(text, from);
  int braces = 0;
  while (true) {
    const auto kind = scanner.next();
    if (kind == JavaScriptScanner::Token::end) return std::string_view::npos;
    if (kind != JavaScriptScanner::Token::punctuation) continue;
    if (scanner.token() == "{") ++braces;
    if (scanner.token() != "}") continue;
    if (braces == 0 && text.substr(scanner.start(), 2) == "}}") return scanner.start();
    if (braces > 0) --braces;
  }
}

Expression parse_expression(std::string_view source) {
  Expression out;
  out.source = source;
  out.constant = parse_constant(source);
  if (out.constant) return out;
  out.path = parse_path(source);
  const auto is_root = [](const std::string& name) {
    return std::find(std::begin(kScopeRoots), std::end(kScopeRoots), name) != std::end(kScopeRoots);
  };
  if (out.path && !is_root(out.path->root()))
    out.path.reset();  // a global such as `undefined`: JavaScript knows
  collect_reads(source, out, 0);
  return out;
}

}  // namespace fp::model
