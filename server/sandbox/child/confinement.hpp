#pragma once

#include <string>

namespace fp::sandbox {

/// What the process gives up. `begin` before any thread starts, `finish` when the engine is up: from then on
/// it can compute and speak through kChannel, and any other system call kills it. False when a layer that
/// must hold does not; namespaces and Landlock are extra and depend on the kernel. `layers()` names those
/// that hold.
class Confinement {
 public:
  static constexpr int kChannel = 3;

  bool begin();
  bool finish();
  const std::string& layers() const { return layers_; }

 private:
  void hold(const char* layer);
  std::string layers_;
};

}  // namespace fp::sandbox
