#include "sandbox/child/syntax_tree.hpp"

#include <js/CallAndConstruct.h>
#include <js/CompilationAndEvaluation.h>
#include <js/GlobalObject.h>
#include <js/PropertyAndElement.h>
#include <js/Realm.h>
#include <js/RealmOptions.h>
#include <js/SourceText.h>
#include <string>

namespace fp::sandbox {

namespace {

constexpr std::string_view kFind = R"js((source) => {
  const waiting = [Reflect.parse(source, { loc: true })];
  for (let node; (node = waiting.pop()); ) {
    if (typeof node !== "object") continue;
    const isImport = node.type === "CallImport";
    if (isImport || node.async === true) return [node.loc.start.line, node.loc.start.column, isImport];
    for (const key of Object.keys(node)) {
      if (key !== "loc" && node[key] !== null && typeof node[key] === "object") waiting.push(node[key]);
    }
  }
  return null;
})js";

std::uint32_t number_at(JSContext* cx, JS::HandleObject list, std::uint32_t index) {
  JS::RootedValue value(cx);
  return JS_GetElement(cx, list, index, &value) && value.isInt32()
             ? static_cast<std::uint32_t>(value.toInt32())
             : 0;
}

}  // namespace

bool SyntaxTree::prepare() {
  if (global_) return true;
  static const JSClass global_class{
      "global", JSCLASS_GLOBAL_FLAGS, &JS::DefaultGlobalClassOps, nullptr, nullptr, nullptr};
  JS::RealmOptions options;
  options.creationOptions().setNewCompartmentAndZone();
  JS::RootedObject global(cx_,
                          JS_NewGlobalObject(cx_, &global_class, nullptr, JS::FireOnNewGlobalHook, options));
  if (!global) return false;
  const JSAutoRealm realm(cx_, global);
  JS::CompileOptions compile_options(cx_);
  JS::SourceText<mozilla::Utf8Unit> source;
  JS::RootedValue find(cx_);
  if (!JS::InitRealmStandardClasses(cx_) || !JS_InitReflectParse(cx_, global) ||
      !source.init(cx_, kFind.data(), kFind.size(), JS::SourceOwnership::Borrowed) ||
      !JS::Evaluate(cx_, compile_options, source, &find)) {
    return false;
  }
  find_ = find;
  global_ = global;
  return true;
}

std::optional<wire::Outcome> SyntaxTree::find_asynchronous(std::string_view expression) {
  const bool may_hold = expression.find("async") != std::string_view::npos ||
                        expression.find("import") != std::string_view::npos;
  if (!may_hold) return std::nullopt;
  const std::string source = "(\n" + std::string(expression) + "\n)";
  std::optional<wire::Outcome> outcome;
  if (prepare()) {
    const JSAutoRealm realm(cx_, global_);
    JS::RootedString text(cx_, JS_NewStringCopyUTF8N(cx_, JS::UTF8Chars(source.data(), source.size())));
    JS::RootedValueArray<1> arguments(cx_);
    JS::RootedValue found(cx_);
    if (text) arguments[0].setString(text);
    if (text && JS::Call(cx_, JS::UndefinedHandleValue, find_, arguments, &found) && found.isObject()) {
      JS::RootedObject list(cx_, &found.toObject());
      outcome = {.verdict = wire::Verdict::kForbidden,
                 .line = number_at(cx_, list, 0) - 1,
                 .column = number_at(cx_, list, 1) + 1,
                 .text = "not allowed in expressions: asynchronous code"};
    }
  }
  JS_ClearPendingException(cx_);
  return outcome;
}

}  // namespace fp::sandbox
