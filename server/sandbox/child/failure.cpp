#include "sandbox/child/failure.hpp"

#include "sandbox/child/watch.hpp"

#include <algorithm>
#include <js/CharacterEncoding.h>
#include <js/ErrorReport.h>
#include <js/Exception.h>
#include <js/friend/ErrorMessages.h>

namespace fp::sandbox {

namespace {

using wire::Outcome;
using wire::Verdict;

std::string thrown_text(JSContext* cx, JS::HandleValue thrown) {
  if (!thrown.isString()) return "an exception that is no Error was thrown";
  JS::RootedString string(cx, thrown.toString());
  const JS::UniqueChars bytes = JS_EncodeStringToUTF8(cx, string);
  return bytes ? std::string(bytes.get()) : "";
}

bool reads_through_undefined(const JSErrorReport& report) {
  switch (report.errorNumber) {
    case JSMSG_NOT_DEFINED:
      return true;
    case JSMSG_PROPERTY_FAIL:
    case JSMSG_PROPERTY_FAIL_EXPR:
    case JSMSG_UNEXPECTED_TYPE:
      return std::string_view(report.message().c_str()).ends_with("undefined");
    default:
      return false;
  }
}

Verdict verdict_of(const JSErrorReport& report) {
  switch (report.errorNumber) {
    case JSMSG_OVER_RECURSED:
      return Verdict::kStack;
    case JSMSG_OUT_OF_MEMORY:
    case JSMSG_ALLOC_OVERFLOW:
      return Verdict::kMemory;
    default:
      return reads_through_undefined(report) ? Verdict::kMissing : Verdict::kFailed;
  }
}

void set_position(Outcome& outcome, const JSErrorReport& report) {
  if (report.lineno <= kLinesBefore) return;
  outcome.line = report.lineno - kLinesBefore;
  outcome.column = report.column;
}

/// Position and sentence of the exception; false when there is none to read.
bool read_exception(JSContext* cx, Outcome& outcome, Verdict (*classify)(const JSErrorReport&)) {
  JS::ExceptionStack exception(cx);
  if (!JS::StealPendingExceptionStack(cx, &exception)) return false;
  JS::ErrorReportBuilder builder(cx);
  if (!builder.init(cx, exception, JS::ErrorReportBuilder::NoSideEffects)) {
    JS_ClearPendingException(cx);
    return false;
  }
  const JSErrorReport& report = *builder.report();
  set_position(outcome, report);
  const bool is_error = exception.exception().isObject() &&
                        JS_ErrorFromException(cx, JS::RootedObject(cx, &exception.exception().toObject()));
  outcome.verdict = is_error ? classify(report) : Verdict::kFailed;
  const bool lacks_operator = is_error && report.errorNumber == JSMSG_PAREN_IN_PAREN;
  if (lacks_operator)
    outcome.text = "an operator, or the end of the expression, is missing here";
  else
    outcome.text = cut_message(is_error ? report.message().c_str() : thrown_text(cx, exception.exception()));
  return true;
}

Outcome stopped(Verdict verdict, const char* text) {
  return {.verdict = verdict, .text = text};
}

Verdict syntax_verdict(const JSErrorReport& report) {
  switch (report.errorNumber) {
    case JSMSG_OVER_RECURSED:
      return Verdict::kStack;
    case JSMSG_STRICT_CODE_WITH:
    case JSMSG_AWAIT_IN_PARAMETER:
    case JSMSG_AWAIT_OUTSIDE_ASYNC:
    case JSMSG_AWAIT_OUTSIDE_ASYNC_OR_MODULE:
    case JSMSG_TOP_LEVEL_AWAIT_NOT_SUPPORTED:
    case JSMSG_FOR_AWAIT_OUTSIDE_ASYNC:
      return Verdict::kForbidden;
    case JSMSG_RESERVED_ID:
      return std::string_view(report.message().c_str()).starts_with("yield") ? Verdict::kForbidden
                                                                             : Verdict::kSyntax;
    default:
      return Verdict::kSyntax;
  }
}

/// `await x` outside of an async function is two names in a row to the parser.
bool follows_await(std::string_view expression, const Outcome& outcome) {
  for (std::uint32_t line = 1; line < outcome.line; ++line)
    expression.remove_prefix(expression.find('\n') + 1);
  std::size_t end = 0;
  for (std::uint32_t points = 1; end < expression.size(); ++end) {
    if ((static_cast<unsigned char>(expression[end]) & 0xC0) != 0x80 && points++ == outcome.column) break;
  }
  expression = expression.substr(0, end);
  const auto last = expression.find_last_not_of(" \t");
  return last != std::string_view::npos && last + 1 < end &&
         expression.substr(0, last + 1).ends_with("await");
}

}  // namespace

std::string cut_message(std::string text) {
  if (text.size() <= wire::kMaxMessageBytes) return text;
  std::size_t end = wire::kMaxMessageBytes - 3;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  text.resize(end);
  return text + "...";
}

Outcome take_failure(JSContext* cx) {
  Outcome outcome;
  const bool is_throwing_memory = JS_IsThrowingOutOfMemory(cx);
  if (Watch::is_forbidden() || Watch::is_timed_out() || is_throwing_memory) JS_ClearPendingException(cx);
  if (Watch::is_forbidden()) {
    return stopped(Verdict::kForbidden,
                   "code generation (eval, Function) and import() are not allowed in expressions");
  }
  if (Watch::is_timed_out()) return stopped(Verdict::kTimeout, "");
  if (is_throwing_memory) return stopped(Verdict::kMemory, "");
  if (JS_IsExceptionPending(cx) && read_exception(cx, outcome, verdict_of)) return outcome;
  if (Watch::is_out_of_memory()) return stopped(Verdict::kMemory, "");
  return stopped(Verdict::kFailed, "the evaluation was stopped");
}

Outcome take_syntax_failure(JSContext* cx, std::string_view expression) {
  if (Watch::is_timed_out() || !JS_IsExceptionPending(cx) || JS_IsThrowingOutOfMemory(cx))
    return take_failure(cx);
  Outcome outcome;
  if (!read_exception(cx, outcome, syntax_verdict)) return take_failure(cx);
  outcome.column += 1;  // the parser counts from 0, the interpreter from 1
  const auto lines = static_cast<std::uint32_t>(1 + std::ranges::count(expression, '\n'));
  if (outcome.line > lines) {
    const auto start = expression.rfind('\n') == std::string_view::npos ? 0 : expression.rfind('\n') + 1;
    const auto last = expression.substr(start);
    const auto points =
        std::ranges::count_if(last, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
    outcome.line = lines;
    outcome.column = static_cast<std::uint32_t>(points) + 1;
    outcome.text = "the expression is not complete";
  }
  if (follows_await(expression, outcome)) outcome.verdict = Verdict::kForbidden, outcome.text = "await";
  if (outcome.verdict == Verdict::kForbidden) outcome.text = "not allowed in expressions: " + outcome.text;
  return outcome;
}

}  // namespace fp::sandbox
