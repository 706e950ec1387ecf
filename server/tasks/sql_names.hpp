#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fp::tasks {

/// A PostgreSQL statement with its :names as $1, $2, ...; text, identifiers, comments, dollar quotes and ::
/// casts stay.
struct NumberedSql {
  std::string text;
  std::vector<std::string> names;  // names[0] is $1; each name once
};
NumberedSql number_names(std::string_view sql);
/// The first word of a statement in lower case, after blanks, comments and opening brackets.
std::string first_word(std::string_view sql);

}  // namespace fp::tasks
