#include "store/storage_error.hpp"

#include "base/error_code.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cerrno>
#include <cstring>

namespace fp::store {

namespace {

bool is_full(int error_number) {
  return error_number == ENOSPC || error_number == EDQUOT || error_number == EFBIG;
}
bool is_readonly(int error_number) {
  return error_number == EROFS || error_number == EACCES || error_number == EPERM;
}
/// SQLite turns these failures of a read into SQLITE_CORRUPT (SQLITE_IOERR_CORRUPTFS on its way up). What
/// could not be read may be as it was written, and no backup mends a disk.
bool is_unreadable(int error_number) {
  return error_number == EIO || error_number == ENXIO || error_number == ERANGE;
}

}  // namespace

Error file_error(int error_number, std::string_view what) {
  const char* reason = std::strerror(error_number);
  if (is_full(error_number)) {
    return Error(codes::storage_full,
                 fmt::format("no space left while {} ({}); free space and start again", what, reason));
  }
  if (is_readonly(error_number)) {
    return Error(
        codes::storage_readonly,
        fmt::format("not allowed: {} ({}); make the data directory writable for this user", what, reason));
  }
  return Error(codes::storage_io,
               fmt::format("the disk failed while {} ({}); check the disk and start again", what, reason));
}

void throw_file_error(int error_number, std::string_view what) {
  throw Unavailable(file_error(error_number, what));
}

Error sqlite_error(int result_code, int error_number, std::string_view message, std::string_view path) {
  const bool is_disk = (result_code & 0xff) == SQLITE_CORRUPT && is_unreadable(error_number);
  const int primary = is_disk ? SQLITE_IOERR : result_code & 0xff;
  if (is_disk) message = "a page could not be read";
  if (primary != SQLITE_IOERR && primary != SQLITE_CANTOPEN)
    error_number = 0;  // a leftover of an earlier call
  if (primary == SQLITE_FULL || is_full(error_number)) {
    return Error(
        codes::storage_full,
        fmt::format("the disk that holds {} is full ({}); free space and start again", path, message));
  }
  if (primary == SQLITE_READONLY || primary == SQLITE_PERM || is_readonly(error_number)) {
    return Error(codes::storage_readonly,
                 fmt::format("{} can not be written ({}); make the data directory writable for this user",
                             path, message));
  }
  if (primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB || primary == SQLITE_CONSTRAINT) {
    return Error(
        codes::storage_corrupt,
        fmt::format(
            "{} is damaged or no FlowPilot database ({}); restore a backup, `flowpilot verify` lists what "
            "is damaged",
            path, message));
  }
  if (primary == SQLITE_BUSY || primary == SQLITE_LOCKED) {
    return Error(
        codes::storage_in_use,
        fmt::format("{} is locked by another program ({}); close it and start again", path, message));
  }
  const std::string reason = error_number == 0 ? "" : fmt::format(": {}", std::strerror(error_number));
  return Error(
      codes::storage_io,
      fmt::format("the disk failed under {} ({}{}); check the disk and start again", path, message, reason));
}

}  // namespace fp::store
