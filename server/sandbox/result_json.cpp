#include "sandbox/result_json.hpp"

#include "base/error_code.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>

#include <charconv>
#include <string>

namespace fp::sandbox {

namespace {

namespace bj = boost::json;

constexpr std::size_t kMaxDepth = 64;

/// As the parser of Boost, which rounds some doubles wrongly (its own text says so until 1.84), but exact.
struct ExactHandler {
  static constexpr std::size_t max_object_size = std::size_t(-1);
  static constexpr std::size_t max_array_size = std::size_t(-1);
  static constexpr std::size_t max_key_size = std::size_t(-1);
  static constexpr std::size_t max_string_size = std::size_t(-1);

  bj::value_stack stack;
  std::string number;

  bool on_document_begin(bj::error_code&) { return true; }
  bool on_document_end(bj::error_code&) { return true; }
  bool on_object_begin(bj::error_code&) { return true; }
  bool on_object_end(std::size_t count, bj::error_code&) { return stack.push_object(count), true; }
  bool on_array_begin(bj::error_code&) { return true; }
  bool on_array_end(std::size_t count, bj::error_code&) { return stack.push_array(count), true; }
  bool on_key_part(bj::string_view part, std::size_t, bj::error_code&) {
    return stack.push_chars(part), true;
  }
  bool on_key(bj::string_view part, std::size_t, bj::error_code&) { return stack.push_key(part), true; }
  bool on_string_part(bj::string_view part, std::size_t, bj::error_code&) {
    return stack.push_chars(part), true;
  }
  bool on_string(bj::string_view part, std::size_t, bj::error_code&) { return stack.push_string(part), true; }
  bool on_number_part(bj::string_view part, bj::error_code&) {
    return number.append(part.data(), part.size()), true;
  }
  bool on_int64(std::int64_t value, bj::string_view, bj::error_code&) {
    number.clear();
    return stack.push_int64(value), true;
  }
  bool on_uint64(std::uint64_t value, bj::string_view, bj::error_code&) {
    number.clear();
    return stack.push_uint64(value), true;
  }
  bool on_double(double value, bj::string_view part, bj::error_code&) {
    number.append(part.data(), part.size());
    std::from_chars(number.data(), number.data() + number.size(), value);
    number.clear();
    return stack.push_double(value), true;
  }
  bool on_bool(bool value, bj::error_code&) { return stack.push_bool(value), true; }
  bool on_null(bj::error_code&) { return stack.push_null(), true; }
  bool on_comment_part(bj::string_view, bj::error_code&) { return true; }
  bool on_comment(bj::string_view, bj::error_code&) { return true; }
};

}  // namespace

Result<Json> parse_result(std::string_view text) {
  bj::parse_options options;
  options.max_depth = kMaxDepth;
  bj::basic_parser<ExactHandler> parser(options);
  parser.handler().stack.reset();
  bj::error_code ec;
  const auto consumed = parser.write_some(false, text.data(), text.size(), ec);
  if (ec == bj::error::too_deep) return Error(codes::expr_result, "the result is nested more than 64 deep");
  if (ec || consumed != text.size())
    return Error(codes::expr_crashed, "the expression process sent what is not JSON");
  return parser.handler().stack.release();
}

}  // namespace fp::sandbox
