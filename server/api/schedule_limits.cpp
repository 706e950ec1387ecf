#include "api/schedule_limits.hpp"

#include "base/error_code.hpp"
#include "triggers/schedule.hpp"

#include <fmt/format.h>

namespace fp::api {

namespace {

void check_schedule_gaps(const Json& document, Milliseconds least, std::vector<Issue>& issues) {
  const auto* triggers = json_find(document, "triggers");
  if (triggers == nullptr || !triggers->is_array()) return;
  const auto& all = triggers->get_array();
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto* config = json_find(all[i], "trigger_config");
    if (config == nullptr || json_string(all[i], "trigger_type") != "schedule") continue;
    const auto schedule = triggers::read_schedule(*config);
    if (!schedule || triggers::find_shortest_gap(*schedule) >= least) continue;
    const char* field = schedule->cron ? "cron" : "every_seconds";
    issues.push_back(
        {fmt::format("/triggers/{}/trigger_config/{}", i, field), std::string(codes::cron_too_frequent.id),
         fmt::format("it fires every {} s, and this server wants at least {} s between two ticks",
                     static_cast<double>(triggers::find_shortest_gap(*schedule).count()) / 1000,
                     static_cast<double>(least.count()) / 1000)});
  }
}

}  // namespace

Result<std::shared_ptr<const model::Workflow>> read_document(const Services& s, Json document) {
  auto read = model::read_workflow(document, s.types, s.check_syntax);
  if (!read && read.error().code != codes::workflow_invalid.id) return read;
  auto error =
      read ? Error(codes::workflow_invalid, "a schedule fires too often for this server") : read.error();
  const auto found = error.issues.size();
  check_schedule_gaps(document, s.options.least_schedule_gap, error.issues);
  return error.issues.size() > found ? error : read;
}

}  // namespace fp::api
