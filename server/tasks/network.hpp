#pragma once

#include "ports/task_handler.hpp"
#include "tasks/curl_loop.hpp"
#include "tasks/http_transfer.hpp"

#include <filesystem>
#include <memory>
#include <string>

namespace fp::tasks {

/// What the task types that talk to the network share: one guard, one loop.
struct Network {
  Network(AddressGuard peers, std::string proxy) : guard(std::move(peers)), proxy_url(std::move(proxy)) {}

  AddressGuard guard;
  std::string proxy_url;
  CurlLoop loop;  // last, so that its thread ends before what it uses goes
};

struct MailDefaults {
  std::string smtp_url;
  std::string from;
};

std::unique_ptr<ports::TaskHandler> make_http_request_handler(std::shared_ptr<Network> network,
                                                              const Clock& clock,
                                                              const HttpLimits& limits = {});
std::unique_ptr<ports::TaskHandler> make_send_email_handler(std::shared_ptr<Network> network,
                                                            const Clock& clock, MailDefaults defaults);
std::unique_ptr<ports::TaskHandler> make_sql_query_handler(std::shared_ptr<Network> network,
                                                           const Clock& clock,
                                                           std::filesystem::path data_dir);

}  // namespace fp::tasks
