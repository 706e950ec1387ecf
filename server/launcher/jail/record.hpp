#pragma once

#include <cstddef>

namespace fp::launcher {

/// What the processes inside tell the launcher outside, over a pipe; small enough to be written in one piece.
struct Record {
  enum class Kind : int { none, layers, refused, no_mounts, failed, running, ended };
  Kind kind = Kind::none;
  int value = 0;  // ended: a wait status; failed, no_mounts: errno; layers: the Landlock ABI
  bool no_new_privs = false;
  bool rlimits = false;
  bool seccomp = false;
  bool mount = false;
  bool proc = false;
  bool uid = false;
  char text[256] = {};  // failed, no_mounts: the step that failed; refused: the missing layers
};

struct Channel {
  int read_end = -1;
  int write_end = -1;
  bool open();
  void close_both();
};

bool send(int fd, const Record& record);
/// False at the end of the stream.
bool receive(int fd, Record& record);

}  // namespace fp::launcher
