#include "launcher/jail/record.hpp"

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace fp::launcher {

bool Channel::open() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return false;
  read_end = ends[0];
  write_end = ends[1];
  return true;
}

void Channel::close_both() {
  if (read_end >= 0) close(read_end);
  if (write_end >= 0) close(write_end);
  read_end = write_end = -1;
}

bool send(int fd, const Record& record) {
  ssize_t written = 0;
  while ((written = write(fd, &record, sizeof record)) < 0 && errno == EINTR) {
  }
  return written == sizeof record;
}

bool receive(int fd, Record& record) {
  ssize_t got = 0;
  while ((got = read(fd, &record, sizeof record)) < 0 && errno == EINTR) {
  }
  return got == sizeof record;
}

}  // namespace fp::launcher
