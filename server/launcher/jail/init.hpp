#pragma once

#include "launcher/jail/mounts.hpp"
#include "launcher/policy.hpp"

#include <string>
#include <sys/types.h>
#include <vector>

namespace fp::launcher {

/// All that the first process inside needs, gathered outside.
struct Inside {
  Policy policy;
  Program program;
  std::vector<Place> places;
  Layers layers;        // those that hold already
  uid_t uid = 0;        // of the slot; 0: stays who it is
  int kept = 0;         // descriptors from 3 on that the program gets
  int go = -1;          // readable when its user is mapped and its control group joined
  int report = -1;      // takes Records
  std::string scratch;  // its tmp when it has no mounts of its own
};

/// The first process of the tree: makes the inside ready, starts the program, gathers orphans, reports the
/// program's end and ends, which in a pid namespace ends everything else. Never returns.
[[noreturn]] void run_init(Inside inside);

}  // namespace fp::launcher
