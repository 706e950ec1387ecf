#pragma once

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>

namespace fp::simulation {

/// A promise was broken; ends the run of its seed.
struct Violation : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// How often each event, command, fault and refusal was met, over all seeds.
class Tally {
 public:
  void count(const std::string& what) { add(what, 1); }
  void add(const std::string& what, std::uint64_t times) { counts_[what] += times; }
  std::uint64_t of(const std::string& what) const {
    const auto found = counts_.find(what);
    return found == counts_.end() ? 0 : found->second;
  }
  const std::map<std::string, std::uint64_t>& all() const { return counts_; }

 private:
  std::map<std::string, std::uint64_t> counts_;
};

}  // namespace fp::simulation
