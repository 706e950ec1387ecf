#include "ports/rollup.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace fp::ports {

namespace {

constexpr std::size_t kBuckets = 201;  // the last one ends after 35,000 years

const std::array<std::int64_t, kBuckets>& limits() {
  static const auto kLimits = [] {
    std::array<std::int64_t, kBuckets> values{};
    for (std::size_t i = 0; i < kBuckets; ++i)
      values[i] = static_cast<std::int64_t>(std::exp2(static_cast<double>(i) / 4));
    return values;
  }();
  return kLimits;
}

}  // namespace

Milliseconds histogram_limit(std::uint16_t bucket) {
  return Milliseconds(limits()[std::min<std::size_t>(bucket, kBuckets - 1)]);
}

void DurationHistogram::add(Milliseconds duration, std::uint64_t times) {
  if (times == 0) return;
  const auto& ends = limits();
  const auto at = std::lower_bound(ends.begin(), ends.end() - 1, duration.count());
  buckets[static_cast<std::uint16_t>(at - ends.begin())] += times;
}

void DurationHistogram::add(const DurationHistogram& other) {
  for (const auto& [bucket, times] : other.buckets) buckets[bucket] += times;
}

std::uint64_t DurationHistogram::count() const {
  std::uint64_t sum = 0;
  for (const auto& [bucket, times] : buckets) sum += times;
  return sum;
}

std::optional<Milliseconds> DurationHistogram::percentile(double share) const {
  if (buckets.empty()) return std::nullopt;
  const auto rank = std::max(1.0, std::ceil(share * static_cast<double>(count())));
  double seen = 0;
  for (const auto& [bucket, times] : buckets) {
    seen += static_cast<double>(times);
    if (seen >= rank) return histogram_limit(bucket);
  }
  return histogram_limit(buckets.rbegin()->first);
}

}  // namespace fp::ports
