#include "ports/rollup.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <rapidcheck.h>

namespace fp::ports {
namespace {

TEST(DurationHistogram, IsEmptyUntilSomethingIsAdded) {
  DurationHistogram histogram;
  EXPECT_EQ(histogram.count(), 0U);
  EXPECT_FALSE(histogram.percentile(0.5));
  histogram.add(Milliseconds(5), 0);
  EXPECT_FALSE(histogram.percentile(0.5));
}

TEST(DurationHistogram, BucketsGrowByTheFourthRootOfTwo) {
  EXPECT_EQ(histogram_limit(0), Milliseconds(1));
  EXPECT_EQ(histogram_limit(4), Milliseconds(2));
  EXPECT_EQ(histogram_limit(40), Milliseconds(1024));
  for (std::uint16_t bucket = 1; bucket < 160; ++bucket) {
    const auto ratio = std::exp2(bucket / 4.0) / std::exp2((bucket - 1) / 4.0);
    EXPECT_NEAR(ratio, std::exp2(0.25), 1e-9);
    EXPECT_GE(histogram_limit(bucket), histogram_limit(static_cast<std::uint16_t>(bucket - 1)));
  }
}

TEST(DurationHistogram, ADurationIsInTheFirstBucketThatHoldsIt) {
  DurationHistogram histogram;
  histogram.add(Milliseconds(1024));
  histogram.add(Milliseconds(1025), 3);
  histogram.add(Milliseconds(-7));
  EXPECT_EQ(histogram.buckets, (std::map<std::uint16_t, std::uint64_t>{{0, 1}, {40, 1}, {41, 3}}));
}

TEST(DurationHistogram, TheLongestDurationsShareTheLastBucket) {
  DurationHistogram histogram;
  histogram.add(Milliseconds::max());
  EXPECT_EQ(histogram.buckets, (std::map<std::uint16_t, std::uint64_t>{{200, 1}}));
}

std::vector<Milliseconds> any_durations() {
  std::vector<Milliseconds> durations;
  const auto count = *rc::gen::inRange<int>(1, 300);
  for (int i = 0; i < count; ++i) {
    const auto size = *rc::gen::inRange<int>(1, 41);
    durations.emplace_back(1 + *rc::gen::inRange<std::int64_t>(0, std::int64_t{1} << size));
  }
  return durations;
}

TEST(DurationHistogram, APercentileIsNeverTooLowAndAtMost19PercentTooHigh) {
  EXPECT_TRUE(rc::check([] {
    auto durations = any_durations();
    DurationHistogram histogram;
    for (const auto duration : durations) histogram.add(duration);
    RC_ASSERT(histogram.count() == durations.size());
    std::ranges::sort(durations);
    for (const double share : {0.0, 0.01, 0.5, 0.9, 0.95, 0.99, 1.0}) {
      const auto rank = std::max(1.0, std::ceil(share * static_cast<double>(durations.size())));
      const auto exact = durations[static_cast<std::size_t>(rank) - 1];
      const auto read = *histogram.percentile(share);
      RC_ASSERT(read >= exact);
      RC_ASSERT(static_cast<double>(read.count()) <= 1.19 * static_cast<double>(exact.count()));
    }
  }));
}

TEST(DurationHistogram, MergingIsAddingEverythingToOne) {
  EXPECT_TRUE(rc::check([] {
    DurationHistogram left;
    DurationHistogram right;
    DurationHistogram both;
    for (const auto duration : any_durations()) left.add(duration), both.add(duration);
    for (const auto duration : any_durations()) right.add(duration, 2), both.add(duration, 2);
    left.add(right);
    RC_ASSERT(left == both);
  }));
}

}  // namespace
}  // namespace fp::ports
