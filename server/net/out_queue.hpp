#pragma once

#include <boost/asio/buffer.hpp>

#include <array>
#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

namespace fp::net {

/// What a connection has to send, in order: small texts joined, large ones by reference, so that one system
/// call takes as much as the kernel will. Lives with its connection.
class OutQueue {
 public:
  static constexpr std::size_t kMostBuffers = 32;
  struct Buffers {
    std::array<boost::asio::const_buffer, kMostBuffers> items;
    std::size_t count = 0;
    const boost::asio::const_buffer* begin() const { return items.data(); }
    const boost::asio::const_buffer* end() const { return items.data() + count; }
  };

  bool empty() const { return bytes_ == 0; }
  std::size_t bytes() const { return bytes_; }
  void append(std::string_view text);
  void append_owned(std::string text);
  void append_shared(const std::shared_ptr<const std::string>& text);
  /// `text` outlives every connection.
  void append_static(std::string_view text);
  /// Lets `write` add to the text at the end.
  template <class Write>
  void append_with(Write write) {
    std::string& text = tail();
    const auto before = text.size();
    write(text);
    bytes_ += text.size() - before;
  }

  /// The first of what is queued; valid until the next change.
  Buffers buffers() const;
  /// Drops `count` bytes from the front.
  void consume(std::size_t count);
  void clear();

 private:
  struct Piece {
    std::string text;
    std::shared_ptr<const std::string> shared;  // instead of text
    std::string_view lasting;                   // instead of both
    bool is_referred() const { return shared != nullptr || lasting.data() != nullptr; }
    std::string_view view() const {
      if (lasting.data() != nullptr) return lasting;
      return shared ? std::string_view(*shared) : std::string_view(text);
    }
  };
  std::string& tail();

  std::deque<Piece> pieces_;
  std::size_t offset_ = 0;  // into the first piece
  std::size_t bytes_ = 0;
};

}  // namespace fp::net
