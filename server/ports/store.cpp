#include "ports/store.hpp"

namespace fp::ports {

bool is_terminal_status(std::string_view status) {
  return status == "completed" || status == "failed" || status == "cancelled";
}

}  // namespace fp::ports
