#pragma once

#include "api/live/subscriber.hpp"
#include "runtime/journal.hpp"

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace fp::api {

/// What was recorded of one execution, on its way to those who watch it.
struct LiveUpdate {
  std::vector<engine::Event> events;
  std::uint64_t first_seq = 0;  // of the events in the journal
  TimePoint at{};
  ports::LogBatch batch;  // number 0 = none
};

/// The stream of one watched execution: a state of its own, folded from the journal and carried on event by
/// event, so that a frame never shows what is not on disk and a client that resumes gets the frames it would
/// have got. Lives on the hub's loop.
class ExecutionFeed {
 public:
  static constexpr std::size_t kKeptFrames = 1000;  // for those who come back soon

  /// The state loaded from disk, with all its frames from `history_from` on when somebody asked for them.
  void begin(runtime::LoadedState loaded, std::vector<Frame> history);
  bool has_begun() const { return state_.has_value(); }
  /// Before begin() it is kept; what the loaded state holds already is dropped.
  void take(LiveUpdate update);
  /// Somebody new. With `after` the frames behind that number when they are at hand, otherwise a snapshot.
  void join(std::shared_ptr<Subscriber> subscriber, std::optional<std::uint64_t> after);
  /// Are all frames behind `after` at hand?
  bool covers(std::uint64_t after) const;
  void leave(const void* key);
  bool is_empty() const { return subscribers_.empty() && waiting_.empty(); }
  /// Sends what is due; true while something is left to send.
  bool flush(SteadyPoint now);
  void close_all(std::uint16_t code, const std::string& reason);

  struct Waiting {
    std::shared_ptr<Subscriber> subscriber;
    std::optional<std::uint64_t> after;
  };
  /// Those who wait for the load, and the lowest number they want frames behind.
  std::vector<Waiting>& waiting() { return waiting_; }
  bool loading = false;

 private:
  void apply(const LiveUpdate& update);
  void keep(Frame frame);

  std::optional<engine::ExecutionState> state_;
  std::uint64_t seq_ = 0;  // of the newest frame
  std::uint64_t log_batches_ = 0;
  std::deque<Frame> frames_;  // the newest ones, without gaps
  std::vector<LiveUpdate> early_;
  std::vector<std::shared_ptr<Subscriber>> subscribers_;
  std::vector<Waiting> waiting_;
};

/// Every frame of an execution behind `after` (at most `most`; none when there are more), from its whole
/// journal and log, and the state at its end. Blocks. nullopt when there is no such execution.
struct FoldedFeed {
  runtime::LoadedState loaded;
  std::vector<Frame> frames;
};
std::optional<FoldedFeed> fold_feed(runtime::Journal& journal, ports::Store& store, const ExecutionId& id,
                                    std::uint64_t after, std::size_t most);

}  // namespace fp::api
