#include "sandbox/outcome_text.hpp"

#include "base/error_code.hpp"
#include "sandbox/explain.hpp"
#include "sandbox/result_json.hpp"

#include <fmt/format.h>

namespace fp::sandbox {

namespace {

using wire::Outcome;
using wire::Verdict;

std::string bytes_text(std::size_t bytes) {
  if (bytes >= 1u << 20) return fmt::format("{} MB", bytes >> 20);
  return bytes >= 1u << 10 ? fmt::format("{} KB", bytes >> 10) : fmt::format("{} bytes", bytes);
}

std::string with_position(const Outcome& outcome) {
  if (outcome.line == 0) return outcome.text;
  return fmt::format("{} (line {}, column {})", outcome.text, outcome.line, outcome.column);
}

std::string explain_no_value(std::string_view expression, const ReadableScope& scope) {
  auto explained = explain_path(expression, scope);
  return explained.empty() ? "the expression gives undefined; `??` can give it a fallback" : explained;
}

Error make_error(const Outcome& outcome, std::string_view expression, const ReadableScope& scope,
                 const ports::ExpressionLimits& limits) {
  switch (outcome.verdict) {
    case Verdict::kNoValue:
      return Error(codes::expr_undefined, explain_no_value(expression, scope));
    case Verdict::kMissing:
      return Error(codes::expr_undefined, explain_message(outcome.text, scope));
    case Verdict::kSyntax:
      return Error(codes::expr_syntax, with_position(outcome));
    case Verdict::kTimeout:
      return Error(codes::expr_timeout, fmt::format("the expression ran longer than {} and was stopped",
                                                    to_display_text(limits.time)));
    case Verdict::kMemory:
      return Error(codes::expr_memory, fmt::format("the expression used more than {} of memory",
                                                   bytes_text(limits.memory_bytes)));
    case Verdict::kStack:
      return Error(codes::expr_stack, "the expression calls itself too deeply");
    case Verdict::kTooLarge:
      return Error(codes::expr_too_large,
                   fmt::format("the result is larger than {}", bytes_text(limits.result_bytes)));
    case Verdict::kNotJson:
      return Error(codes::expr_result, outcome.text);
    case Verdict::kForbidden:
      return Error(codes::expr_forbidden, outcome.text);
    case Verdict::kValue:
    case Verdict::kFailed:
      break;
  }
  return Error(codes::expr_failed, with_position(outcome));
}

/// RFC 3629, as far as a terminal or a browser could be confused: stray, missing and overlong bytes.
bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t length = lead < 0x80                   ? 1
                               : lead >= 0xC2 && lead < 0xE0 ? 2
                               : (lead & 0xF0) == 0xE0       ? 3
                               : lead >= 0xF0 && lead < 0xF5 ? 4
                                                             : 0;
    if (length == 0 || text.size() - i < length) return false;
    for (std::size_t k = 1; k < length; ++k) {
      if ((static_cast<unsigned char>(text[i + k]) & 0xC0) != 0x80) return false;
    }
    i += length;
  }
  return true;
}

bool is_message(std::string_view text) {
  return text.size() <= wire::kMaxMessageBytes + sizeof "not allowed in expressions: " && is_utf8(text);
}

const Json* item_at(const ports::EvaluationRequest& request, std::size_t index) {
  const auto* items = request.items ? request.items->if_array() : nullptr;
  return items ? &(*items)[index] : nullptr;
}

}  // namespace

std::size_t count_results(const ports::EvaluationRequest& request) {
  const auto* items = request.items ? request.items->if_array() : nullptr;
  return request.expressions.size() * (items ? items->size() : 1);
}

ports::EvaluationAnswer make_evaluation_answer(const ports::EvaluationRequest& request, wire::Answer answer,
                                               bool& is_sane) {
  ports::EvaluationAnswer results;
  results.results.reserve(answer.outcomes.size());
  const std::size_t per_expression =
      request.expressions.empty() ? 1 : answer.outcomes.size() / request.expressions.size();
  for (std::size_t i = 0; i < answer.outcomes.size(); ++i) {
    const Outcome& outcome = answer.outcomes[i];
    if (outcome.verdict == Verdict::kValue) {
      results.results.push_back(parse_result(outcome.text));
      const auto& result = results.results.back();
      if (!result && result.error().code == codes::expr_crashed.id) is_sane = false;
      continue;
    }
    if (!is_message(outcome.text)) {
      is_sane = false;
      results.results.push_back(Error(codes::expr_crashed, "the expression process sent what is no message"));
      continue;
    }
    const ReadableScope scope{request.scope, item_at(request, i % per_expression)};
    Error error = make_error(outcome, request.expressions[i / per_expression], scope, request.limits);
    if (outcome.line > 0) error.details = JsonObject{{"line", outcome.line}, {"column", outcome.column}};
    results.results.push_back(std::move(error));
  }
  return results;
}

ports::EvaluationAnswer make_failed_answer(const ports::EvaluationRequest& request, const Error& error) {
  ports::EvaluationAnswer answer;
  answer.results.assign(count_results(request), error);
  return answer;
}

std::vector<std::optional<ports::SyntaxProblem>> make_syntax_problems(const wire::Answer& answer) {
  std::vector<std::optional<ports::SyntaxProblem>> problems;
  for (const auto& outcome : answer.outcomes) {
    problems.emplace_back();
    if (outcome.verdict == Verdict::kValue) continue;
    problems.back() =
        ports::SyntaxProblem{std::max(outcome.line, 1u), std::max(outcome.column, 1u), outcome.text};
  }
  return problems;
}

}  // namespace fp::sandbox
