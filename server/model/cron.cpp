#include "model/cron.hpp"

#include "base/error_code.hpp"
#include "model/suggest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <vector>

namespace fp::model {

namespace {

struct Field {
  std::string_view name;
  int least;
  int most;
  std::vector<std::string_view> names;  // of the values from `least` on
};

const std::array<Field, 6>& fields() {
  static const std::array<Field, 6> list = {
      Field{"second", 0, 59, {}},
      Field{"minute", 0, 59, {}},
      Field{"hour", 0, 23, {}},
      Field{"day of month", 1, 31, {}},
      Field{"month",
            1,
            12,
            {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}},
      Field{"day of week", 0, 7, {"sun", "mon", "tue", "wed", "thu", "fri", "sat"}},
  };
  return list;
}

Error field_error(const Field& field, std::string_view text, const std::string& reason) {
  return Error(codes::cron_syntax, fmt::format("the {} field {} {}", field.name, quote(text), reason));
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> out;
  while (true) {
    const auto at = text.find(separator);
    out.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return out;
    text.remove_prefix(at + 1);
  }
}

std::optional<int> parse_number(std::string_view text) {
  int value = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || text[0] == '-' || ec != std::errc() || end != text.data() + text.size())
    return std::nullopt;
  return value;
}

std::optional<int> parse_value(const Field& field, std::string_view text) {
  if (const auto number = parse_number(text))
    return *number >= field.least && *number <= field.most ? number : std::nullopt;
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto found = std::find(field.names.begin(), field.names.end(), lower);
  if (found == field.names.end()) return std::nullopt;
  return field.least + static_cast<int>(found - field.names.begin());
}

/// One item of a field's list: `*`, `5`, `1-5`, each with an optional `/step`.
Result<void> add_item(const Field& field, std::string_view item, std::bitset<64>& out) {
  const auto slash = item.find('/');
  const auto range = item.substr(0, slash);
  int step = 1;
  if (slash != std::string_view::npos) {
    const auto parsed = parse_number(item.substr(slash + 1));
    if (!parsed || *parsed < 1) return field_error(field, item, "has no step of 1 or more after the slash");
    step = *parsed;
  }
  int first = field.least;
  int last = field.most;
  if (range != "*") {
    const auto dash = range.find('-', 1);
    const auto from = parse_value(field, range.substr(0, dash));
    const auto to = dash == std::string_view::npos ? from : parse_value(field, range.substr(dash + 1));
    if (!from || !to)
      return field_error(field, item, fmt::format("must hold values from {} to {}", field.least, field.most));
    if (*from > *to) return field_error(field, item, "has a range that ends before it starts");
    first = *from;
    last = dash == std::string_view::npos && slash != std::string_view::npos ? field.most : *to;
  }
  for (int value = first; value <= last; value += step) out.set(static_cast<std::size_t>(value));
  return {};
}

Result<std::bitset<64>> parse_field(const Field& field, std::string_view text) {
  std::bitset<64> out;
  if (text.find_first_of("LW#?") != std::string_view::npos && parse_value(field, text) == std::nullopt) {
    const auto at = text.find_first_of("#?");
    const bool quartz =
        at != std::string_view::npos || text == "L" || text.ends_with('W') || text.ends_with('L');
    if (quartz)
      return Error(codes::cron_unsupported,
                   fmt::format("the {} field {} uses L, W, # or ?, which this cron does not know", field.name,
                               quote(text)));
  }
  for (const auto item : split(text, ',')) {
    if (const auto added = add_item(field, item, out); !added) return added.error();
  }
  return out;
}

std::string_view expand_nickname(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kNames = {{
      {"@yearly", "0 0 1 1 *"},
      {"@annually", "0 0 1 1 *"},
      {"@monthly", "0 0 1 * *"},
      {"@weekly", "0 0 * * 0"},
      {"@daily", "0 0 * * *"},
      {"@midnight", "0 0 * * *"},
      {"@hourly", "0 * * * *"},
  }};
  const auto found =
      std::find_if(kNames.begin(), kNames.end(), [&](const auto& entry) { return entry.first == text; });
  return found == kNames.end() ? text : found->second;
}

/// Only the day of the month can make an expression impossible, and only when the weekday does not offer
/// another way.
bool ever_fires(const Cron& cron) {
  if (!cron.any_weekday && !cron.any_day) return true;
  static constexpr std::array<int, 13> kLongest = {0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  for (std::size_t month = 1; month <= 12; ++month) {
    if (!cron.months[month]) continue;
    for (int day = 1; day <= kLongest[month]; ++day) {
      if (cron.days[static_cast<std::size_t>(day)]) return true;
    }
  }
  return false;
}

template <std::size_t N>
std::bitset<N> narrow(const std::bitset<64>& wide) {
  std::bitset<N> out;
  for (std::size_t i = 0; i < N; ++i) out[i] = wide[i];
  return out;
}

}  // namespace

Result<Cron> parse_cron(std::string_view text) {
  if (text.size() > 256) return Error(codes::cron_syntax, "a cron expression has at most 256 characters");
  std::vector<std::string_view> words;
  for (const auto word : split(expand_nickname(text), ' ')) {
    if (!word.empty()) words.push_back(word);
  }
  if (words.size() != 5 && words.size() != 6) {
    return Error(
        codes::cron_syntax,
        fmt::format(
            "a cron expression has 5 fields (minute, hour, day of month, month, day of week) or 6 with "
            "seconds first; {} has {}",
            quote(text), words.size()));
  }
  if (words.size() == 5) words.insert(words.begin(), "0");
  std::array<std::bitset<64>, 6> sets;
  for (std::size_t i = 0; i < 6; ++i) {
    auto parsed = parse_field(fields()[i], words[i]);
    if (!parsed) return parsed.error();
    sets[i] = *parsed;
  }
  Cron cron{narrow<60>(sets[0]), narrow<60>(sets[1]), narrow<24>(sets[2]),
            narrow<32>(sets[3]), narrow<13>(sets[4]), narrow<7>(sets[5])};
  if (sets[5][7]) cron.weekdays.set(0);  // 7 is Sunday too
  cron.any_day = words[3].starts_with('*');
  cron.any_weekday = words[5].starts_with('*');
  if (!ever_fires(cron))
    return Error(codes::cron_never_fires, fmt::format("{} names a day that no month has", quote(text)));
  return cron;
}

}  // namespace fp::model
