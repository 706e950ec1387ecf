#include "tasks/builtin.hpp"

namespace fp::tasks {

std::vector<std::unique_ptr<ports::TaskHandler>> make_builtin_handlers([[maybe_unused]] const TaskOptions& options, const Clock& clock) {
  std::vector<std::unique_ptr<ports::TaskHandler>> out;
  out.push_back(make_noop_handler());
  out.push_back(make_log_handler(clock));
  return out;
}

}  // namespace fp::tasks
