#include "api/poller.hpp"

#include "api/evaluate.hpp"
#include "api/run_reply.hpp"
#include "base/error_code.hpp"
#include "base/log.hpp"
#include "engine/steps/values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <future>

namespace fp::api {

namespace {

using std::chrono::days;

constexpr Milliseconds kLook{1'000};
constexpr Milliseconds kTimeout{30'000};    // of one question
constexpr Milliseconds kMostStart{10'000};  // of starts on their way to the disk
constexpr Milliseconds kSettled{2'000};     // a file that was changed later may still be written
constexpr std::size_t kMostItems = 1'000;   // of one look
constexpr auto kKept = days(83);            // beyond the 7 days of every key: an item is forgotten after 90
constexpr auto kRefreshed = days(30);       // a key is kept longer so long after it was

/// Files of a folder that are not just being written.
std::vector<Json> list_files(const Json& reply, TimePoint now) {
  std::vector<Json> out;
  for (const auto& file : reply.at("files").as_array()) {
    const auto modified = parse_rfc3339(json_string(file, "modified_at"));
    if (json_string(file, "type") == "file" && modified && *modified + kSettled <= now) out.push_back(file);
  }
  return out;
}

}  // namespace

/// Starts on their way to the disk, of one look.
class Poller::Starts : public std::enable_shared_from_this<Poller::Starts> {
 public:
  void begin(runtime::Runtime& runtime, runtime::StartRequest request) {
    {
      const std::lock_guard lock(mutex_);
      ++under_way_;
    }
    runtime.start_execution(std::move(request),
                            [self = shared_from_this()](Result<const engine::ExecutionState*> begun) {
                              const std::lock_guard lock(self->mutex_);
                              if (begun) ++self->started_;
                              if (!begun && begun.error().code != codes::execution_duplicate.id)
                                self->error_ = begun.error();
                              if (--self->under_way_ == 0) self->answered_.notify_all();
                            });
  }
  /// How many there were; the error of one that could not be made, which the next look tries again.
  std::pair<std::uint64_t, std::optional<Error>> wait() {
    std::unique_lock lock(mutex_);
    answered_.wait_for(lock, kMostStart, [this] { return under_way_ == 0; });
    return {started_, error_};
  }

 private:
  std::mutex mutex_;
  std::condition_variable answered_;
  std::size_t under_way_ = 0;   // guarded by mutex_
  std::uint64_t started_ = 0;   // guarded by mutex_
  std::optional<Error> error_;  // guarded by mutex_
};

void Poller::take_up(const KnownWorkflow& workflow) {
  const auto& record = workflow.record;
  {
    const std::lock_guard lock(mutex_);
    const auto first = entries_.lower_bound({record.id, ""});
    const bool is_known = first != entries_.end() && first->first.first == record.id;
    if (is_known && workflow.is_live() && first->second.view.document->hash == workflow.published->hash)
      return;  // a draft was saved
    for (auto at = first; at != entries_.end() && at->first.first == record.id;) at = entries_.erase(at);
    if (!workflow.is_live()) return;
    for (auto& trigger : triggers::read_poll_triggers(workflow.published->document)) {
      Key key{record.id, trigger.id};
      Entry entry;
      entry.view = {record.id,          record.name, record.version, std::move(trigger),
                    workflow.published, {},          s_.clock.now()};
      entry.generation = ++generations_;
      entries_.insert_or_assign(std::move(key), std::move(entry));
    }
  }
  changed_.notify_all();
}

void Poller::start() {
  thread_ = std::thread([this] { run(); });
}

void Poller::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
    for (const auto& control : asking_) control->cancel();
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

std::vector<Poller::View> Poller::list() const {
  const std::lock_guard lock(mutex_);
  std::vector<View> out;
  for (const auto& [key, entry] : entries_) out.push_back(entry.view);
  return out;
}

void Poller::run() {
  pthread_setname_np(pthread_self(), "poller");
  std::unique_lock lock(mutex_);
  while (!is_stopping_) {
    const auto due =
        std::ranges::min_element(entries_, {}, [](const auto& one) { return one.second.view.next_at; });
    const auto now = s_.clock.now();
    if (due == entries_.end() || due->second.view.next_at > now) {
      changed_.wait_for(lock, kLook);  // the clock may have been changed
      continue;
    }
    const auto key = due->first;
    const auto entry = due->second;
    lock.unlock();
    poll(key, entry);
    lock.lock();
  }
}

void Poller::poll(const Key& key, const Entry& entry) {
  std::uint64_t started = 0;
  std::optional<Error> error;
  std::size_t items = 0;
  try {
    if (const auto seen = start_new(entry.view, started))
      items = *seen;
    else
      error = seen.error();
  } catch (const Unavailable& unavailable) {
    error = unavailable.error();
  }
  if (error && (!entry.view.error || entry.view.error->code != error->code))
    log(LogLevel::warning, "a source can not be polled",
        {{"workflow", to_string(key.first)}, {"trigger", key.second}, {"detail", error->message}});
  const std::lock_guard lock(mutex_);
  const auto at = entries_.find(key);
  if (at == entries_.end() || at->second.generation != entry.generation) return;  // changed meanwhile
  auto& view = at->second.view;
  view.last_at = s_.clock.now();
  view.next_at = *view.last_at + view.trigger.every;
  view.error = std::move(error);
  view.items = items;
  view.started += started;
}

Result<Json> Poller::ask(const triggers::PollTrigger& trigger, const Json& config) {
  auto* handler = s_.options.find_handler ? s_.options.find_handler(trigger.step_type) : nullptr;
  if (handler == nullptr)
    return Error(codes::poll_failed, fmt::format("this server has no {}", trigger.step_type));
  auto control = std::make_shared<ports::AttemptControl>();
  {
    const std::lock_guard lock(mutex_);
    if (is_stopping_) return Error(codes::server_draining, "the server is stopping");
    asking_.insert(control);
  }
  ports::AttemptRequest request;
  request.execution = s_.runtime.make_id();
  request.step = trigger.id;
  request.step_type = trigger.step_type;
  request.config = make_value(config);
  request.idempotency_key = to_string(request.execution);
  request.timeout = kTimeout;
  auto promise = std::make_shared<std::promise<Result<Json>>>();
  auto answer = promise->get_future();
  handler->start(std::move(request), control,
                 [promise](Result<Json> output) { promise->set_value(std::move(output)); });
  auto reply = answer.get();
  const std::lock_guard lock(mutex_);
  asking_.erase(control);
  return reply;
}

Result<std::vector<Json>> Poller::list_items(const triggers::PollTrigger& trigger, const Json& reply) const {
  if (!trigger.items) return list_files(reply, s_.clock.now());
  auto items = render_now(s_.expressions, *trigger.items, {{"input", reply}, {"vars", *s_.options.vars}},
                          s_.clock.now());
  if (!items) return items.error();
  if (!items->is_array())
    return Error(codes::poll_items, fmt::format("\"items\" is no list but {}", json_type_name(*items)));
  if (items->get_array().size() > kMostItems)
    return Error(codes::poll_items, fmt::format("the source gave {} items; a look takes at most {}",
                                                items->get_array().size(), kMostItems));
  return std::vector<Json>(items->get_array().begin(), items->get_array().end());
}

Result<std::vector<Json>> Poller::look(const triggers::PollTrigger& trigger) {
  const auto config =
      render_now(s_.expressions, trigger.config, {{"vars", *s_.options.vars}}, s_.clock.now());
  if (!config) return config.error();
  const auto reply = ask(trigger, *config);
  if (!reply) return reply.error();
  auto items = list_items(trigger, *reply);
  if (!items) return items.error();
  for (auto& item : *items) {
    if (!trigger.gives_item)
      item = JsonObject{{"item", std::move(item)}, {"polled_at", to_rfc3339(s_.clock.now())}};
  }
  return items;
}

/// Equal keys are one item.
Result<std::string> Poller::key_of(const View& view, const std::string& source, const Json& input) const {
  const auto& trigger = view.trigger;
  Json identity = trigger.gives_item ? input : input.at("item");
  if (trigger.dedupe) {
    auto chosen = render_now(s_.expressions, *trigger.dedupe, {{"input", input}, {"vars", *s_.options.vars}},
                             s_.clock.now());
    if (!chosen) return chosen.error();
    identity = std::move(*chosen);
  }
  return fmt::format("poll:{}:{}:{}:{}", to_string(view.workflow), trigger.id, source,
                     to_hex(hash_128(engine::canonical_text(identity))));
}

/// How many items there are.
Result<std::size_t> Poller::start_new(const View& view, std::uint64_t& started) {
  const auto& trigger = view.trigger;
  const auto now = s_.clock.now();
  const auto config = render_now(s_.expressions, trigger.config, {{"vars", *s_.options.vars}}, now);
  if (!config) return config.error();
  const auto inputs = look(trigger);
  if (!inputs) return inputs.error();
  const auto source = triggers::source_key(*config);
  const auto entry_of = [&](const std::string& key, const ExecutionId& id) {
    return ports::IdempotencyEntry{key, hash_256(key), id.bytes, now + kKept};
  };
  const auto begun_key = fmt::format("poll:{}:{}:{}", to_string(view.workflow), trigger.id, source);
  const auto begun = s_.store.find_idempotency(begun_key);
  const bool is_first = !begun && !trigger.starts_first;
  std::vector<ports::IdempotencyEntry> kept;
  if (!begun || begun->at < now + kKept - kRefreshed) kept.push_back(entry_of(begun_key, {}));
  const auto starts = std::make_shared<Starts>();
  std::optional<Error> problem;  // with an item: the others are not held up by it
  for (const auto& input : *inputs) {
    const auto key = key_of(view, source, input);
    if (!key) {
      problem = key.error();
      continue;
    }
    const auto known = s_.store.find_idempotency(*key);
    if (known || is_first) {
      if (!known || known->at < now + kKept - kRefreshed)
        kept.push_back(entry_of(*key, known ? ExecutionId{known->subject} : ExecutionId{}));
      continue;
    }
    if (trigger.filter) {
      const auto held =
          render_now(s_.expressions, *trigger.filter, {{"input", input}, {"vars", *s_.options.vars}}, now);
      if (!held) problem = held.error();
      if (held && !is_truthy(*held)) kept.push_back(entry_of(*key, {}));
      if (!held || !is_truthy(*held)) continue;
    }
    if (const auto fits = model::check_input(*view.document, input); !fits) {
      problem = fits.error();
      continue;
    }
    auto request =
        make_start(s_, view.document, {view.workflow, view.version}, trigger.type, make_value(input));
    request.idempotency = entry_of(*key, request.id);
    request.started.labels = make_value(JsonObject{{"poll", trigger.id}});
    starts->begin(s_.runtime, std::move(request));
  }
  const auto [count, error] = starts->wait();
  started = count;
  if (!kept.empty()) s_.store.put_keys(kept);
  if (error) return *error;
  if (problem) return *problem;
  return inputs->size();
}

}  // namespace fp::api
