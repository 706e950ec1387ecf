#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fp::net {

/// The names a client may have called this server by. A page of another site whose name was made to point
/// here (DNS rebinding) sends its own name, and is refused. Immutable.
class HostNames {
 public:
  /// Loopback names are always among them.
  HostNames(const std::string& host, const std::vector<std::string>& others);
  /// `host` is a Host header: a name or address with or without port.
  bool contains(std::string_view host) const;
  /// Could it be a Host header at all?
  static bool is_well_formed(std::string_view host);

 private:
  std::vector<std::string> names_;
};

}  // namespace fp::net
