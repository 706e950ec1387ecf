#pragma once

#include "app/settings.hpp"
#include "base/ids.hpp"
#include "net/http_client.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace fp::app {

/// The API as the command line uses it: JSON in, JSON out, problem documents as errors.
class ApiClient {
 public:
  /// To the server of the setting `address`. Error usage.address.
  static Result<ApiClient> make(const Settings& settings);

  Result<Json> get(const std::string& target);
  Result<Json> post(const std::string& target, const Json& body, const net::Fields& headers = {});
  Result<net::Response> send(const std::string& method, const std::string& target, const std::string& body,
                             const net::Fields& headers = {});
  const net::Address& address() const { return address_; }

  /// The id of the workflow with that id or exact name. Errors: not_found, and a conflict when several have
  /// the name.
  Result<std::string> find_workflow(const std::string& id_or_name);

 private:
  explicit ApiClient(net::Address address);
  net::Address address_;
  std::unique_ptr<net::HttpClient> http_;
};

using Query = std::vector<std::pair<std::string, std::string>>;
/// "?a=b&c=d" of those that are not empty; percent-encoded (RFC 3986).
std::string to_query(const Query& query);
std::string percent_encode(std::string_view text);

}  // namespace fp::app
