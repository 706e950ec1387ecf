#pragma once

#include "base/result.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace fp::triggers {

/// One part of a multipart/form-data body: a field, or a file when it has a filename.
struct FormPart {
  std::string name;
  bool is_file = false;
  std::string filename;      // as the sender wrote it: a label, never a path of this machine
  std::string content_type;  // "" when the part says none
  std::string_view content;  // of the body
};

struct MultipartLimits {
  std::size_t parts = 1'000;
  std::size_t header_bytes = 8u << 10;  // of one part
  std::size_t name_bytes = 256;         // of a field; a filename may have four times as many
};

/// Takes a body apart by RFC 7578 and RFC 2046 section 5.1: what stands before the first delimiter and after
/// the closing one is left out, what is not closed is refused, and so is a part that does not say which field
/// it is. Nothing is copied but names. Errors: webhook.body, webhook.media (a transfer encoding),
/// webhook.too_large (more than the limits).
Result<std::vector<FormPart>> parse_multipart(std::string_view boundary, std::string_view body,
                                              const MultipartLimits& limits = {});

}  // namespace fp::triggers
