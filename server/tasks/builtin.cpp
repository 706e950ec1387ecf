#include "tasks/builtin.hpp"

#include "tasks/network.hpp"

namespace fp::tasks {

std::vector<std::unique_ptr<ports::TaskHandler>> make_builtin_handlers(const TaskOptions& options, const Clock& clock) {
  auto network = std::make_shared<Network>(AddressGuard(options.allow_loopback, options.allow_addresses), options.proxy_url);
  std::vector<std::unique_ptr<ports::TaskHandler>> out;
  out.push_back(make_noop_handler());
  out.push_back(make_log_handler(clock));
  out.push_back(make_http_request_handler(network, clock));
  out.push_back(make_send_email_handler(network, clock, {options.smtp_url, options.mail_from}));
  return out;
}

}  // namespace fp::tasks
