#include "app/task_options.hpp"

namespace fp::app {

tasks::TaskOptions make_task_options(const Settings& settings, bool own_machine) {
  tasks::TaskOptions out;
  out.allow_loopback = own_machine;
  out.allow_addresses = settings.list("allow_address");
  out.proxy_url = settings.text("proxy_url");
  out.smtp_url = settings.text("smtp_url");
  out.mail_from = settings.text("mail_from");
  out.file_root = settings.text("file_root");
  out.data_dir = settings.data_dir();
  out.code.level = launcher::parse_level(settings.text("isolation")).value_or(launcher::Level::strict);
  out.code.allow_weaker = settings.flag("allow_weaker_isolation");
  out.code.python = settings.text("python");
  out.code.slots = settings.count("code_slots");
  return out;
}

}  // namespace fp::app
