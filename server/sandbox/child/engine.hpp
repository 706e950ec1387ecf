#pragma once

#include "sandbox/child/function_cache.hpp"
#include "sandbox/child/json_result.hpp"
#include "sandbox/child/syntax_tree.hpp"
#include "sandbox/wire.hpp"

#include <js/Promise.h>
#include <jsapi.h>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fp::sandbox {

/// Expressions are answered, never waited for: jobs of promises are dropped.
class NoJobs final : public JS::JobQueue {
 public:
  JSObject* getIncumbentGlobal(JSContext* cx) override { return JS::CurrentGlobalOrNull(cx); }
  bool enqueuePromiseJob(JSContext*, JS::HandleObject, JS::HandleObject, JS::HandleObject,
                         JS::HandleObject) override {
    return true;
  }
  void runJobs(JSContext*) override {}
  bool empty() const override { return true; }

 protected:
  js::UniquePtr<SavedJobQueue> saveJobQueue(JSContext*) override { return nullptr; }
};

/// SpiderMonkey, set up for expressions: no JIT, one frozen realm, limits on time, memory and stack. One a
/// process, on the main thread. The data an expression reads is parsed anew for it, so that nothing it does
/// is seen later.
class Engine {
 public:
  /// Null when the engine does not start. Starts the engine's one helper thread.
  static std::unique_ptr<Engine> start();

  wire::Answer evaluate(const wire::Evaluate& request);
  wire::Answer check(const wire::Check& request);
  /// Between requests: keeps the garbage of earlier requests from counting against later ones.
  void tidy();

 private:
  struct Work;  // one request under way

  /// Bytes in use, of what the engine collects and of what it asks the allocator for.
  struct Heap {
    std::size_t collected = 0;
    std::size_t allocated = 0;
    std::size_t total() const { return collected + allocated; }
  };

  Engine(JSContext* cx, JSObject* global);
  wire::Outcome evaluate_one(Work& work, std::string_view expression, std::size_t index);
  wire::Outcome call(Work& work, FunctionCache::Entry& entry, std::size_t index, bool shares_scope);
  bool forget_last_match();
  bool add_scope(Work& work, bool shares_scope, JS::MutableHandleValueVector arguments);
  bool add_item(Work& work, std::size_t index, JS::MutableHandleValueVector arguments);
  void set_limits(std::uint64_t memory_bytes);
  Heap look() const;
  void collect();

  JSContext* cx_;
  JS::PersistentRootedObject global_;
  JSAutoRealm realm_;
  NoJobs jobs_;
  FunctionCache functions_;
  JsonResult results_;
  SyntaxTree tree_;
  JS::PersistentRootedObject empty_pattern_;
  Heap idle_;  // after the start
  Heap live_;  // after the last collection: what is not garbage, mostly compiled functions
  std::uint64_t memory_bytes_ = 0;
  unsigned requests_since_look_ = 0;
};

}  // namespace fp::sandbox
