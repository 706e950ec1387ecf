#include "base/text.hpp"
#include "triggers/multipart.hpp"
#include "triggers/webhook_body.hpp"

#include <cstdlib>
#include <string>
#include <string_view>

/// The first line is the boundary, the rest the body. Parts lie in the body, one after the other; what
/// parse_multipart() takes is also taken as a webhook's body, unless a field is no text.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const auto line = all.find('\n');
  if (line == std::string_view::npos) return 0;
  const auto boundary = all.substr(0, line);
  const auto body = all.substr(line + 1);
  const fp::triggers::MultipartLimits limits;
  const auto parts = fp::triggers::parse_multipart(boundary, body, limits);
  const auto read =
      fp::triggers::read_body("multipart/form-data; boundary=\"" + std::string(boundary) + "\"", body);
  if (!parts) return 0;
  const char* last = body.data();
  for (const auto& part : *parts) {
    const auto* begin = part.content.data();
    const bool lies_within = begin >= last && begin + part.content.size() <= body.data() + body.size();
    const bool is_named = part.name.size() <= limits.name_bytes && fp::is_utf8(part.name);
    const bool is_split =
        part.content.find("\r\n--" + std::string(boundary) + "--\r\n") != std::string_view::npos;
    if (!lies_within || !is_named || is_split) std::abort();
    last = begin + part.content.size();
  }
  if (parts->size() > limits.parts) std::abort();
  if (!read && read.error().code != "webhook.body" && read.error().code != "webhook.media") std::abort();
  return 0;
}
