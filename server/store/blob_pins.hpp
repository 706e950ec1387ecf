#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

namespace fp::store {

/// Blobs that were put and whose commit may still be under way: the sweep for orphans leaves them alone. A
/// commit that refers to a blob releases it; a pin that nobody releases lapses at the end of the second sweep
/// after it.
class BlobPins {
 public:
  void pin(const std::string& hash) {
    auto& pin = pins_[hash];
    ++pin.puts;
    pin.sweep = sweep_;
  }
  void release(const std::string& hash) {
    const auto found = pins_.find(hash);
    if (found != pins_.end() && --found->second.puts == 0) pins_.erase(found);
  }
  bool is_pinned(const std::string& hash) const { return pins_.contains(hash); }
  void end_sweep() {
    ++sweep_;
    std::erase_if(pins_, [&](const auto& entry) { return entry.second.sweep + 2 <= sweep_; });
  }

 private:
  struct Pin {
    std::uint32_t puts = 0;
    std::uint64_t sweep = 0;
  };
  std::unordered_map<std::string, Pin> pins_;
  std::uint64_t sweep_ = 0;
};

}  // namespace fp::store
