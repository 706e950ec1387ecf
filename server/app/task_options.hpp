#pragma once

#include "app/settings.hpp"
#include "tasks/builtin.hpp"

namespace fp::app {

/// What steps may do in this process. `own_machine`: one person's own process on one machine, so loopback is
/// open to steps.
tasks::TaskOptions make_task_options(const Settings& settings, bool own_machine);

}  // namespace fp::app
