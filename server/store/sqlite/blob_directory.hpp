#pragma once

#include "ports/store.hpp"
#include "store/blob_pins.hpp"
#include "store/guarded.hpp"

#include <atomic>
#include <bitset>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace fp::store {

/// Large values as files `ab/<hash>`, written under `tmp/` and renamed when they are whole. Thread-safe.
/// Throws Unavailable when the disk fails.
class BlobDirectory {
 public:
  /// With `writable` it makes the directory for unfinished files and throws away what a crash left there.
  BlobDirectory(std::filesystem::path path, bool writable);

  /// Durable, name and all, when it returns.
  ports::BlobRef put(std::string_view bytes);
  Result<std::string> load(const ports::BlobRef& ref) const;
  /// Is there a file of that size?
  bool has(const ports::BlobRef& ref) const;
  /// A commit refers to these now.
  void release(const std::vector<ports::BlobRef>& refs);

  struct Sweep {
    std::size_t removed = 0;
    bool finished = false;  // every file was looked at since the sweep began
  };
  /// Removes files that nobody refers to; goes on where the last call stopped, after about `files` of them.
  Sweep sweep(std::size_t files, const std::function<bool(const std::string&)>& is_referenced);

 private:
  std::filesystem::path file_of(std::string_view hash) const { return path_ / hash.substr(0, 2) / hash; }
  void make_shard_durable(const std::string& hash);
  void write_file(const std::filesystem::path& temporary, std::string_view bytes) const;

  std::filesystem::path path_;
  std::atomic<std::uint64_t> next_temporary_{0};
  Guarded<std::bitset<256>> durable_shards_;
  Guarded<BlobPins> pins_;
  std::atomic<unsigned> sweep_at_{0};
};

}  // namespace fp::store
