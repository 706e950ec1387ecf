#include "sandbox/child/code_failure.hpp"

#include "sandbox/child/failure.hpp"
#include "sandbox/child/json_result.hpp"
#include "sandbox/child/watch.hpp"

#include <js/CharacterEncoding.h>
#include <js/Conversions.h>
#include <js/ErrorReport.h>
#include <js/Exception.h>
#include <js/JSON.h>
#include <js/Object.h>
#include <js/Promise.h>
#include <js/PropertyAndElement.h>
#include <js/SavedFrameAPI.h>
#include <js/friend/ErrorMessages.h>
#include <jsfriendapi.h>

namespace fp::sandbox {

namespace {

using wire::Ran;
using wire::Verdict;

constexpr std::size_t kMostFrames = 32;

std::string to_utf8(JSContext* cx, JS::HandleString string) {
  const JS::UniqueChars bytes = JS_EncodeStringToUTF8(cx, string);
  return bytes ? std::string(bytes.get()) : std::string();
}

/// Frames of the step's code, `function:line:column`, innermost first; sets the position of the first.
std::string frames_of(JSContext* cx, JS::HandleObject stack, wire::Outcome& outcome) {
  std::string out;
  JS::RootedObject frame(cx, stack);
  for (std::size_t count = 0; frame && count < kMostFrames; ++count) {
    JS::RootedString source(cx);
    JS::RootedString name(cx);
    JS::RootedObject parent(cx);
    std::uint32_t line = 0;
    std::uint32_t column = 0;
    const bool is_read =
        JS::GetSavedFrameSource(cx, nullptr, frame, &source) == JS::SavedFrameResult::Ok &&
        JS::GetSavedFrameLine(cx, nullptr, frame, &line) == JS::SavedFrameResult::Ok &&
        JS::GetSavedFrameColumn(cx, nullptr, frame, &column) == JS::SavedFrameResult::Ok &&
        JS::GetSavedFrameFunctionDisplayName(cx, nullptr, frame, &name) == JS::SavedFrameResult::Ok;
    if (is_read && to_utf8(cx, source) == kCodeName && line > 0) {
      if (outcome.line == 0) outcome.line = line, outcome.column = column;
      out += (name ? cut_message(to_utf8(cx, name)) : std::string()) + ":" + std::to_string(line) + ":" +
             std::to_string(column) + "\n";
    }
    if (JS::GetSavedFrameParent(cx, nullptr, frame, &parent) != JS::SavedFrameResult::Ok) break;
    if (!parent && JS::GetSavedFrameAsyncParent(cx, nullptr, frame, &parent) != JS::SavedFrameResult::Ok)
      break;
    frame = parent;
  }
  JS_ClearPendingException(cx);
  return out;
}

/// A text property of an object, without side effects that count.
std::string text_property(JSContext* cx, JS::HandleObject object, const char* name) {
  JS::RootedValue value(cx);
  if (!JS_GetProperty(cx, object, name, &value) || !value.isString()) {
    JS_ClearPendingException(cx);
    return {};
  }
  JS::RootedString string(cx, value.toString());
  return to_utf8(cx, string);
}

Ran stopped(Verdict verdict, const char* text) {
  return {.retiring = true, .outcome = {.verdict = verdict, .text = text}};
}

Ran explain(JSContext* cx, JS::HandleValue thrown, JS::HandleObject stack) {
  Ran ran{.outcome = {.verdict = Verdict::kFailed}};
  JS::RootedObject object(cx, thrown.isObject() ? &thrown.toObject() : nullptr);
  const JSErrorReport* report = object ? JS_ErrorFromException(cx, object) : nullptr;
  if (!report) {
    ran.outcome.text = cut_message(to_console_text(cx, thrown));
    ran.name = "";
  } else {
    ran.name = text_property(cx, object, "name");
    ran.outcome.text = cut_message(text_property(cx, object, "message"));
    if (report->errorNumber == JSMSG_OVER_RECURSED) ran.outcome.verdict = Verdict::kStack;
    if (report->errorNumber == JSMSG_OUT_OF_MEMORY || report->errorNumber == JSMSG_ALLOC_OVERFLOW)
      ran.outcome.verdict = Verdict::kMemory;
  }
  JS::RootedObject frames(cx, report ? JS::ExceptionStackOrNull(object) : nullptr);
  if (!frames) frames = stack;
  if (frames) ran.stack = frames_of(cx, frames, ran.outcome);
  if (ran.outcome.line == 0 && report && report->filename && std::string_view(report->filename) == kCodeName)
    ran.outcome.line = report->lineno, ran.outcome.column = report->column;
  return ran;
}

bool append(const char16_t* text, std::uint32_t length, void* out) {
  static_cast<std::u16string*>(out)->append(text, length);
  return true;
}

}  // namespace

Ran take_code_failure(JSContext* cx) {
  if (Watch::is_timed_out()) return JS_ClearPendingException(cx), stopped(Verdict::kTimeout, "");
  if (JS_IsThrowingOutOfMemory(cx)) return JS_ClearPendingException(cx), stopped(Verdict::kMemory, "");
  JS::ExceptionStack exception(cx);
  if (!JS_IsExceptionPending(cx) || !JS::StealPendingExceptionStack(cx, &exception))
    return stopped(Watch::is_out_of_memory() ? Verdict::kMemory : Verdict::kFailed, "the code was stopped");
  return explain(cx, exception.exception(), exception.stack());
}

Ran take_code_syntax_failure(JSContext* cx) {
  Ran ran = take_code_failure(cx);
  if (ran.outcome.verdict != Verdict::kFailed) return ran;
  ran.outcome.verdict = Verdict::kSyntax;
  ran.outcome.column += 1;  // the parser counts from 0, the interpreter from 1
  return ran;
}

Ran explain_rejection(JSContext* cx, JS::HandleObject promise) {
  // Code may catch what says so, and fail of something else then.
  if (Watch::is_out_of_memory()) return stopped(Verdict::kMemory, "");
  JS::RootedValue reason(cx, JS::GetPromiseResult(promise));
  JS::RootedObject stack(cx);
  return explain(cx, reason, stack);
}

std::string to_console_text(JSContext* cx, JS::HandleValue value) {
  JS::RootedValue root(cx, value);
  const bool is_error =
      value.isObject() && JS_ErrorFromException(cx, JS::RootedObject(cx, &value.toObject())) != nullptr;
  if (value.isObject() && !is_error && !JS::IsCallable(&value.toObject())) {
    std::u16string text;
    if (JS_Stringify(cx, &root, nullptr, JS::NullHandleValue, append, &text) && text != u"undefined")
      return to_utf8_json(text);
    JS_ClearPendingException(cx);
  }
  JS::RootedString string(cx, value.isSymbol() ? JS_ValueToSource(cx, root) : JS::ToString(cx, root));
  if (string) return to_utf8(cx, string);
  JS_ClearPendingException(cx);
  return "(a value that can not be shown)";
}

}  // namespace fp::sandbox
