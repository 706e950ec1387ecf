#pragma once

#include "engine/engine.hpp"
#include "ports/store.hpp"

#include <memory>
#include <string>

namespace fp::api {

/// What goes over a WebSocket: the text is made once and shared by all who watch.
using FrameText = std::shared_ptr<const std::string>;
struct Frame {
  std::uint64_t seq = 0;  // of the execution's stream: events and log batches, numbered together without gaps
  FrameText text;
};

/// The frame of one event; `state` is the execution right after it.
Frame make_frame(std::uint64_t seq, const engine::ExecutionState& state, const engine::Event& event);
Frame make_log_frame(std::uint64_t seq, const ports::LogBatch& batch);
Frame make_snapshot(std::uint64_t seq, const engine::ExecutionState& state);

}  // namespace fp::api
