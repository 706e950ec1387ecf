#include "api/live/execution_feed.hpp"

#include <algorithm>

namespace fp::api {

void ExecutionFeed::begin(runtime::LoadedState loaded, std::vector<Frame> history) {
  if (!state_) {
    state_ = std::move(loaded.state);
    log_batches_ = loaded.position.log_batches;
    seq_ = state_->last_seq + log_batches_;
    for (auto& frame : history) keep(std::move(frame));
    for (const auto& update : std::exchange(early_, {})) apply(update);
  } else if (!history.empty() && !frames_.empty() && history.back().seq + 1 >= frames_.front().seq) {
    // What was loaded lies before what is at hand.
    const auto first = frames_.front().seq;
    while (!history.empty() && history.back().seq >= first) history.pop_back();
    frames_.insert(frames_.begin(), std::make_move_iterator(history.begin()),
                   std::make_move_iterator(history.end()));
  } else if (frames_.empty()) {
    while (!history.empty() && history.back().seq > seq_) history.pop_back();
    for (auto& frame : history) frames_.push_back(std::move(frame));
  }
  for (auto& waiting : std::exchange(waiting_, {})) join(std::move(waiting.subscriber), waiting.after);
  while (frames_.size() > kKeptFrames) frames_.pop_front();
}

void ExecutionFeed::take(LiveUpdate update) {
  if (state_)
    apply(update);
  else
    early_.push_back(std::move(update));
}

/// One commit: its log batch comes before its events.
void ExecutionFeed::apply(const LiveUpdate& update) {
  const auto send = [this](Frame frame) {
    for (const auto& subscriber : subscribers_) subscriber->push(frame.text);
    keep(std::move(frame));
    while (frames_.size() > kKeptFrames) frames_.pop_front();
  };
  if (update.batch.number > log_batches_) {
    log_batches_ = update.batch.number;
    send(make_log_frame(++seq_, update.batch));
  }
  for (std::size_t i = 0; i < update.events.size(); ++i) {
    if (update.first_seq + i <= state_->last_seq) continue;
    engine::apply(*state_, update.events[i], update.at);
    send(make_frame(++seq_, *state_, update.events[i]));
  }
  state_->touched.clear();
}

void ExecutionFeed::keep(Frame frame) {
  frames_.push_back(std::move(frame));
}

bool ExecutionFeed::covers(std::uint64_t after) const {
  return after == seq_ || (after < seq_ && !frames_.empty() && frames_.front().seq <= after + 1);
}

void ExecutionFeed::join(std::shared_ptr<Subscriber> subscriber, std::optional<std::uint64_t> after) {
  if (after && covers(*after)) {
    for (const auto& frame : frames_) {
      if (frame.seq > *after) subscriber->push(frame.text);
    }
  } else {
    subscriber->push(make_snapshot(seq_, *state_).text);
  }
  subscribers_.push_back(std::move(subscriber));
}

void ExecutionFeed::leave(const void* key) {
  std::erase_if(subscribers_, [key](const auto& subscriber) { return subscriber->key() == key; });
  std::erase_if(waiting_, [key](const auto& waiting) { return waiting.subscriber->key() == key; });
}

bool ExecutionFeed::flush(SteadyPoint now) {
  bool more = false;
  std::erase_if(subscribers_, [&](const auto& subscriber) {
    const auto flushed = subscriber->flush(now);
    if (flushed == Subscriber::Flushed::slow) subscriber->push(make_snapshot(seq_, *state_).text);
    more |= subscriber->is_dirty();
    return flushed == Subscriber::Flushed::gone;
  });
  return more;
}

void ExecutionFeed::close_all(std::uint16_t code, const std::string& reason) {
  for (const auto& subscriber : subscribers_) subscriber->close(code, reason);
  for (const auto& waiting : waiting_) waiting.subscriber->close(code, reason);
  subscribers_.clear();
  waiting_.clear();
}

std::optional<FoldedFeed> fold_feed(runtime::Journal& journal, ports::Store& store, const ExecutionId& id,
                                    std::uint64_t after, std::size_t most) {
  const auto history = journal.history(id);
  if (!history) return std::nullopt;
  const auto total = history->events.size() + history->log_batches;
  const bool wanted = total > after && total - after <= most;
  const auto batches =
      wanted ? store.list_log_batches(id, 0, history->log_batches) : std::vector<ports::LogBatch>();
  FoldedFeed out;
  auto& state = out.loaded.state;
  state = engine::make_state(id, history->workflow);
  std::uint64_t seq = 0;
  std::size_t next_batch = 0;
  const auto add_batches = [&](std::uint64_t up_to) {
    for (; next_batch < batches.size() && batches[next_batch].after_seq <= up_to; ++next_batch) {
      if (++seq > after) out.frames.push_back(make_log_frame(seq, batches[next_batch]));
    }
  };
  for (const auto& recorded : history->events) {
    add_batches(recorded.seq - 1);
    engine::apply(state, recorded.event, recorded.at);
    ++seq;
    if (wanted && seq > after) out.frames.push_back(make_frame(seq, state, recorded.event));
  }
  add_batches(~std::uint64_t{0});
  state.touched.clear();
  out.loaded.position.log_batches = history->log_batches;
  return out;
}

}  // namespace fp::api
