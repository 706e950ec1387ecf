#include "api/live/list_feed.hpp"

#include "api/views.hpp"

#include <algorithm>

namespace fp::api {

namespace ev = model::event;

bool ListFeed::changes_list(const runtime::Recorded& recorded) {
  return std::any_of(recorded.events.begin(), recorded.events.end(), [](const engine::Event& event) {
    return std::holds_alternative<ev::ExecutionStarted>(event) ||
           std::holds_alternative<ev::ExecutionEnded>(event) ||
           std::holds_alternative<ev::ExecutionPaused>(event) ||
           std::holds_alternative<ev::ExecutionResumed>(event) ||
           std::holds_alternative<ev::ExecutionReopened>(event) ||
           std::holds_alternative<ev::TaskWaiting>(event);
  });
}

void ListFeed::join(std::shared_ptr<Subscriber> subscriber) {
  const JsonObject hello{{"type", "snapshot"}, {"seq", seq_}};
  subscriber->push(std::make_shared<const std::string>(to_text(hello)));
  subscribers_.push_back(std::move(subscriber));
}

void ListFeed::leave(const void* key) {
  std::erase_if(subscribers_, [key](const auto& subscriber) { return subscriber->key() == key; });
}

void ListFeed::take(const ports::ExecutionSummary& summary) {
  if (too_many_) return;
  changed_.insert_or_assign(summary.id, summary);
  too_many_ = changed_.size() > kMostInABurst;
}

bool ListFeed::flush(SteadyPoint now) {
  const bool due = now - last_ >= Subscriber::kPause;
  if (due && (too_many_ || !changed_.empty())) {
    last_ = now;
    if (too_many_) {
      const JsonObject resync{{"type", "resync"}, {"seq", ++seq_}};
      const auto text = std::make_shared<const std::string>(to_text(resync));
      for (const auto& subscriber : subscribers_) subscriber->push(text);
    }
    for (const auto& [id, summary] : too_many_ ? decltype(changed_)() : changed_) {
      auto body = to_summary(summary);
      body.get_object()["type"] = "execution_update";
      body.get_object()["seq"] = ++seq_;
      const auto text = std::make_shared<const std::string>(to_text(body));
      for (const auto& subscriber : subscribers_) subscriber->push(text);
    }
    changed_.clear();
    too_many_ = false;
  }
  bool more = !changed_.empty() || too_many_;
  std::erase_if(subscribers_, [&](const auto& subscriber) {
    const auto flushed = subscriber->flush(now);
    more |= subscriber->is_dirty();
    return flushed == Subscriber::Flushed::gone;
  });
  return more;
}

}  // namespace fp::api
