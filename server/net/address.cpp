#include "base/error_code.hpp"
#include "net/http_client.hpp"
#include "net/text.hpp"

#include <fmt/format.h>

#include <charconv>

namespace fp::net {

namespace {

Error not_an_address(std::string_view text) {
  return Error(
      codes::usage_address,
      fmt::format("\"{:.200}\" is not the address of a server; write it like http://127.0.0.1:8080", text));
}

}  // namespace

Result<Address> parse_address(std::string_view text) {
  constexpr std::string_view kScheme = "http://";
  auto rest = trim(text);
  if (equals_ignoring_case(rest.substr(0, kScheme.size()), kScheme)) rest.remove_prefix(kScheme.size());
  if (rest.ends_with('/')) rest.remove_suffix(1);
  Address address;
  const auto bracket = rest.starts_with('[') ? rest.find(']') : 0;
  if (bracket == std::string_view::npos) return not_an_address(text);
  const auto colon = rest.find(':', bracket);
  address.host = rest.substr(0, colon);
  const bool has_bad_character = address.host.find_first_of("/?#@ \t") != std::string::npos;
  if (address.host.empty() || has_bad_character) return not_an_address(text);
  if (colon == std::string_view::npos) return address;
  const auto digits = rest.substr(colon + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), address.port);
  if (error != std::errc() || end != digits.data() + digits.size() || address.port == 0)
    return not_an_address(text);
  return address;
}

}  // namespace fp::net
