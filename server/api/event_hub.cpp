#include "api/event_hub.hpp"

#include "api/evaluate.hpp"
#include "api/run_reply.hpp"
#include "base/error_code.hpp"
#include "base/failpoint.hpp"
#include "base/json_parse.hpp"
#include "base/log.hpp"
#include "runtime/inbox_codec.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fp::api {

namespace {

constexpr Milliseconds kLook{1'000};
constexpr Milliseconds kMostStart{10'000};  // of starts on their way to the disk
constexpr std::size_t kMostEvents = 200;    // handed out in one round
constexpr std::size_t kMostWaits = 10'000;  // that one event ends
constexpr std::size_t kMostLookedAt = 1'000;
constexpr std::uint64_t kMostStarted = 1'000;  // by an event and those that follow from it
constexpr std::size_t kMostShown = 100;        // rows of what became of an event

ports::InboxEntry make_news(const ports::EventWait& wait, const ports::PublishedEvent& event, TimePoint now) {
  const engine::input::EventArrived arrived{event.number, event.name, event.key, make_value(to_input(event))};
  return {0, wait.execution, runtime::encode_input(arrived), now};
}

}  // namespace

JsonObject to_input(const ports::PublishedEvent& event) {
  return {{"id", to_string(event.id)},
          {"name", event.name},
          {"key", event.key},
          {"data", parse_trusted_json(event.data)},
          {"source", parse_trusted_json(event.source)},
          {"at", to_rfc3339(event.at)}};
}

/// Some events on their way to those who subscribe. Starts are under way together; one that can not be made
/// now leaves its event for the next round.
class EventHub::Round : public std::enable_shared_from_this<EventHub::Round> {
 public:
  explicit Round(Services& services) : s_(services) {}

  void add(const ports::PublishedEvent& event, const std::vector<SubscriptionPtr>& subscriptions) {
    const auto handled = std::make_shared<Handled>();
    handled->event = event;
    handled_.push_back(handled);
    const auto input = to_input(event);
    for (const auto& subscription : subscriptions) offer(handled, *subscription, input);
    const auto waits = s_.store.events().list_waits(event.name, event.key, kMostWaits);
    if (waits.size() == kMostWaits)
      log(LogLevel::error, "more executions wait for an event than it can end", {{"event", event.name}});
    for (const auto& wait : waits) {
      handled->news.push_back(make_news(wait, event, s_.clock.now()));
      show(*handled, {{"execution_id", to_string(wait.execution)}, {"outcome", "woken"}});
    }
  }

  /// What can be settled once every start has been answered.
  ports::EventSettlement wait_and_close() {
    std::unique_lock lock(mutex_);
    answered_.wait_for(lock, kMostStart, [this] { return under_way_ == 0; });
    ports::EventSettlement out;
    for (auto& one : handled_) {
      auto& handled = *one;
      if (handled.is_open || handled.under_way > 0) continue;
      handled.event.handled_at = s_.clock.now();
      handled.event.started = handled.started;
      handled.event.outcome = to_text(Json(std::move(handled.outcomes)));
      out.handled.push_back(std::move(handled.event));
      for (auto& news : handled.news) out.inbox.push_back(std::move(news));
    }
    is_closed_ = true;
    return out;
  }

 private:
  struct Handled {
    ports::PublishedEvent event;
    std::vector<ports::InboxEntry> news;
    // Guarded by mutex_:
    JsonArray outcomes;
    std::uint32_t started = 0;
    std::uint32_t under_way = 0;
    bool is_open = false;  // it wants another round
  };
  using HandledPtr = std::shared_ptr<Handled>;

  void show(Handled& handled, JsonObject row) {
    const std::lock_guard lock(mutex_);
    add_row(handled, std::move(row));
  }
  static void add_row(Handled& handled, JsonObject row) {
    if (handled.outcomes.size() < kMostShown) handled.outcomes.push_back(std::move(row));
  }
  static JsonObject row_of(const Subscription& to, const char* outcome, const std::string& reason = "") {
    JsonObject row{{"workflow", to_string(to.workflow)},
                   {"workflow_name", to.workflow_name},
                   {"trigger", to.trigger.id},
                   {"outcome", outcome}};
    if (!reason.empty()) row["reason"] = reason;
    return row;
  }

  /// Why this subscriber does not start, if so.
  std::optional<JsonObject> refuse(const Handled& handled, const Subscription& to, const JsonObject& input) {
    const auto& event = handled.event;
    const bool is_own = event.name.starts_with("execution.") || event.name.starts_with("step.");
    if (is_own && json_string(input.at("source"), "workflow_id") == to_string(to.workflow))
      return row_of(to, "skipped", "a workflow is not told of its own executions");
    if (event.depth > s_.runtime.options().most_depth)
      return row_of(to, "refused",
                    fmt::format("{}: executions and events followed from each other more than {} deep",
                                codes::run_depth_exceeded.id, s_.runtime.options().most_depth));
    if (to.trigger.filter) {
      const auto held = render_now(s_.expressions, *to.trigger.filter,
                                   {{"input", input}, {"vars", *s_.options.vars}}, event.at);
      if (!held) return row_of(to, "failed", fmt::format("its filter: {}", held.error().message));
      if (!is_truthy(*held)) return row_of(to, "filtered");
    }
    const auto& given = to.trigger.gives_data ? input.at("data") : Json(input);
    if (const auto fits = model::check_input(*to.document, given); !fits) {
      const auto& issues = fits.error().issues;
      return row_of(to, "refused",
                    issues.empty() ? fits.error().message
                                   : fmt::format("{}: {} {}", fits.error().message, issues.front().pointer,
                                                 issues.front().message));
    }
    if (s_.store.events().count_started(event.root) + starts_[event.root] >= kMostStarted)
      return row_of(to, "refused",
                    fmt::format("{}: it and those that followed from it have started {} executions",
                                codes::event_budget_exceeded.id, kMostStarted));
    return std::nullopt;
  }

  void offer(const HandledPtr& handled, const Subscription& to, const JsonObject& input) {
    if (auto refused = refuse(*handled, to, input)) return show(*handled, std::move(*refused));
    const auto& event = handled->event;
    auto request = make_start(s_, to.document, {to.workflow, to.version}, "event",
                              make_value(to.trigger.gives_data ? input.at("data") : Json(input)));
    request.started.depth = event.depth;
    request.started.cause = event.root;
    request.started.labels = make_value(JsonObject{{"event", event.name}});
    auto key = fmt::format("event:{}:{}:{}", to_string(event.id), to_string(to.workflow), to.trigger.id);
    request.idempotency = ports::IdempotencyEntry{key, hash_256(key), request.id.bytes, s_.clock.now()};
    const auto id = request.id;
    ++starts_[event.root];
    {
      const std::lock_guard lock(mutex_);
      ++under_way_;
      ++handled->under_way;
    }
    s_.runtime.start_execution(
        std::move(request), [self = shared_from_this(), handled, id, key, row = row_of(to, "started")](
                                Result<const engine::ExecutionState*> begun) mutable {
          self->on_answer(*handled, id, key, std::move(row),
                          begun ? std::optional<Error>() : std::optional(begun.error()));
        });
  }

  void on_answer(Handled& handled, ExecutionId id, const std::string& key, JsonObject row,
                 const std::optional<Error>& error) {
    std::unique_lock lock(mutex_);
    if (is_closed_) return;
    if (error && error->code == codes::execution_duplicate.id) {
      // An earlier round started it and did not live to say so.
      lock.unlock();
      const auto earlier = s_.store.find_idempotency(key);
      lock.lock();
      if (earlier) id = ExecutionId{earlier->subject};
    } else if (error) {
      handled.is_open = true;
    }
    row["execution_id"] = to_string(id);
    add_row(handled, std::move(row));
    ++handled.started;
    --handled.under_way;
    if (--under_way_ == 0) answered_.notify_all();
  }

  Services& s_;
  std::mutex mutex_;
  std::condition_variable answered_;
  // Of the thread that made this:
  std::vector<HandledPtr> handled_;
  std::map<EventId, std::uint64_t> starts_;  // by the first event of their chain
  std::size_t under_way_ = 0;                // guarded by mutex_
  bool is_closed_ = false;                   // guarded by mutex_
};

void EventHub::take_up(const KnownWorkflow& workflow) {
  const auto& record = workflow.record;
  std::vector<SubscriptionPtr> found;
  if (workflow.is_live()) {
    for (auto& trigger : triggers::read_event_triggers(workflow.published->document)) {
      found.push_back(std::make_shared<const Subscription>(
          Subscription{record.id, record.name, record.version, std::move(trigger), workflow.published}));
    }
  }
  {
    const std::lock_guard lock(mutex_);
    if (found.empty())
      by_workflow_.erase(record.id);
    else
      by_workflow_.insert_or_assign(record.id, std::move(found));
  }
  tell_runtime();
}

/// Executions publish their ends only when somebody listens.
void EventHub::tell_runtime() {
  const auto subscriptions = list();
  const auto is_wanted = [&](std::string_view name) {
    return std::ranges::any_of(subscriptions, [&](const auto& subscription) {
      return triggers::matches_event(subscription->trigger.name, name);
    });
  };
  auto& announced = s_.runtime.announced();
  announced.execution_completed = is_wanted("execution.completed");
  announced.execution_failed = is_wanted("execution.failed");
  announced.execution_cancelled = is_wanted("execution.cancelled");
  announced.step_failed = is_wanted("step.failed");
}

void EventHub::start() {
  thread_ = std::thread([this] { run(); });
}

void EventHub::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

std::vector<EventHub::SubscriptionPtr> EventHub::list() const {
  const std::lock_guard lock(mutex_);
  std::vector<SubscriptionPtr> out;
  for (const auto& [workflow, subscriptions] : by_workflow_)
    out.insert(out.end(), subscriptions.begin(), subscriptions.end());
  return out;
}

std::vector<EventHub::SubscriptionPtr> EventHub::find(const ports::PublishedEvent& event) const {
  auto out = list();
  std::erase_if(out,
                [&](const auto& one) { return !triggers::matches_event(one->trigger.name, event.name); });
  return out;
}

void EventHub::on_events() {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(has_news_, true)) return;
  }
  changed_.notify_all();
}

void EventHub::run() {
  pthread_setname_np(pthread_self(), "events");
  std::unique_lock lock(mutex_);
  while (!is_stopping_) {
    has_news_ = false;
    lock.unlock();
    bool has_more = false;
    try {
      has_more = hand_out_some();
      has_more = look_back_some() || has_more;
    } catch (const Unavailable& unavailable) {
      log(LogLevel::error, "events can not be handed out", {{"detail", unavailable.error().message}});
    }
    lock.lock();
    if (!has_more) changed_.wait_for(lock, kLook, [this] { return is_stopping_ || has_news_; });
  }
}

bool EventHub::hand_out_some() {
  const auto events = s_.store.events().list_unhandled(kMostEvents);
  lag_seconds_ =
      events.empty() ? 0 : std::chrono::duration<double>(s_.clock.now() - events.front().at).count();
  if (events.empty()) return false;
  const auto round = std::make_shared<Round>(s_);
  for (const auto& event : events) round->add(event, find(event));
  const auto settlement = round->wait_and_close();
  FP_FAILPOINT("events.started");
  s_.store.events().settle(settlement);
  handled_ += settlement.handled.size();
  if (!settlement.inbox.empty()) s_.runtime.wake_inbox();
  // Those that are left have found the server full: they wait for the next look.
  return events.size() == kMostEvents && settlement.handled.size() == events.size();
}

/// An event that came before somebody waited for it, while the execution was under way, is not missed.
bool EventHub::look_back_some() {
  const auto waits = s_.store.events().list_new_waits(kMostLookedAt);
  if (waits.empty()) return false;
  ports::EventSettlement settlement;
  settlement.looked_back = waits;
  for (const auto& wait : waits) {
    // One of so many is new to the execution, which knows those it had.
    for (const auto& event : s_.store.events().list_for(wait, wait.taken + 1))
      settlement.inbox.push_back(make_news(wait, event, s_.clock.now()));
  }
  s_.store.events().settle(settlement);
  if (!settlement.inbox.empty()) s_.runtime.wake_inbox();
  return waits.size() == kMostLookedAt;
}

}  // namespace fp::api
