#include "tasks/sql_names.hpp"

#include "tasks/text_codec.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fp::tasks {

namespace {

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         (static_cast<unsigned char>(c) & 0x80) != 0;
}
bool is_word(char c) {
  return is_letter(c) || (c >= '0' && c <= '9');
}

std::size_t word_length(std::string_view text) {
  return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_word) - text.begin());
}

/// Length of the quoted run that starts here; a doubled quote stays inside, and so does an escaped one in
/// E'...'.
std::size_t quoted_length(std::string_view text, bool with_escapes) {
  const char quote = text.front();
  std::size_t i = 1;
  for (; i < text.size(); ++i) {
    if (with_escapes && text[i] == '\\')
      ++i;
    else if (text[i] == quote && i + 1 < text.size() && text[i + 1] == quote)
      ++i;
    else if (text[i] == quote)
      return i + 1;
  }
  return std::min(i, text.size());
}

std::size_t comment_length(std::string_view text) {
  if (text.starts_with("--")) return std::min(text.find('\n'), text.size());
  std::size_t depth = 0;
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    if (text.substr(i, 2) == "/*")
      ++depth;
    else if (text.substr(i, 2) == "*/")
      --depth;
    else
      continue;
    ++i;
    if (depth == 0) return i + 1;
  }
  return text.size();
}

/// $$...$$ or $tag$...$tag$; 0 when this dollar starts none ($1).
std::size_t dollar_length(std::string_view text) {
  const auto word = text.size() > 1 && is_letter(text[1]) ? word_length(text.substr(1)) : 0;
  if (text.size() <= word + 1 || text[word + 1] != '$') return 0;
  const auto tag = text.substr(0, word + 2);
  const auto end = text.find(tag, tag.size());
  return end == std::string_view::npos ? text.size() : end + tag.size();
}

/// Length of what must be copied as it is from here; 0 for an ordinary character.
std::size_t opaque_length(std::string_view rest, char before) {
  const char c = rest.front();
  if (c == '\'') return quoted_length(rest, before == 'e' || before == 'E');
  if (c == '"') return quoted_length(rest, false);
  if (rest.starts_with("--") || rest.starts_with("/*")) return comment_length(rest);
  if (c == '$' && !is_word(before)) return dollar_length(rest);
  if (rest.starts_with("::")) return 2;
  return 0;
}

}  // namespace

NumberedSql number_names(std::string_view sql) {
  NumberedSql out;
  char before = ' ';
  for (std::size_t i = 0; i < sql.size();) {
    const auto rest = sql.substr(i);
    std::size_t length = std::max<std::size_t>(1, opaque_length(rest, before));
    if (rest.front() == ':' && length == 1 && rest.size() > 1 && is_letter(rest[1])) {
      const std::string name(rest.substr(1, word_length(rest.substr(1))));
      auto found = std::find(out.names.begin(), out.names.end(), name);
      if (found == out.names.end()) found = out.names.insert(found, name);
      out.text += fmt::format("${}", found - out.names.begin() + 1);
      length = name.size() + 1;
    } else {
      out.text += rest.substr(0, length);
    }
    before = sql[i + length - 1];
    i += length;
  }
  return out;
}

std::string first_word(std::string_view sql) {
  while (!sql.empty()) {
    const char c = sql.front();
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '(')
      sql.remove_prefix(1);
    else if (sql.starts_with("--") || sql.starts_with("/*"))
      sql.remove_prefix(comment_length(sql));
    else
      break;
  }
  return to_lower(sql.substr(0, word_length(sql)));
}

}  // namespace fp::tasks
