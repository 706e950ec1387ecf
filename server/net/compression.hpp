#pragma once

#include "net/message.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace fp::net {

/// Does an Accept-Encoding header take gzip? (RFC 9110 section 12.5.3, with q-values)
bool takes_gzip(std::string_view accept_encoding);
/// Text that gzip makes smaller: text/*, JSON, JavaScript, SVG, XML.
bool is_compressible(std::string_view content_type);
/// Does it depend on Accept-Encoding what is sent for this response?
bool varies_by_encoding(const Response& response, std::size_t from_bytes);
/// Replaces the body of such a response of at most `most_bytes` by its gzip form when that is smaller. Any
/// thread.
void compress(Response& response, std::size_t from_bytes, std::size_t most_bytes);

}  // namespace fp::net
