#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fp::model {

/// " (did you mean \"x\"?)" for the candidate nearest to `name` by edit distance, when one is near; else "".
std::string suggest(std::string_view name, std::span<const std::string_view> candidates);
std::string suggest(std::string_view name, const std::vector<std::string>& candidates);
/// Text of people's in an error sentence: quoted, at most 64 bytes, control characters replaced.
std::string quote(std::string_view text);

}  // namespace fp::model
