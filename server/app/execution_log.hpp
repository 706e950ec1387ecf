#pragma once

#include "runtime/observer.hpp"

namespace fp::app {

/// Says on stderr what an operator wants to know of executions, with their ids: failures and quarantine at
/// info and warning, each attempt that failed or was lost at debug. No inputs, no results: those are data of
/// users.
class ExecutionLog final : public runtime::Observer {
 public:
  void on_recorded(const runtime::Recorded& recorded) override;
};

}  // namespace fp::app
