#pragma once

#include "base/json.hpp"
#include "launcher/policy.hpp"
#include "tasks/builtin.hpp"

namespace fp::app {

/// {level, user: true, ..., cgroup: "v2", landlock: 7}: what holds around a process, for /readyz and the
/// worker list.
JsonObject to_json(launcher::Level level, const launcher::Layers& layers);

/// The same for code steps, learnt by starting a jail; `missing` names what is asked for and not there,
/// `error` why none starts at all.
Json probe_code_isolation(const tasks::CodeOptions& code);

}  // namespace fp::app
