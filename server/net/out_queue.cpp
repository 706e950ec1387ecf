#include "net/out_queue.hpp"

#include <utility>

namespace fp::net {

namespace {

constexpr std::size_t kJoinedBytes = 4 * 1024;   // cheaper to copy than to refer to
constexpr std::size_t kLongestText = 64 * 1024;  // then the next begins
constexpr std::size_t kKeptCapacity = 8 * 1024;  // by an idle connection

}  // namespace

std::string& OutQueue::tail() {
  if (pieces_.empty() || pieces_.back().is_referred() || pieces_.back().text.size() >= kLongestText)
    pieces_.emplace_back();
  return pieces_.back().text;
}

void OutQueue::append(std::string_view text) {
  tail() += text;
  bytes_ += text.size();
}

void OutQueue::append_owned(std::string text) {
  if (text.size() <= kJoinedBytes) return append(std::string_view(text));
  bytes_ += text.size();
  pieces_.emplace_back().text = std::move(text);
}

void OutQueue::append_shared(const std::shared_ptr<const std::string>& text) {
  if (text->size() <= kJoinedBytes) return append(std::string_view(*text));
  bytes_ += text->size();
  pieces_.emplace_back().shared = text;
}

void OutQueue::append_static(std::string_view text) {
  if (text.size() <= kJoinedBytes) return append(text);
  bytes_ += text.size();
  pieces_.emplace_back().lasting = text;
}

OutQueue::Buffers OutQueue::buffers() const {
  Buffers buffers;
  auto offset = offset_;
  for (const auto& piece : pieces_) {
    if (buffers.count == kMostBuffers) break;
    const auto view = piece.view().substr(offset);
    offset = 0;
    if (!view.empty()) buffers.items[buffers.count++] = {view.data(), view.size()};
  }
  return buffers;
}

void OutQueue::consume(std::size_t count) {
  bytes_ -= count;
  if (bytes_ == 0) return clear();
  while (count > 0) {
    const auto left = pieces_.front().view().size() - offset_;
    if (count < left) {
      offset_ += count;
      return;
    }
    count -= left;
    offset_ = 0;
    pieces_.pop_front();
  }
}

void OutQueue::clear() {
  // The first text's memory is used again: a kept-alive connection then allocates nothing for its replies.
  while (pieces_.size() > 1) pieces_.pop_back();
  if (!pieces_.empty() && (pieces_.front().is_referred() || pieces_.front().text.capacity() > kKeptCapacity))
    pieces_.clear();
  if (!pieces_.empty()) pieces_.front().text.clear();
  offset_ = 0;
  bytes_ = 0;
}

}  // namespace fp::net
