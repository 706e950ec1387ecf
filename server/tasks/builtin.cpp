#include "tasks/builtin.hpp"

#include "tasks/files.hpp"
#include "tasks/network.hpp"

namespace fp::tasks {

std::vector<std::unique_ptr<ports::TaskHandler>> make_builtin_handlers(const TaskOptions& options,
                                                                       const Clock& clock) {
  auto network = std::make_shared<Network>(
      AddressGuard(options.allow_loopback, options.allow_addresses, options.own_ports), options.proxy_url);
  std::vector<std::unique_ptr<ports::TaskHandler>> out;
  out.push_back(make_noop_handler());
  out.push_back(make_log_handler(clock));
  out.push_back(make_http_request_handler(network, clock));
  out.push_back(make_send_email_handler(network, clock, {options.smtp_url, options.mail_from}));
  out.push_back(make_sql_query_handler(network, clock, options.data_dir));
  out.push_back(make_javascript_handler(options.code, clock));
  out.push_back(make_python_handler(options.code, clock));
  const auto root = std::make_shared<const FileRoot>(options.file_root);
  for (auto* make : {make_file_read_handler, make_file_write_handler, make_file_list_handler,
                     make_file_move_handler, make_file_delete_handler}) {
    out.push_back(make(root));
  }
  return out;
}

}  // namespace fp::tasks
