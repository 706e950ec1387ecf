#include "workers/worker_hub.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace fp::workers {
namespace {

/// Runs what is posted when the test says so; time stands still unless the test moves it.
class StillLoop final : public ports::Loop, public Clock {
 public:
  void post(Job job) override { jobs_.push_back(std::move(job)); }
  void post_at(TimePoint, Job) override {}
  void post_after(Milliseconds delay, Job job) override { timed_.emplace(steady_ + delay, std::move(job)); }
  TimePoint now() const override {
    return TimePoint(std::chrono::duration_cast<Milliseconds>(steady_.time_since_epoch()));
  }
  SteadyPoint steady_now() const override { return steady_; }
  void run() {
    while (!jobs_.empty()) {
      auto jobs = std::exchange(jobs_, {});
      for (auto& job : jobs) job();
    }
  }
  void pass(Milliseconds span) {
    const auto until = steady_ + span;
    while (!timed_.empty() && timed_.begin()->first <= until) {
      auto node = timed_.extract(timed_.begin());
      steady_ = node.key();
      node.mapped()();
      run();
    }
    steady_ = until;
  }

 private:
  SteadyPoint steady_{};
  std::vector<Job> jobs_;
  std::multimap<SteadyPoint, Job> timed_;
};

/// The runtime's side: remembers what it is told.
struct Shard final : ports::WorkerTransport::Sink {
  void on_report(ports::AttemptReport report) override { reports.push_back(std::move(report)); }
  void on_started(ports::LeaseId lease) override { started.insert(lease); }
  void on_lines(ports::LeaseId, std::vector<ports::LogLine> given) override {
    for (auto& line : given) lines.push_back(std::move(line.text));
  }
  void on_heartbeat(const std::vector<ports::LeaseId>& leases) override {
    alive.insert(leases.begin(), leases.end());
  }
  void on_lost(ports::LeaseId lease) override { lost.insert(lease); }
  std::vector<ports::AttemptReport> reports;
  std::set<ports::LeaseId> started, alive, lost;
  std::vector<std::string> lines;
};

struct WorkerHubTest : testing::Test {
  model::TaskTypeRegistry types;
  StillLoop loop;
  SeededRng rng{1};
  Shard shard;
  WorkerHub hub{types, loop, loop, rng, {.most_queued = 100}};
  std::vector<Result<ExchangeAnswer>> answers;

  WorkerId enroll(std::uint64_t pid, std::uint32_t slots = 8, std::vector<std::string> names = {"a.b"}) {
    Registration registration;
    registration.name = "w";
    registration.pid = pid;
    registration.slots = slots;
    registration.queues = {"default"};
    for (const auto& name : names) {
      std::vector<Issue> issues;
      registration.functions.push_back(model::read_function(JsonObject{{"type", name}}, "", issues));
      EXPECT_TRUE(issues.empty());
    }
    return *hub.enroll(std::move(registration));
  }
  ports::Dispatched dispatch(ports::LeaseId lease, const std::string& type = "a.b") {
    ports::AttemptRequest request;
    request.step_type = type;
    request.config = make_value(JsonObject());
    return hub.dispatch(lease, std::move(request), shard);
  }
  /// The answer's place in `answers`, once it is there.
  void ask(const WorkerId& worker, Exchange request) {
    hub.exchange(worker, std::move(request),
                 [this](Result<ExchangeAnswer> answer) { answers.push_back(std::move(answer)); });
  }
  std::vector<std::string> take(const WorkerId& worker, std::uint32_t max) {
    ask(worker, {.max = max});
    std::vector<std::string> names;
    for (const auto& lease : answers.back()->leases) names.push_back(lease.lease);
    return names;
  }
};

TEST_F(WorkerHubTest, GivesAttemptsInTheOrderTheyCameWhateverTheirType) {
  const auto worker = enroll(1, 8, {"a.b", "c.d"});
  dispatch(1, "c.d");
  dispatch(2, "a.b");
  dispatch(3, "c.d");
  EXPECT_EQ(take(worker, 2).size(), 2u);
  EXPECT_EQ(shard.started, (std::set<ports::LeaseId>{1, 2}));
}

TEST_F(WorkerHubTest, ABurstIsSharedByTheWorkersThatWait) {
  const auto first = enroll(1);
  const auto second = enroll(2);
  ask(first, {.max = 8, .wait = Milliseconds(1000)});
  ask(second, {.max = 8, .wait = Milliseconds(1000)});
  for (ports::LeaseId lease = 1; lease <= 4; ++lease) dispatch(lease);
  EXPECT_TRUE(answers.empty());
  loop.run();
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[0]->leases.size(), 2u);
  EXPECT_EQ(answers[1]->leases.size(), 2u);
}

TEST_F(WorkerHubTest, AnswersAReportWhenItIsSettledAndNotBefore) {
  const auto worker = enroll(1);
  dispatch(1);
  const auto lease = take(worker, 1).front();
  answers.clear();
  ask(worker, {.reports = {{lease, Json(7)}}, .max = 1});
  EXPECT_TRUE(answers.empty());
  ASSERT_EQ(shard.reports.size(), 1u);
  dispatch(2);  // what follows from the report
  shard.reports[0].settled(ports::ReportFate::recorded);
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0]->acknowledged, std::vector{lease});
  EXPECT_EQ(answers[0]->leases.size(), 1u);
}

TEST_F(WorkerHubTest, AReportThatIsNotOnDiskIsNeitherAcknowledgedNorLost) {
  const auto worker = enroll(1);
  dispatch(1);
  const auto lease = take(worker, 1).front();
  answers.clear();
  ask(worker, {.reports = {{lease, Json(7)}}});
  ask(worker, {.reports = {{lease, Json(7)}}});  // impatient
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_TRUE(answers[0]->acknowledged.empty());
  EXPECT_TRUE(answers[0]->lost.empty());
  EXPECT_EQ(shard.reports.size(), 1u);
}

TEST_F(WorkerHubTest, AResultOfALeaseThatWasGivenUpReachesTheShardOnceAsLate) {
  const auto worker = enroll(1);
  dispatch(1);
  const auto lease = take(worker, 1).front();
  hub.cancel(1, shard);
  answers.clear();
  ask(worker, {.reports = {{lease, Json(7)}}});
  ASSERT_EQ(shard.reports.size(), 1u);
  shard.reports[0].settled(ports::ReportFate::late);
  EXPECT_EQ(answers[0]->lost, std::vector{lease});
  ask(worker, {.reports = {{lease, Json(7)}}});
  EXPECT_EQ(shard.reports.size(), 1u);
}

TEST_F(WorkerHubTest, AWorkerThatIsSilentForTwoLeasesIsForgottenAndItsAttemptsAreLost) {
  const auto worker = enroll(1);
  dispatch(1);
  take(worker, 1);
  loop.pass(Milliseconds(29'000));
  EXPECT_TRUE(shard.lost.empty());
  loop.pass(Milliseconds(2'000));
  EXPECT_EQ(shard.lost, std::set<ports::LeaseId>{1});
  ask(worker, {});
  EXPECT_EQ(answers.back().error().code, "worker.unknown");
}

TEST_F(WorkerHubTest, AWaitingWorkerIsNotSilent) {
  const auto worker = enroll(1);
  for (int i = 0; i < 4; ++i) {
    ask(worker, {.max = 1, .wait = Milliseconds(20'000)});
    loop.pass(Milliseconds(20'500));
  }
  ASSERT_EQ(answers.size(), 4u);
  EXPECT_TRUE(answers.back());
}

TEST_F(WorkerHubTest, ARequestWhoseSenderHungUpGetsNothing) {
  const auto dead = enroll(1);
  const auto alive = enroll(2);
  const auto gone = std::make_shared<std::atomic<bool>>(false);
  ask(dead, {.max = 8, .wait = Milliseconds(1000), .is_gone = gone});
  ask(alive, {.max = 8, .wait = Milliseconds(1000)});
  *gone = true;
  dispatch(1);
  dispatch(2);
  loop.run();
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0]->leases.size(), 2u);
}

TEST_F(WorkerHubTest, AFullQueueRefuses) {
  for (ports::LeaseId lease = 1; lease <= 100; ++lease) EXPECT_EQ(dispatch(lease), ports::Dispatched::queued);
  EXPECT_EQ(dispatch(101), ports::Dispatched::refused);
  hub.cancel(50, shard);
  EXPECT_EQ(dispatch(101), ports::Dispatched::queued);
}

TEST_F(WorkerHubTest, GivesNoMoreThanItsSlotsAndWhatItsQueuesAllow) {
  const auto worker = enroll(1, 2);
  for (ports::LeaseId lease = 1; lease <= 5; ++lease) dispatch(lease);
  EXPECT_EQ(take(worker, 5).size(), 2u);
  EXPECT_TRUE(take(worker, 5).empty());
  Registration other;
  other.name = "other";
  other.slots = 9;
  other.queues = {"gpu"};
  std::vector<Issue> issues;
  other.functions.push_back(model::read_function(JsonObject{{"type", "a.b"}}, "", issues));
  EXPECT_TRUE(take(*hub.enroll(std::move(other)), 5).empty());
}

}  // namespace
}  // namespace fp::workers
