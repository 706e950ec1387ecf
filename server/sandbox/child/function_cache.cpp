#include "sandbox/child/function_cache.hpp"

#include "sandbox/child/failure.hpp"

#include <js/CharacterEncoding.h>
#include <js/CompilationAndEvaluation.h>
#include <js/SourceText.h>

namespace fp::sandbox {

namespace {

JSFunction* compile_body(JSContext* cx, const std::string& body, const std::vector<std::string>& names) {
  std::vector<const char*> arguments;
  for (const auto& name : names) arguments.push_back(name.c_str());
  JS::CompileOptions options(cx);
  options.setFileAndLine("expression", 1);
  // The engine reads UTF-8 function bodies as Latin-1, so it gets UTF-16.
  std::size_t units = 0;
  const JS::UniqueTwoByteChars text(
      JS::UTF8CharsToNewTwoByteCharsZ(cx, JS::UTF8Chars(body.data(), body.size()), &units, js::MallocArena)
          .get());
  JS::SourceText<char16_t> source;
  if (!text || !source.init(cx, text.get(), units, JS::SourceOwnership::Borrowed)) return nullptr;
  JS::RootedObjectVector no_scope(cx);
  return JS::CompileFunction(cx, no_scope, options, nullptr, static_cast<unsigned>(arguments.size()),
                             arguments.data(), source);
}

std::string wrapped(std::string_view before, std::string_view expression, std::string_view after) {
  std::string body = "\"use strict\"; return ";
  body.append(before).append("\n").append(expression).append("\n").append(after);
  return body;
}

}  // namespace

// Text that closes one wrapper to go on behind it can not close the other as well: what stands before the
// first bracket too many would have to be `a` for the first and `a : b` for the second. The second also
// refuses `a, b`.
JSFunction* compile_expression(JSContext* cx, std::string_view expression,
                               const std::vector<std::string>& names, wire::Outcome& failure) {
  JS::RootedFunction function(cx, compile_body(cx, wrapped("(", expression, ");"), names));
  if (!function) {
    failure = take_syntax_failure(cx, expression);
    return nullptr;
  }
  if (!compile_body(cx, wrapped("(0 ?", expression, ": 0);"), names)) {
    failure = take_syntax_failure(cx, expression);
    if (failure.verdict == wire::Verdict::kSyntax) failure.text = "more than one expression";
    return nullptr;
  }
  return function;
}

FunctionCache::Entry* FunctionCache::find_or_compile(std::string_view expression,
                                                     const std::vector<std::string>& names,
                                                     wire::Outcome& failure) {
  std::string key;
  for (const auto& name : names) key.append(name).push_back(',');
  key.append("\n").append(expression);
  if (const auto found = index_.find(key); found != index_.end()) {
    entries_.splice(entries_.begin(), entries_, found->second);
    return &entries_.front();
  }
  JSFunction* function = compile_expression(cx_, expression, names, failure);
  if (!function) return nullptr;
  bytes_ += key.size();
  entries_.push_front({std::move(key), JS::PersistentRootedObject(cx_, JS_GetFunctionObject(function))});
  index_.emplace(entries_.front().key, entries_.begin());
  while (entries_.size() > 1 && (entries_.size() > kMaxEntries || bytes_ > kMaxSourceBytes)) drop_oldest();
  return &entries_.front();
}

void FunctionCache::drop_oldest() {
  bytes_ -= entries_.back().key.size();
  index_.erase(entries_.back().key);
  entries_.pop_back();
}

void FunctionCache::clear() {
  index_.clear();
  entries_.clear();
  bytes_ = 0;
}

}  // namespace fp::sandbox
