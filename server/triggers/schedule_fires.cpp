// Prints when schedules fire, for tests/e2e/test_schedule_oracle.py: each line of standard input is {config,
// from, to}, each line of the answer the ticks in [from, to) in seconds since 1970.
#include "base/json_parse.hpp"
#include "triggers/schedule.hpp"

#include <iostream>
#include <string>

int main() {
  using namespace fp;
  std::ios::sync_with_stdio(false);
  for (std::string line; std::getline(std::cin, line);) {
    const auto order = parse_trusted_json(line);
    const auto schedule = triggers::read_schedule(order.at("config"));
    if (!schedule) {
      std::cout << schedule.error().code << '\n';
      continue;
    }
    const TimePoint to(std::chrono::seconds(order.at("to").to_number<std::int64_t>()));
    const TimePoint from(std::chrono::seconds(order.at("from").to_number<std::int64_t>()));
    auto tick = triggers::find_next(*schedule, from - Milliseconds(1));
    for (; tick && tick->at < to; tick = triggers::find_next(*schedule, tick->at))
      std::cout << std::chrono::duration_cast<std::chrono::seconds>(tick->at.time_since_epoch()).count()
                << ' ';
    std::cout << std::endl;
  }
}
