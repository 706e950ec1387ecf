#include "base/error_code.hpp"
#include "base/json_parse.hpp"
#include "base/text.hpp"
#include "model/suggest.hpp"
#include "model/workflow.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <charconv>
#include <cmath>
#include <map>
#include <sstream>

namespace fp::model {

namespace {

/// Stops yaml-cpp's parser from inside an event.
struct Refused {
  Error error;
};

/// Builds JSON from YAML events. Aliases are copies of the anchored value and count against the same limits,
/// so a document that grows by aliases ("billion laughs") ends at `max_values`.
class YamlBuilder final : public YAML::EventHandler {
 public:
  YamlBuilder(const ReadLimits& limits, std::unordered_map<std::string, std::size_t>* lines)
      : limits_(limits), lines_(lines) {}

  Json take_root() { return std::move(root_); }
  bool has_document() const { return documents_ > 0; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1)
      refuse(codes::yaml_syntax, mark, "a file holds one workflow: remove the second document (---)");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { add(mark, anchor, nullptr); }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    if (expects_key()) return take_key(mark, text, tag != "!");
    // yaml-cpp gives the tag "!" to quoted scalars and "?" to plain ones.
    add(mark, anchor,
        tag == "?" || tag.empty() ? resolve_plain(mark, text) : resolve_tagged(mark, tag, text));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (++aliases_ > limits_.max_aliases)
      refuse(codes::yaml_limit, mark, fmt::format("more than {} aliases", limits_.max_aliases));
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end())
      refuse(codes::yaml_syntax, mark, "this alias refers to a value that contains it");
    if (expects_key()) return take_key(mark, to_display_text(found->second), false);
    count_values(mark, found->second);
    add(mark, 0, Json(found->second));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, anchor, JsonArray());
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, anchor, JsonObject());
  }
  void OnMapEnd() override { close(); }
  void OnAnchor(const YAML::Mark&, const std::string&) override {}

  [[noreturn]] static void refuse(const ErrorCode& code, const YAML::Mark& mark, const std::string& reason) {
    Error error(code, fmt::format("line {}, column {}: {}", mark.line + 1, mark.column + 1, reason));
    error.details = JsonObject{{"line", mark.line + 1}, {"column", mark.column + 1}};
    throw Refused{std::move(error)};
  }

 private:
  struct Open {
    Json value;
    YAML::anchor_t anchor;
    std::optional<std::string> key;
    std::size_t pointer_size;
  };

  bool expects_key() const { return !open_.empty() && open_.back().value.is_object() && !open_.back().key; }

  void take_key(const YAML::Mark& mark, const std::string& text, bool is_plain) {
    auto& top = open_.back();
    if (is_plain && text == "<<")
      refuse(codes::yaml_syntax, mark, "merge keys (<<) are not part of YAML 1.2; write the fields out");
    if (top.value.get_object().contains(text)) {
      refuse(codes::json_duplicate_key, mark,
             fmt::format("the key {} stands twice in one object", quote(text)));
    }
    top.key = text;
  }

  void enter(const YAML::Mark& mark) {
    if (++values_ > limits_.max_values)
      refuse(codes::yaml_limit, mark, fmt::format("more than {} values", limits_.max_values));
    if (open_.size() >= limits_.max_depth)
      refuse(codes::json_too_deep, mark, fmt::format("nested more than {} deep", limits_.max_depth));
    if (expects_key()) refuse(codes::yaml_syntax, mark, "a key must be plain text");
    if (lines_ != nullptr) lines_->emplace(pointer_for_next(), static_cast<std::size_t>(mark.line) + 1);
  }

  std::string pointer_for_next() const {
    if (open_.empty()) return "";
    const auto& top = open_.back();
    if (top.value.is_object()) return pointer_ + "/" + pointer_token(*top.key);
    return fmt::format("{}/{}", pointer_, top.value.get_array().size());
  }

  void add(const YAML::Mark& mark, YAML::anchor_t anchor, Json value) {
    enter(mark);
    if (anchor != 0) anchors_[anchor] = value;
    attach(std::move(value));
  }

  void open(const YAML::Mark& mark, YAML::anchor_t anchor, Json value) {
    enter(mark);
    const auto size = pointer_.size();
    auto pointer = pointer_for_next();
    pointer_ = std::move(pointer);
    open_.push_back({std::move(value), anchor, std::nullopt, size});
  }

  void close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    pointer_.resize(done.pointer_size);
    if (done.anchor != 0) anchors_[done.anchor] = done.value;
    attach(std::move(done.value));
  }

  void attach(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return;
    }
    auto& top = open_.back();
    if (top.value.is_array()) {
      top.value.get_array().push_back(std::move(value));
    } else {
      top.value.get_object().emplace(*top.key, std::move(value));
      top.key.reset();
    }
  }

  void count_values(const YAML::Mark& mark, const Json& value) {
    if (++values_ > limits_.max_values)
      refuse(codes::yaml_limit, mark,
             fmt::format("aliases expand to more than {} values", limits_.max_values));
    if (const auto* array = value.if_array()) {
      for (const auto& item : *array) count_values(mark, item);
    } else if (const auto* object = value.if_object()) {
      for (const auto& member : *object) count_values(mark, member.value());
    }
  }

  /// YAML 1.2.2 section 10.3.2 (core schema): yes, no, on and off are texts.
  static Json resolve_plain(const YAML::Mark& mark, const std::string& text) {
    if (text == "null" || text == "Null" || text == "NULL" || text == "~" || text.empty()) return nullptr;
    if (text == "true" || text == "True" || text == "TRUE") return true;
    if (text == "false" || text == "False" || text == "FALSE") return false;
    const std::string_view digits =
        text[0] == '+' ? std::string_view(text).substr(1) : std::string_view(text);
    const bool may_be_number = digits.find_first_not_of("0123456789.eE+-") == std::string_view::npos &&
                               digits.find_first_of("0123456789") != std::string_view::npos;
    if (!may_be_number) return resolve_prefixed(mark, text);
    return resolve_decimal(mark, digits, text);
  }

  static Json resolve_decimal(const YAML::Mark& mark, std::string_view digits, const std::string& text) {
    const char* end = digits.data() + digits.size();
    std::int64_t whole = 0;
    if (const auto [at, ec] = std::from_chars(digits.data(), end, whole); at == end && ec == std::errc())
      return whole;
    const bool is_whole = digits.find_first_of(".eE") == std::string_view::npos &&
                          digits.find_first_of("+-", 1) == std::string_view::npos;
    double number = 0;
    const auto [at, ec] = std::from_chars(digits.data(), end, number);
    if (at != end) return Json(text);
    if (is_whole || ec != std::errc() || !std::isfinite(number)) {
      refuse(codes::json_number_range, mark,
             fmt::format("the number {} can not be kept exactly; quote it", quote(text)));
    }
    return number;
  }

  static Json resolve_prefixed(const YAML::Mark& mark, const std::string& text) {
    const int base = text.starts_with("0x") ? 16 : text.starts_with("0o") ? 8 : 0;
    if (base == 0 || text.size() < 3) return Json(text);
    std::int64_t whole = 0;
    const char* end = text.data() + text.size();
    const auto [at, ec] = std::from_chars(text.data() + 2, end, whole, base);
    if (at != end) return Json(text);
    if (ec != std::errc())
      refuse(codes::json_number_range, mark, fmt::format("the number {} is too large", quote(text)));
    return whole;
  }

  static Json resolve_tagged(const YAML::Mark& mark, const std::string& tag, const std::string& text) {
    if (tag == "!" || tag == "tag:yaml.org,2002:str") return Json(text);
    refuse(codes::yaml_syntax, mark, fmt::format("the tag {} is not supported", quote(tag)));
  }

  const ReadLimits& limits_;
  std::unordered_map<std::string, std::size_t>* lines_;
  Json root_;
  std::vector<Open> open_;
  std::string pointer_;
  std::map<YAML::anchor_t, Json> anchors_;
  std::size_t values_ = 0;
  std::size_t aliases_ = 0;
  int documents_ = 0;
};

/// yaml-cpp recurses on nesting; counting what opens a level keeps hostile text from reaching its stack.
std::size_t count_flow_depth(std::string_view text) {
  std::size_t depth = 0;
  std::size_t deepest = 0;
  for (const char c : text) {
    if (c == '[' || c == '{')
      deepest = std::max(deepest, ++depth);
    else if ((c == ']' || c == '}') && depth > 0)
      --depth;
  }
  return deepest;
}

/// `- - - - x` and `? ? ? x` nest without brackets, one level a mark.
bool has_long_indicator_run(std::string_view text, std::size_t most) {
  std::size_t run = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool indicator = (text[i] == '-' || text[i] == '?' || text[i] == ':') &&
                           (i + 1 == text.size() || text[i + 1] == ' ' || text[i + 1] == '\n');
    if (indicator) {
      if (++run > most) return true;
    } else if (text[i] != ' ') {
      run = 0;
    }
  }
  return false;
}

Error not_utf8(std::string_view text) {
  std::size_t line = 1;
  while (const auto length = utf8_length(text)) {
    line += text.front() == '\n';
    text.remove_prefix(length);
  }
  Error error(codes::yaml_syntax, fmt::format("line {}: the text is not UTF-8", line));
  error.details = JsonObject{{"line", line}};
  return error;
}

Result<Json> parse_yaml(std::string_view text, const ReadLimits& limits,
                        std::unordered_map<std::string, std::size_t>* lines) {
  if (count_flow_depth(text) > 8 * limits.max_depth || has_long_indicator_run(text, limits.max_depth)) {
    return Error(codes::json_too_deep,
                 fmt::format("lists and objects are nested more than {} deep", limits.max_depth));
  }
  // yaml-cpp hands on whatever bytes there are, and what is stored must be readable as JSON again.
  if (!is_utf8(text)) return not_utf8(text);
  YamlBuilder builder(limits, lines);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Refused& refused) {
    return refused.error;
  } catch (const YAML::Exception& error) {
    Error out(codes::yaml_syntax, fmt::format("line {}, column {}: not YAML: {}", error.mark.line + 1,
                                              error.mark.column + 1, error.msg));
    out.details = JsonObject{{"line", error.mark.line + 1}, {"column", error.mark.column + 1}};
    return out;
  }
  if (!builder.has_document()) return Error(codes::json_empty, "the document is empty");
  return builder.take_root();
}

}  // namespace

Result<Json> parse_document(std::string_view text, const ReadLimits& limits,
                            std::unordered_map<std::string, std::size_t>* lines) {
  if (text.size() > limits.max_bytes) {
    return Error(codes::workflow_too_large, fmt::format("the document has {} bytes; at most {} are read",
                                                        text.size(), limits.max_bytes));
  }
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return Error(codes::json_empty, "the document is empty");
  if (text.find('\0') != std::string_view::npos)
    return Error(codes::yaml_syntax, "the document holds a NUL byte; is it a text file?");
  if (text[first] == '{')
    return parse_json(text, {.max_bytes = limits.max_bytes, .max_depth = limits.max_depth});
  return parse_yaml(text, limits, lines);
}

}  // namespace fp::model
