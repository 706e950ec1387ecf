#include "model/suggest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

namespace fp::model {

namespace {

/// Levenshtein's distance, two rows at a time.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, change});
    }
  }
  return row.back();
}

}  // namespace

std::string suggest(std::string_view name, std::span<const std::string_view> candidates) {
  if (name.size() > 64) return {};
  std::string_view best;
  std::size_t best_distance = std::min<std::size_t>(3, name.size() / 2 + 1);
  for (const auto candidate : candidates) {
    if (candidate.size() > 64) continue;
    const auto distance = edit_distance(name, candidate);
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best.empty() ? std::string() : fmt::format(" (did you mean \"{}\"?)", best);
}

std::string suggest(std::string_view name, const std::vector<std::string>& candidates) {
  const std::vector<std::string_view> views(candidates.begin(), candidates.end());
  return suggest(name, std::span(views));
}

std::string quote(std::string_view text) {
  std::string out = "\"";
  for (const char c : text.substr(0, 64)) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
  // A cut inside a multi-byte character would make the sentence invalid UTF-8.
  while (text.size() > 64 && (static_cast<unsigned char>(out.back()) & 0x80) != 0) out.pop_back();
  return out + (text.size() > 64 ? "...\"" : "\"");
}

}  // namespace fp::model
