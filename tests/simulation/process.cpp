#include "process.hpp"

#include "base/error_code.hpp"
#include "engine/codec.hpp"
#include "random_workflow.hpp"

#include <fmt/format.h>

namespace fp::simulation {

namespace {
constexpr std::uint64_t kMostSteps = 100'000;
}

Process::Process(Machine& machine)
    : m_(machine),
      number_(++machine.processes),
      store_(
          machine.disk,
          [this](store::CommitPhase phase, const ports::Batch& batch) { on_commit(phase, batch); },
          machine.dice, machine.tally) {
  runtime::RuntimeOptions options;
  options.snapshot_events = m_.dice.between(5, 40);
  commit_loop_ = m_.world.make_loop();
  outside_loop_ = m_.world.make_loop();
  std::vector<ports::Loop*> loops;
  for (std::size_t i = m_.dice.between(1, 3); i > 0; --i)
    loops.push_back(shard_loops_.emplace_back(m_.world.make_loop()).get());
  evaluator_ = std::make_unique<SimulatedEvaluator>(*outside_loop_, m_.dice, m_.tally, m_.calm);
  workers_ = std::make_unique<SimulatedWorkers>(
      SimulatedWorkers::World{*outside_loop_, m_.world.clock(), m_.dice, m_.tally, m_.auditor, m_.sink,
                              m_.calm, zombie_, options.lease_ttl, options.timeout_grace});
  runtime::RuntimePorts ports{store_,
                              *commit_loop_,
                              std::move(loops),
                              *evaluator_,
                              *workers_,
                              simulation_types(),
                              m_.world.clock(),
                              m_.dice.rng(),
                              this,
                              [this](const Error& error) {
                                m_.tally.count("fail-stop " + error.code);
                                if (error.code == codes::storage_fenced.id && !zombie_)
                                  throw Violation("the owner of the data was refused as an old one");
                                doomed_ = true;
                              }};
  runtime_ = std::make_unique<runtime::Runtime>(std::move(ports), options);
  runtime_->claim("simulated process");
  runtime_->recover_all();
  store_.begin_faults(m_.calm);
  m_.auditor.disturb(m_.world.clock().now());
}

Process::~Process() {
  commit_loop_->drop();
  for (auto& loop : shard_loops_) loop->drop();
  outside_loop_->drop();
}

void Process::on_commit(store::CommitPhase phase, const ports::Batch& batch) {
  if (phase == store::CommitPhase::before) {
    if (m_.calm || !m_.dice.one_in(150)) return;
    m_.tally.count("fault commit failed");
    throw Unavailable(Error(codes::storage_io, "planned: the commit failed"));
  }
  if (number_ != m_.processes) throw Violation("a process wrote after another had taken over");
  m_.tally.count("commit");
  m_.auditor.check_inputs(batch);
  m_.auditor.on_durable(batch);
  if (m_.calm || !m_.dice.one_in(150)) return;
  m_.tally.count("fault acknowledgement lost");
  throw Unavailable(Error(codes::storage_io, "planned: the acknowledgement got lost"));
}

void Process::run_until_quiet() {
  for (auto steps = m_.world.steps(); m_.world.step(m_.world.clock().now());) {
    if (m_.world.steps() - steps > kMostSteps)
      throw Violation("it spins: work without end and without time passing");
  }
}

void Process::shut_down() {
  runtime_->begin_shutdown();
  for (std::size_t i = m_.dice.below(40); i > 0 && m_.world.step(m_.world.clock().now()); --i) {
  }
  runtime_->give_back_attempts();
  if (m_.dice.one_in(2)) run_until_quiet();
  evaluator_->stop();
  run_until_quiet();
}

void Process::check_empty() {
  run_until_quiet();
  runtime_->count_load([](runtime::Load load) {
    if (load.executions > 0)
      throw Violation(fmt::format("{} executions are in memory though all have ended", load.executions));
    if (load.attempts > 0)
      throw Violation(fmt::format("{} leases are held though all executions have ended", load.attempts));
  });
  run_until_quiet();
}

void Process::on_recorded(const runtime::Recorded& recorded) {
  const auto& state = recorded.state;
  const auto* seen = m_.auditor.find(state.id);
  bool any_large = false;
  const auto text = engine::encode_events(recorded.events, *state.workflow, [&](const std::string&) -> Json {
    any_large = true;
    return nullptr;
  });
  if (any_large) return;  // on disk it is a reference
  if (seen == nullptr || !seen->texts.contains(hash_128(text)))
    throw Violation("observers were told of events that are not on disk");
}

void Process::on_log(const runtime::Logged& logged) {
  m_.tally.count("log lines");
  if (store_.list_log(logged.state.id, {}, 1).lines.empty())
    throw Violation("observers were told of log lines that are not on disk");
}

}  // namespace fp::simulation
