#pragma once

#include "sandbox/wire.hpp"

#include <cstddef>
#include <jsapi.h>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace fp::sandbox {

/// Compiled expressions, least recently used ones dropped first. Each is a strict function of the scope's
/// root names; calling it leaves no trace, since all state an expression can make is made anew by the call.
class FunctionCache {
 public:
  struct Entry {
    std::string key;
    JS::PersistentRootedObject function;
    bool needs_own_scope = false;  // it changes what it is handed, so it gets a copy
  };

  static constexpr std::size_t kMaxEntries = 4096;
  static constexpr std::size_t kMaxSourceBytes = 16u << 20;

  explicit FunctionCache(JSContext* cx) : cx_(cx) {}

  /// The function of `expression`, or null and why in `failure`. Valid until the next call.
  Entry* find_or_compile(std::string_view expression, const std::vector<std::string>& names,
                         wire::Outcome& failure);
  void clear();

 private:
  using Entries = std::list<Entry>;
  void drop_oldest();

  JSContext* cx_;
  Entries entries_;  // most recently used first
  std::unordered_map<std::string_view, Entries::iterator> index_;
  std::size_t bytes_ = 0;
};

/// Compiles `expression` as one expression over `names`: null and why in `failure` when it is not exactly
/// one.
JSFunction* compile_expression(JSContext* cx, std::string_view expression,
                               const std::vector<std::string>& names, wire::Outcome& failure);

}  // namespace fp::sandbox
