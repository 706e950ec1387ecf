#pragma once

#include "store/sqlite/sqlite_store.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <stdlib.h>
#include <string>

namespace fp::store {

/// A new directory that goes when the test ends.
class ScratchDirectory {
 public:
  ScratchDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "flowpilot-store-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~ScratchDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// The SQLite engine as the contract suite and the tests beside it drive it.
class SqliteEngine {
 public:
  explicit SqliteEngine(SqliteOptions options = {}) : options_(std::move(options)) { reopen(); }

  ports::Store& store() { return *store_; }
  SqliteStore& sqlite() { return *store_; }
  void reopen() {
    close();
    auto opened = SqliteStore::open(path(), options_);
    if (!opened) throw Unavailable(opened.error());
    store_ = std::move(*opened);
  }
  void close() { store_.reset(); }
  std::filesystem::path path() const { return scratch_.path() / "data"; }
  std::filesystem::path blob_file(const ports::BlobRef& ref) const {
    return path() / "blobs" / ref.hash.substr(0, 2) / ref.hash;
  }
  void damage_blob(const ports::BlobRef& ref) {
    std::fstream file(blob_file(ref), std::ios::in | std::ios::out | std::ios::binary);
    file.put('#');
  }
  void lose_blob(const ports::BlobRef& ref) { std::filesystem::remove(blob_file(ref)); }

 private:
  ScratchDirectory scratch_;
  SqliteOptions options_;
  std::unique_ptr<SqliteStore> store_;
};

}  // namespace fp::store
