#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>

namespace fp::triggers {

/// What a request's body says, by its Content-Type: JSON (application/json, +json) as it is, a form
/// (application/x-www-form-urlencoded) as an object of texts (a name that repeats: of lists),
/// multipart/form-data the same with files as {filename, content_type, size, sha256, base64}, text/* as text,
/// nothing as null, other bytes as {base64, content_type}. Charsets are UTF-8. Errors: webhook.body (it is
/// not what it says), webhook.media (415: another multipart type or charset), webhook.too_large (413: more
/// than 1,000 fields).
Result<Json> read_body(std::string_view content_type, std::string_view body);

std::string to_base64(std::string_view bytes);

}  // namespace fp::triggers
