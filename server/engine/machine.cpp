#include "engine/machine.hpp"

namespace fp::engine {

namespace {
using enum TaskStatus;
using C = TaskChange;

constexpr TaskTransition kTable[] = {
    {pending, C::schedule, running},    {pending, C::wait, waiting},      {pending, C::complete, completed},
    {pending, C::fail, failed},         {pending, C::skip, skipped},      {pending, C::cancel, cancelled},
    {pending, C::expand, pending},      {retrying, C::expand, pending},   {pending, C::retry, retrying},
    {retrying, C::complete, completed}, {retrying, C::wait, waiting},     {retrying, C::retry, retrying},
    {running, C::complete, completed},  {running, C::retry, retrying},    {running, C::fail, failed},
    {running, C::lose, pending},        {running, C::cancel, cancelled},  {retrying, C::schedule, running},
    {retrying, C::fail, failed},        {retrying, C::cancel, cancelled}, {waiting, C::complete, completed},
    {waiting, C::fail, failed},         {waiting, C::cancel, cancelled},  {failed, C::reopen, pending},
    {skipped, C::reopen, pending},      {cancelled, C::reopen, pending},  {pending, C::reopen, pending},
};
}  // namespace

std::span<const TaskTransition> TaskMachine::table() {
  return kTable;
}

std::optional<TaskStatus> TaskMachine::next(TaskStatus from, TaskChange on) {
  for (const auto& row : kTable) {
    if (row.from == from && row.on == on) return row.to;
  }
  return std::nullopt;
}

}  // namespace fp::engine
