#include "api/hook_log.hpp"

#include "base/json_parse.hpp"
#include "base/log.hpp"

#include <algorithm>

namespace fp::api {

namespace {

constexpr Milliseconds kBetweenFlushes{1'000};
constexpr std::size_t kMostFlushed = 1'000;  // in one transaction

std::string_view category(const std::string& outcome) {
  for (const std::string_view known : {"triggered", "deduplicated", "ignored", "captured"}) {
    if (outcome == known) return known;
  }
  return "refused";
}

std::string to_record(const HookRecord& record) {
  return to_text(JsonObject{{"method", record.method},
                            {"path", record.path},
                            {"peer", record.peer},
                            {"status", record.status},
                            {"outcome", record.outcome},
                            {"signature", record.signature},
                            {"body_bytes", record.body_bytes},
                            {"request", record.request ? *record.request : Json(nullptr)},
                            {"is_test", record.is_test},
                            {"execution", record.execution ? Json(to_string(*record.execution)) : Json()}});
}

HookRecordPtr from_record(const ports::HookRequestRecord& stored) {
  const auto json = parse_trusted_json(stored.record);
  auto out = std::make_shared<HookRecord>();
  out->number = stored.number;
  out->at = stored.at;
  out->method = json_string(json, "method");
  out->path = json_string(json, "path");
  out->peer = json_string(json, "peer");
  out->status = static_cast<unsigned>(json_int(json, "status").value_or(0));
  out->outcome = json_string(json, "outcome");
  out->signature = json_string(json, "signature");
  out->body_bytes = static_cast<std::size_t>(json_int(json, "body_bytes").value_or(0));
  const auto* request = json_find(json, "request");
  out->is_whole = request != nullptr && request->is_object();
  if (out->is_whole) out->request = make_value(*request);
  const auto* test = json_find(json, "is_test");
  out->is_test = test != nullptr && test->is_bool() && test->get_bool();
  if (const auto id = parse_uuid<ExecutionId>(json_string(json, "execution"))) out->execution = *id;
  return out;
}

}  // namespace

void HookLog::start() {
  {
    const std::lock_guard lock(mutex_);
    next_ = store_.last_hook_request() + 1;
  }
  thread_ = std::thread([this] { run(); });
}

void HookLog::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void HookLog::run() {
  while (true) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return is_stopping_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      changed_.wait_for(lock, kBetweenFlushes, [this] { return is_stopping_; });
    }
    flush();
  }
}

bool HookLog::flush() {
  const std::lock_guard flushing(flush_mutex_);
  const auto records = take_waiting();
  if (records.empty()) return false;
  try {
    store_.put_hook_requests(records, kMostRequests);
  } catch (const Unavailable& unavailable) {
    // The next commit meets the same trouble and says so to everybody.
    log(LogLevel::error, "requests of webhooks could not be kept", {{"code", unavailable.error().code}});
  }
  const std::lock_guard lock(mutex_);
  return !waiting_.empty();
}

std::vector<ports::HookRequestRecord> HookLog::take_waiting() {
  std::vector<std::pair<Key, std::deque<HookRecordPtr>>> taken;
  {
    const std::lock_guard lock(mutex_);
    for (std::size_t count = 0; count < kMostFlushed && !waiting_.empty();) {
      auto next = waiting_.upper_bound(last_written_);
      if (next == waiting_.end()) next = waiting_.begin();
      auto node = waiting_.extract(next);
      last_written_ = node.key();
      count += node.mapped().size();
      taken.emplace_back(std::move(node.key()), std::move(node.mapped()));
    }
  }
  std::vector<ports::HookRequestRecord> out;
  for (const auto& [key, records] : taken) {
    for (const auto& record : records)
      out.push_back({record->number, key.first, key.second, record->at, to_record(*record)});
  }
  return out;
}

std::uint64_t HookLog::add(const WorkflowId& workflow, const std::string& trigger, HookRecord record) {
  const auto kept = std::make_shared<HookRecord>(std::move(record));
  const std::lock_guard lock(mutex_);
  ++totals_[std::string(category(kept->outcome))];
  kept->number = next_++;
  const Key key{workflow, trigger};
  auto& records = rings_[key].records;
  records.push_back(kept);
  if (records.size() > kMostRequests) records.pop_front();
  make_room();
  const bool was_idle = waiting_.empty();
  auto& waiting = waiting_[key];
  waiting.push_back(kept);
  if (waiting.size() > kMostRequests) waiting.pop_front();
  if (was_idle) changed_.notify_all();
  return kept->number;
}

void HookLog::make_room() {
  if (rings_.size() <= kMostHooks) return;
  const auto age = [](const auto& entry) {
    return entry.second.records.empty() ? 0 : entry.second.records.back()->number;
  };
  rings_.erase(std::ranges::min_element(rings_, {}, age));
}

/// Those of earlier processes, and those that made room, come before what is in memory.
void HookLog::load(const Key& key) {
  {
    const std::lock_guard lock(mutex_);
    const auto known = rings_.find(key);
    if (known != rings_.end() && known->second.is_loaded) return;
  }
  while (flush()) {
  }
  const auto stored = store_.list_hook_requests(key.first, key.second, kMostRequests);
  const std::lock_guard lock(mutex_);
  auto& ring = rings_[key];
  ring.is_loaded = true;
  for (const auto& one : stored) {
    if (ring.records.size() >= kMostRequests) break;
    if (ring.records.empty() || one.number < ring.records.front()->number)
      ring.records.push_front(from_record(one));
  }
  make_room();
}

std::vector<HookRecordPtr> HookLog::list(const WorkflowId& workflow, const std::string& trigger) {
  const Key key{workflow, trigger};
  load(key);
  const std::lock_guard lock(mutex_);
  const auto found = rings_.find(key);
  if (found == rings_.end()) return {};
  return {found->second.records.rbegin(), found->second.records.rend()};
}

HookRecordPtr HookLog::find(const WorkflowId& workflow, const std::string& trigger, std::uint64_t number) {
  for (auto& record : list(workflow, trigger)) {
    if (record->number == number) return std::move(record);
  }
  return nullptr;
}

HookRecordPtr HookLog::find_last(const WorkflowId& workflow, const std::string& trigger) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = rings_.find({workflow, trigger});
    if (found != rings_.end() && !found->second.records.empty()) return found->second.records.back();
    if (found != rings_.end() && found->second.is_loaded) return nullptr;
  }
  const auto stored = store_.list_hook_requests(workflow, trigger, 1);
  return stored.empty() ? nullptr : from_record(stored.front());
}

std::uint64_t HookLog::count(const std::string& outcome) const {
  const std::lock_guard lock(mutex_);
  const auto found = totals_.find(outcome);
  return found == totals_.end() ? 0 : found->second;
}

}  // namespace fp::api
