#include "simulation.hpp"

#include "client.hpp"
#include "engine/codec.hpp"
#include "random_workflow.hpp"
#include "runtime/verify.hpp"

#include <fmt/format.h>

namespace fp::simulation {

namespace {

constexpr Milliseconds kLongestStorm{20 * 60'000};
/// Once the faults have stopped, everything ends within this: two waits, retries and time-outs later at most.
constexpr Milliseconds kHealed = std::chrono::hours(24);
constexpr std::uint64_t kMostSteps = 400'000;

class Simulation {
 public:
  explicit Simulation(std::uint64_t seed)
      : m_(seed), outside_(m_.world.make_loop()), client_(m_, make_workflows()) {}

  Outcome run() {
    const auto begin = m_.world.clock().steady_now();
    boot(true);
    storm();
    m_.calm = true;
    zombies_.clear();
    calm_down();
    client_.check_acknowledged(*process_);
    check_effects();
    check_store();
    Outcome out{std::move(m_.tally),
                std::chrono::duration<double>(m_.world.clock().steady_now() - begin).count(),
                m_.auditor.all().size(), 0};
    for (const auto& [id, seen] : m_.auditor.all()) out.events += seen.state.last_seq;
    return out;
  }

 private:
  std::vector<std::shared_ptr<const model::Workflow>> make_workflows() {
    std::vector<std::string> children;
    const auto add = [&](const std::string& name, const std::string& on_failure) {
      versions_.push_back(make_random_workflow(m_.dice, name, children, on_failure));
      m_.auditor.know(versions_.back());
      return versions_.back();
    };
    add("handler", "");
    for (const auto* name : {"leaf", "twig"}) {
      add(name, "");
      children.emplace_back(name);
    }
    return {add("tree", "handler"), add("bush", "handler")};
  }

  void boot(bool first) {
    check_disk();
    process_ = std::make_unique<Process>(m_);
    m_.auditor.on_process(m_.processes);
    steps_to_death_ = m_.dice.one_in(3) ? m_.dice.between(1, 60) : m_.dice.between(1, 3000);
    if (!first) return;
    ports::Batch batch;
    batch.fence = process_->runtime().fence();
    for (const auto& version : versions_)
      batch.versions.push_back(runtime::to_version(*version, m_.world.clock().now()));
    m_.calm = true;
    if (!process_->store().commit(batch)) throw Violation("the first commit was refused");
    m_.calm = false;
  }

  /// What a dead process left behind is whole, and nothing in it is forgotten.
  void check_disk() {
    store::MemoryStore store(m_.disk);
    runtime::Catalog catalog(store, simulation_types());
    runtime::Journal journal(store, catalog);
    const auto report = runtime::verify_store(store, journal);
    if (!report.findings.empty()) throw Violation("verify: " + report.findings.front());
  }

  void storm() {
    for (std::size_t i = m_.dice.between(1, 4); i > 0; --i)
      at_random([this] { client_.start_something(*process_); }, 4);
    for (std::size_t i = m_.dice.below(16); i > 0; --i)
      at_random([this] { client_.disturb_something(*process_); }, 1);
    for (std::size_t i = m_.dice.below(3); i > 0; --i) at_random([this] { jump(); }, 1);
    const auto until = m_.world.clock().steady_now() + m_.dice.up_to(kLongestStorm);
    while (m_.world.clock().steady_now() < until && m_.world.step(TimePoint::max())) {
      guard_steps();
      if (process_->is_doomed())
        steps_to_death_ = std::min<std::size_t>(steps_to_death_, m_.dice.between(1, 20));
      if (--steps_to_death_ == 0) end_process();
      std::erase_if(zombies_,
                    [this](const auto& zombie) { return zombie->is_doomed() || m_.dice.one_in(400); });
    }
  }

  template <class What>
  void at_random(What what, int share) {
    outside_->post_after(m_.dice.up_to(kLongestStorm / 4 / share), std::move(what));
  }

  void guard_steps() {
    if (m_.world.steps() > kMostSteps) throw Violation("it spins: work without end and without time passing");
  }

  void jump() {
    m_.tally.count("fault clock jump");
    static const std::vector<Milliseconds> kJumps{std::chrono::hours(1), -std::chrono::hours(2),
                                                  std::chrono::hours(24), -std::chrono::minutes(1)};
    m_.world.clock().jump(m_.dice.pick(kJumps));
    m_.auditor.disturb(TimePoint::max());  // timers go by the wall clock, so none of them is on time any more
  }

  /// Death, an orderly end, or another process that takes over while this one lives on.
  void end_process() {
    const bool doomed = process_->is_doomed();
    if (!doomed && m_.dice.one_in(6)) {
      m_.tally.count("fault orderly restart");
      process_->shut_down();
      if (!process_->is_doomed()) m_.auditor.on_orderly_end();
    } else if (!doomed && m_.dice.one_in(6)) {
      m_.tally.count("fault zombie");
      process_->become_zombie();
      zombies_.push_back(std::move(process_));
    } else {
      m_.tally.count("fault kill");
    }
    process_.reset();
    boot(false);
  }

  void calm_down() {
    // A process that failed before the calm is replaced; one that lives on must do with what it has.
    if (process_->is_doomed()) end_process_calmly();
    const auto until = m_.world.clock().steady_now() + kHealed;
    while (m_.world.clock().steady_now() < until) {
      if (is_over()) return process_->check_empty();
      const auto next = m_.world.clock().steady_now() + std::chrono::minutes(5);
      bool rung = false;
      outside_->post_after(std::chrono::minutes(5), [&rung] { rung = true; });
      while (m_.world.clock().steady_now() < next && !rung && m_.world.step(TimePoint::max())) guard_steps();
      if (process_->is_doomed()) throw Violation("the process failed without a fault");
    }
    throw Violation("not everything has ended a day after the last fault:" + describe_unfinished());
  }

  /// Answers that nobody waits for any more may still be on their way, and something may start meanwhile.
  bool is_over() {
    if (!client_.settle_everything(*process_)) return false;
    for (const auto until = m_.world.clock().now() + std::chrono::seconds(10); m_.world.step(until);)
      guard_steps();
    return client_.settle_everything(*process_) && !process_->is_asking();
  }

  void end_process_calmly() {
    process_.reset();
    boot(false);
  }

  std::string describe_unfinished() const {
    std::string out;
    for (const auto& [id, seen] : m_.auditor.all()) {
      const auto& state = seen.state;
      if (model::is_terminal(state.status)) continue;
      out += fmt::format("\n  {} of {} is {} ({}{}{})", to_string(id), state.workflow->name,
                         to_string(engine::shown_status(state)), state.paused ? "paused " : "",
                         state.cancelling ? "cancelling " : "",
                         state.failure ? "failing " + state.failure->code : "");
      for (const auto& step : state.workflow->steps) {
        const auto& task = state.steps[step.index].task;
        if (!model::is_terminal(task.status))
          out += fmt::format("\n    {} ({}) is {} {}", step.id, step.type->type, to_string(task.status),
                             to_string(task.wait));
      }
    }
    return out;
  }

  /// Every effect is of a scheduled attempt, and no attempt had it twice.
  void check_effects() {
    for (const auto& [key, effects] : m_.sink.all()) {
      std::set<std::uint32_t> attempts;
      for (const auto& [id, attempt] : effects) {
        if (m_.auditor.find(id) == nullptr) throw Violation("an effect of an execution that is not on disk");
        attempts.insert(attempt);
      }
      if (attempts.size() < effects.size()) m_.tally.count("effect of one attempt twice");
    }
  }

  void check_store() {
    check_disk();
    runtime::Catalog catalog(process_->store(), simulation_types());
    runtime::Journal journal(process_->store(), catalog);
    for (const auto& [id, seen] : m_.auditor.all()) {
      const auto loaded = journal.load(id);
      if (!loaded || engine::encode_state(loaded->state) != engine::encode_state(seen.state))
        throw Violation("what is loaded is not what was recorded");
    }
    const auto left = process_->store().list_inbox(1);
    if (!left.empty())
      throw Violation(fmt::format("an inbox entry for {} is left over: {}", to_string(left.front().execution),
                                  left.front().input));
  }

  std::vector<std::shared_ptr<const model::Workflow>> versions_;
  Machine m_;
  std::unique_ptr<tests::VirtualLoop> outside_;
  std::vector<std::unique_ptr<Process>> zombies_;
  std::unique_ptr<Process> process_;
  std::size_t steps_to_death_ = 0;
  Client client_;
};

}  // namespace

Outcome simulate(std::uint64_t seed) {
  return Simulation(seed).run();
}

}  // namespace fp::simulation
