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

namespace chrono = std::chrono;
using Date = chrono::year_month_day;

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
    const bool wraps = *from > *to;
    if (wraps && field.name != "day of week")
      return field_error(field, item, "has a range that ends before it starts");
    first = *from;
    if (wraps) {
      constexpr int kWeek = 7;
      for (int value = first; value <= *to + kWeek; value += step)
        out.set(static_cast<std::size_t>(value % kWeek));
      return {};
    }
    last = dash == std::string_view::npos && slash != std::string_view::npos ? field.most : *to;
  }
  for (int value = first; value <= last; value += step) out.set(static_cast<std::size_t>(value));
  return {};
}

/// What only days have: L, L-3, LW, 15W. False when the item is none of these.
bool add_special_day(const Field& field, std::string_view item, Cron& cron) {
  if (item == "L") return cron.days_from_end.set(0), true;
  if (item == "LW") return cron.last_working_day = true, true;
  if (item.starts_with("L-")) {
    const auto back = parse_number(item.substr(2));
    if (!back || *back < 1 || *back > 30) return false;
    return cron.days_from_end.set(static_cast<std::size_t>(*back)), true;
  }
  if (!item.ends_with('W')) return false;
  const auto day = parse_value(field, item.substr(0, item.size() - 1));
  if (!day) return false;
  return cron.near_days.set(static_cast<std::size_t>(*day)), true;
}

/// What only weekdays have: 5L, 5#2.
bool add_special_weekday(const Field& field, std::string_view item, Cron& cron) {
  constexpr int kWeek = 7;
  const auto sharp = item.find('#');
  const bool is_last = sharp == std::string_view::npos && item.size() > 1 && item.ends_with('L');
  if (!is_last && sharp == std::string_view::npos) return false;
  const auto weekday = parse_value(field, is_last ? item.substr(0, item.size() - 1) : item.substr(0, sharp));
  const auto nth = is_last ? std::optional<int>(0) : parse_number(item.substr(sharp + 1));
  if (!weekday || !nth || *nth > 5 || (*nth == 0 && !is_last)) return false;
  return cron.nth_weekdays[static_cast<std::size_t>(*nth)].set(static_cast<std::size_t>(*weekday % kWeek)),
         true;
}

Result<std::bitset<64>> parse_field(const Field& field, std::string_view text, Cron& cron) {
  std::bitset<64> out;
  const bool is_day = field.name == "day of month";
  const bool is_weekday = field.name == "day of week";
  if (text == "?" && (is_day || is_weekday)) text = "*";
  for (const auto item : split(text, ',')) {
    if (is_day && add_special_day(field, item, cron)) continue;
    if (is_weekday && add_special_weekday(field, item, cron)) continue;
    const auto added = add_item(field, item, out);
    if (added) continue;
    const bool is_quartz = item.find_first_of("LW#?") != std::string_view::npos && !parse_value(field, item);
    const bool has_digits_only = item.find_first_not_of("LW#?-0123456789") == std::string_view::npos;
    if (is_quartz && has_digits_only)
      return Error(codes::cron_unsupported,
                   fmt::format("the {} field {} uses L, W, # or ? in a way that means nothing there",
                               field.name, quote(text)));
    return added.error();
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

/// The calendar repeats itself after 400 years.
bool ever_fires(const Cron& cron) {
  constexpr int kFirst = 2000;
  constexpr int kCycle = 400;
  for (int year = kFirst; year < kFirst + kCycle; ++year) {
    for (unsigned month = 1; month <= 12; ++month) {
      if (!cron.months[month]) continue;
      const auto last = Date(chrono::year(year) / chrono::month(month) / chrono::last).day();
      for (unsigned day = 1; day <= static_cast<unsigned>(last); ++day) {
        if (cron.fits(chrono::year(year) / chrono::month(month) / chrono::day(day))) return true;
      }
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

/// The working day nearest to `wanted` that is in the same month.
Date nearest_working_day(Date wanted, chrono::day last) {
  const chrono::weekday weekday(chrono::sys_days{wanted});
  int shift = 0;
  if (weekday == chrono::Saturday) shift = wanted.day() == chrono::day(1) ? 2 : -1;
  if (weekday == chrono::Sunday) shift = wanted.day() == last ? -2 : 1;
  return chrono::sys_days(wanted) + chrono::days(shift);
}

bool fits_day(const Cron& cron, Date date, chrono::day last) {
  const auto day = static_cast<unsigned>(date.day());
  const auto from_end = static_cast<unsigned>(last) - day;
  if (cron.days[day] || cron.days_from_end[from_end]) return true;
  const auto is_near = [&](chrono::day wanted) {
    return nearest_working_day(date.year() / date.month() / wanted, last) == date;
  };
  if (cron.last_working_day && is_near(last)) return true;
  if (cron.near_days.none()) return false;
  for (unsigned wanted = 1; wanted <= static_cast<unsigned>(last); ++wanted) {
    if (cron.near_days[wanted] && is_near(chrono::day(wanted))) return true;
  }
  return false;
}

bool fits_weekday(const Cron& cron, Date date, chrono::day last) {
  constexpr unsigned kWeek = 7;
  const auto weekday = chrono::weekday(chrono::sys_days{date}).c_encoding();
  const auto day = static_cast<unsigned>(date.day());
  return cron.weekdays[weekday] || cron.nth_weekdays[(day - 1) / kWeek + 1][weekday] ||
         (day + kWeek > static_cast<unsigned>(last) && cron.nth_weekdays[0][weekday]);
}

}  // namespace

bool Cron::fits(std::chrono::year_month_day date) const {
  if (!months[static_cast<unsigned>(date.month())]) return false;
  const auto last = Date(date.year() / date.month() / chrono::last).day();
  const bool by_day = fits_day(*this, date, last);
  const bool by_weekday = fits_weekday(*this, date, last);
  return any_day || any_weekday ? by_day && by_weekday : by_day || by_weekday;
}

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
  Cron cron;
  std::array<std::bitset<64>, 6> sets;
  for (std::size_t i = 0; i < 6; ++i) {
    auto parsed = parse_field(fields()[i], words[i], cron);
    if (!parsed) return parsed.error();
    sets[i] = *parsed;
  }
  cron.seconds = narrow<60>(sets[0]);
  cron.minutes = narrow<60>(sets[1]);
  cron.hours = narrow<24>(sets[2]);
  cron.days = narrow<32>(sets[3]);
  cron.months = narrow<13>(sets[4]);
  cron.weekdays = narrow<7>(sets[5]);
  if (sets[5][7]) cron.weekdays.set(0);  // 7 is Sunday too
  cron.any_day = words[3].starts_with('*') || words[3] == "?";
  cron.any_weekday = words[5].starts_with('*') || words[5] == "?";
  if (!ever_fires(cron))
    return Error(codes::cron_never_fires, fmt::format("{} names a day that no month has", quote(text)));
  return cron;
}

}  // namespace fp::model
