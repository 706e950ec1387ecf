#pragma once

#include "sandbox/wire.hpp"

#include <jsapi.h>
#include <optional>
#include <string_view>

namespace fp::sandbox {

/// Finds asynchronous code (async functions, import()) in text that parses: it would be refused when it runs,
/// and authors should hear of it when they save. Uses the engine's own parser, in a realm of its own made at
/// first use.
class SyntaxTree {
 public:
  explicit SyntaxTree(JSContext* cx) : cx_(cx), global_(cx), find_(cx) {}

  /// kForbidden and where, or nothing. Cheap for text that holds neither `async` nor `import`.
  std::optional<wire::Outcome> find_asynchronous(std::string_view expression);

 private:
  bool prepare();

  JSContext* cx_;
  JS::PersistentRootedObject global_;
  JS::PersistentRootedValue find_;
};

}  // namespace fp::sandbox
