#include "net/message.hpp"

#include "net/text.hpp"

namespace fp::net {

const std::string* find_field(const Fields& fields, std::string_view name) {
  for (const auto& [key, value] : fields) {
    if (equals_ignoring_case(key, name)) return &value;
  }
  return nullptr;
}

}  // namespace fp::net
