#include "sandbox/child/realm.hpp"

#include "sandbox/realm_source.hpp"

#include <js/CompilationAndEvaluation.h>
#include <js/Date.h>
#include <js/GlobalObject.h>
#include <js/LocaleSensitive.h>
#include <js/PropertyAndElement.h>
#include <js/Realm.h>
#include <js/RealmOptions.h>
#include <js/SourceText.h>

namespace fp::sandbox {

namespace {

double g_now_us = 0;
std::uint64_t g_random_state = 0;

double recorded_time(double, JSContext*) {
  return g_now_us;
}

/// SplitMix64 (Steele, Lea, Flood 2014), the upper 53 bits as a fraction of 1.
bool recorded_random(JSContext*, unsigned argc, JS::Value* vp) {
  g_random_state += 0x9E3779B97F4A7C15ULL;
  std::uint64_t z = g_random_state;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  z ^= z >> 31;
  JS::CallArgsFromVp(argc, vp).rval().setDouble(static_cast<double>(z >> 11) * 0x1.0p-53);
  return true;
}

JS::RealmOptions realm_options() {
  JS::RealmOptions options;
  options.creationOptions()
      .setSharedMemoryAndAtomicsEnabled(false)
      .setDefineSharedArrayBufferConstructor(false)
      .setWeakRefsEnabled(JS::WeakRefSpecifier::Disabled)
      .setStreamsEnabled(false)
      .setToSourceEnabled(false)
      .setPropertyErrorMessageFixEnabled(true)
      .setNewCompartmentAndZone();
  options.behaviors().setClampAndJitterTime(true);  // what hands Date's clock to recorded_time
  return options;
}

bool replace_random(JSContext* cx, JS::HandleObject global) {
  JS::RootedValue math(cx);
  if (!JS_GetProperty(cx, global, "Math", &math) || !math.isObject()) return false;
  JS::RootedObject object(cx, &math.toObject());
  return JS_DefineFunction(cx, object, "random", recorded_random, 0, 0) != nullptr;
}

bool run_realm_script(JSContext* cx) {
  JS::CompileOptions options(cx);
  options.setFileAndLine("realm", 1);
  JS::SourceText<mozilla::Utf8Unit> source;
  if (!source.init(cx, kRealmSource, sizeof kRealmSource - 1, JS::SourceOwnership::Borrowed)) return false;
  JS::RootedValue ignored(cx);
  return JS::Evaluate(cx, options, source, &ignored);
}

}  // namespace

JSObject* make_frozen_realm(JSContext* cx) {
  static const JSClass global_class{
      "global", JSCLASS_GLOBAL_FLAGS, &JS::DefaultGlobalClassOps, nullptr, nullptr, nullptr};
  const JS::RealmOptions options = realm_options();
  JS::SetReduceMicrosecondTimePrecisionCallback(recorded_time);
  if (!JS_SetDefaultLocale(JS_GetRuntime(cx), "en-US")) return nullptr;
  JS::RootedObject global(cx,
                          JS_NewGlobalObject(cx, &global_class, nullptr, JS::FireOnNewGlobalHook, options));
  if (!global) return nullptr;
  const JSAutoRealm realm(cx, global);
  if (!JS::InitRealmStandardClasses(cx) || !replace_random(cx, global) || !run_realm_script(cx))
    return nullptr;
  return global;
}

void set_recorded_time(std::int64_t now_ms) {
  g_now_us = static_cast<double>(now_ms) * 1000.0;
}
void restart_random(std::uint64_t seed) {
  g_random_state = seed;
}

}  // namespace fp::sandbox
