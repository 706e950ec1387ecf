#include "base/json_parse.hpp"

#include "base/error_code.hpp"
#include "base/text.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <set>
#include <vector>

namespace fp {

namespace {

namespace bj = boost::json;

/// Builds the value, with every number exactly the nearest one (Boost 1.81's own may be off by one in the
/// last place). Strict, it stops at what would be read ambiguously: duplicate keys and numbers that lose
/// digits.
template <bool Strict>
struct Handler {
  static constexpr std::size_t max_object_size = std::size_t(-1);
  static constexpr std::size_t max_array_size = std::size_t(-1);
  static constexpr std::size_t max_key_size = std::size_t(-1);
  static constexpr std::size_t max_string_size = std::size_t(-1);

  bj::value_stack stack;
  std::vector<std::set<std::string, std::less<>>> keys;
  std::string key;
  std::string number;  // digits of the number being read
  std::optional<Error> refusal;

  bool refuse(const ErrorCode& code, std::string message, bj::error_code& ec) {
    refusal = Error(code, std::move(message));
    ec = bj::error::syntax;
    return false;
  }

  bool on_document_begin(bj::error_code&) { return true; }
  bool on_document_end(bj::error_code&) { return true; }
  bool on_object_begin(bj::error_code&) {
    if constexpr (Strict) keys.emplace_back();
    return true;
  }
  bool on_object_end(std::size_t count, bj::error_code&) {
    if constexpr (Strict) keys.pop_back();
    stack.push_object(count);
    return true;
  }
  bool on_array_begin(bj::error_code&) { return true; }
  bool on_array_end(std::size_t count, bj::error_code&) {
    stack.push_array(count);
    return true;
  }
  bool on_key_part(bj::string_view part, std::size_t, bj::error_code&) {
    if constexpr (Strict) key.append(part.data(), part.size());
    stack.push_chars(part);
    return true;
  }
  bool on_key(bj::string_view part, std::size_t, bj::error_code& ec) {
    if constexpr (Strict) {
      key.append(part.data(), part.size());
      if (!keys.back().insert(key).second) {
        return refuse(codes::json_duplicate_key,
                      fmt::format("the key \"{}\" stands twice in one object", echo(key)), ec);
      }
      key.clear();
    }
    stack.push_key(part);
    return true;
  }
  bool on_string_part(bj::string_view part, std::size_t, bj::error_code&) {
    stack.push_chars(part);
    return true;
  }
  bool on_string(bj::string_view part, std::size_t, bj::error_code&) {
    stack.push_string(part);
    return true;
  }
  bool on_number_part(bj::string_view part, bj::error_code&) {
    number.append(part.data(), part.size());
    return true;
  }
  bool on_int64(std::int64_t value, bj::string_view part, bj::error_code&) {
    end_number(part);
    stack.push_int64(value);
    return true;
  }
  bool on_uint64(std::uint64_t value, bj::string_view part, bj::error_code&) {
    end_number(part);
    stack.push_uint64(value);
    return true;
  }
  bool on_double(double, bj::string_view part, bj::error_code& ec) {
    const auto text = end_number(part);
    double value = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool is_whole = text.find_first_of(".eE") == std::string::npos;
    if (Strict && (problem == std::errc::result_out_of_range || !std::isfinite(value) || is_whole)) {
      return refuse(codes::json_number_range,
                    fmt::format("the number {} can not be kept exactly; send it as a string", echo(text)),
                    ec);
    }
    stack.push_double(value);
    return true;
  }
  bool on_bool(bool value, bj::error_code&) {
    stack.push_bool(value);
    return true;
  }
  bool on_null(bj::error_code&) {
    stack.push_null();
    return true;
  }
  bool on_comment_part(bj::string_view, bj::error_code&) { return true; }
  bool on_comment(bj::string_view, bj::error_code&) { return true; }

  std::string end_number(bj::string_view part) {
    number.append(part.data(), part.size());
    return std::exchange(number, {});
  }
};

Error syntax_error(std::string_view text, std::size_t offset, const std::string& reason) {
  std::size_t line = 1;
  std::size_t column = 1;
  for (std::size_t i = 0; i < offset && i < text.size(); ++i) {
    if (text[i] == '\n') {
      ++line;
      column = 1;
    } else if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) {
      ++column;
    }
  }
  Error error(codes::json_syntax, fmt::format("not JSON at line {}, column {}: {}", line, column, reason));
  error.details = JsonObject{{"offset", offset}, {"line", line}, {"column", column}};
  return error;
}

}  // namespace

Result<Json> parse_json(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.max_bytes) {
    return Error(codes::json_too_large,
                 fmt::format("the text has {} bytes; at most {} are read", text.size(), limits.max_bytes));
  }
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    return Error(codes::json_empty, "the text is empty where a JSON value should be");
  }
  bj::parse_options options;
  options.max_depth = limits.max_depth;
  bj::basic_parser<Handler<true>> parser(options);
  parser.handler().stack.reset();
  bj::error_code ec;
  const auto consumed = parser.write_some(false, text.data(), text.size(), ec);
  if (parser.handler().refusal) return *parser.handler().refusal;
  if (ec == bj::error::too_deep) {
    return Error(codes::json_too_deep,
                 fmt::format("lists and objects are nested more than {} deep", limits.max_depth));
  }
  if (ec) return syntax_error(text, consumed, ec.message());
  const auto rest = text.find_first_not_of(" \t\r\n", consumed);
  if (rest != std::string_view::npos) return syntax_error(text, rest, "something follows the value");
  return parser.handler().stack.release();
}

Json parse_trusted_json(std::string_view text) {
  bj::parse_options options;
  options.max_depth = 256;
  bj::basic_parser<Handler<false>> parser(options);
  parser.handler().stack.reset();
  bj::error_code ec;
  const auto consumed = parser.write_some(false, text.data(), text.size(), ec);
  if (ec || consumed != text.size())
    throw Unavailable(Error(codes::storage_corrupt, "a stored record is not readable: " + ec.message()));
  return parser.handler().stack.release();
}

}  // namespace fp
