#pragma once

#include <sqlite3.h>

#include <atomic>
#include <cstring>
#include <string>

namespace fp::store {

/// A SQLite file layer that fails the n-th write or sync of its files, and everything after it when asked to.
/// Registered once a process under the name below.
class FaultVfs {
 public:
  static constexpr const char* kName = "flowpilot-faults";
  enum class Operation { write, sync, read };

  static FaultVfs& get() {
    static FaultVfs vfs;
    return vfs;
  }
  /// The `nth` operation from now on (1 is the next) gives `code`, with that errno beneath it.
  void fail(Operation operation, int nth, int code, int error_number = 0) {
    operation_ = operation;
    code_ = code;
    error_number_ = error_number;
    left_ = nth;
  }
  void heal() { left_ = 0; }
  /// Did the fault strike?
  bool has_struck() const { return struck_; }
  int syncs() const { return syncs_; }
  void reset_counts() {
    syncs_ = 0;
    struck_ = false;
  }

 private:
  struct File {
    sqlite3_file base;
    sqlite3_file* real;
  };

  FaultVfs() {
    real_ = sqlite3_vfs_find(nullptr);
    vfs_ = *real_;
    vfs_.zName = kName;
    vfs_.szOsFile = static_cast<int>(sizeof(File)) + real_->szOsFile;
    vfs_.pNext = nullptr;
    vfs_.xOpen = [](sqlite3_vfs*, sqlite3_filename name, sqlite3_file* file, int flags, int* out) {
      return get().open(name, reinterpret_cast<File*>(file), flags, out);
    };
    sqlite3_vfs_register(&vfs_, 0);
  }

  static sqlite3_file* real(sqlite3_file* file) { return reinterpret_cast<File*>(file)->real; }

  int strike(Operation operation) {
    if (operation == Operation::sync) ++syncs_;
    if (left_ <= 0 || operation != operation_ || --left_ > 0) return SQLITE_OK;
    struck_ = true;
    return code_;
  }

  int open(sqlite3_filename name, File* file, int flags, int* out) {
    file->real = reinterpret_cast<sqlite3_file*>(file + 1);
    const int code = real_->xOpen(real_, name, file->real, flags, out);
    file->base.pMethods = file->real->pMethods == nullptr ? nullptr : methods(*file->real->pMethods);
    return code;
  }

  static const sqlite3_io_methods* methods(const sqlite3_io_methods& from) {
    static sqlite3_io_methods io{};
    io.iVersion = from.iVersion;
    io.xClose = [](sqlite3_file* f) { return real(f)->pMethods->xClose(real(f)); };
    io.xRead = [](sqlite3_file* f, void* data, int size, sqlite3_int64 at) {
      const int code = get().strike(Operation::read);
      return code != SQLITE_OK ? code : real(f)->pMethods->xRead(real(f), data, size, at);
    };
    io.xWrite = [](sqlite3_file* f, const void* data, int size, sqlite3_int64 at) {
      const int code = get().strike(Operation::write);
      return code != SQLITE_OK ? code : real(f)->pMethods->xWrite(real(f), data, size, at);
    };
    io.xSync = [](sqlite3_file* f, int flags) {
      const int code = get().strike(Operation::sync);
      return code != SQLITE_OK ? code : real(f)->pMethods->xSync(real(f), flags);
    };
    io.xTruncate = [](sqlite3_file* f, sqlite3_int64 size) {
      return real(f)->pMethods->xTruncate(real(f), size);
    };
    io.xFileSize = [](sqlite3_file* f, sqlite3_int64* size) {
      return real(f)->pMethods->xFileSize(real(f), size);
    };
    io.xLock = [](sqlite3_file* f, int level) { return real(f)->pMethods->xLock(real(f), level); };
    io.xUnlock = [](sqlite3_file* f, int level) { return real(f)->pMethods->xUnlock(real(f), level); };
    io.xCheckReservedLock = [](sqlite3_file* f, int* out) {
      return real(f)->pMethods->xCheckReservedLock(real(f), out);
    };
    io.xFileControl = [](sqlite3_file* f, int op, void* arg) {
      if (op == SQLITE_FCNTL_LAST_ERRNO && get().has_struck()) {
        *static_cast<int*>(arg) = get().error_number_;
        return SQLITE_OK;
      }
      return real(f)->pMethods->xFileControl(real(f), op, arg);
    };
    io.xSectorSize = [](sqlite3_file* f) { return real(f)->pMethods->xSectorSize(real(f)); };
    io.xDeviceCharacteristics = [](sqlite3_file* f) {
      return real(f)->pMethods->xDeviceCharacteristics(real(f));
    };
    io.xShmMap = [](sqlite3_file* f, int page, int size, int extend, void volatile** out) {
      return real(f)->pMethods->xShmMap(real(f), page, size, extend, out);
    };
    io.xShmLock = [](sqlite3_file* f, int at, int n, int flags) {
      return real(f)->pMethods->xShmLock(real(f), at, n, flags);
    };
    io.xShmBarrier = [](sqlite3_file* f) { real(f)->pMethods->xShmBarrier(real(f)); };
    io.xShmUnmap = [](sqlite3_file* f, int remove) { return real(f)->pMethods->xShmUnmap(real(f), remove); };
    io.xFetch = [](sqlite3_file* f, sqlite3_int64 at, int size, void** out) {
      return real(f)->pMethods->xFetch(real(f), at, size, out);
    };
    io.xUnfetch = [](sqlite3_file* f, sqlite3_int64 at, void* page) {
      return real(f)->pMethods->xUnfetch(real(f), at, page);
    };
    return &io;
  }

  sqlite3_vfs* real_ = nullptr;
  sqlite3_vfs vfs_{};
  Operation operation_ = Operation::write;
  std::atomic<int> left_{0};
  std::atomic<int> syncs_{0};
  std::atomic<bool> struck_{false};
  int code_ = SQLITE_IOERR_WRITE;
  int error_number_ = 0;
};

}  // namespace fp::store
