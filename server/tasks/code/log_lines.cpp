#include "tasks/code/log_lines.hpp"

#include "base/text.hpp"

#include <algorithm>

namespace fp::tasks {

namespace {

constexpr std::size_t kMostLineBytes = 16u << 10;
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

bool may_stand(std::string_view character) {
  const auto first = static_cast<unsigned char>(character.front());
  return first >= 0x20 ? first != 0x7F : first == '\t' || first == 0x1B || first == '\n';
}

}  // namespace

std::string to_log_text(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  while (!bytes.empty()) {
    const auto length = utf8_length(bytes);
    const auto character = bytes.substr(0, std::max<std::size_t>(length, 1));
    out += length > 0 && may_stand(character) ? character : kReplacement;
    bytes.remove_prefix(character.size());
  }
  return out;
}

void LogLines::add(std::string_view bytes, ports::AttemptControl& control) {
  while (!bytes.empty()) {
    const auto end = bytes.find('\n');
    const auto part = bytes.substr(0, std::min(end, kMostLineBytes - rest_.size()));
    rest_ += part;
    bytes.remove_prefix(part.size());
    if (!bytes.empty() && bytes.front() == '\n') {
      bytes.remove_prefix(1);
    } else if (rest_.size() < kMostLineBytes) {
      return;
    }
    finish(control);
  }
}

void LogLines::finish(ports::AttemptControl& control) {
  if (rest_.empty()) return;
  if (rest_.back() == '\r') rest_.pop_back();
  control.log(clock_.now(), level_, to_log_text(rest_));
  rest_.clear();
}

}  // namespace fp::tasks
