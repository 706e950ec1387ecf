#pragma once

#include "net/message.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace fp::net {

/// Does an Accept-Encoding header take gzip? (RFC 9110 section 12.5.3, with q-values)
bool takes_gzip(std::string_view accept_encoding);
/// The one of `available`, best first, that the header wants most; "" to send it as it is, which is also what
/// is left when it takes nothing of what there is.
std::string_view choose_encoding(std::string_view accept_encoding,
                                 std::span<const std::string_view> available);
/// Text that gzip makes smaller: text/*, JSON, JavaScript, SVG, XML.
bool is_compressible(std::string_view content_type);
/// Does it depend on Accept-Encoding what is sent for this response?
bool varies_by_encoding(const Response& response, std::size_t from_bytes);
/// Replaces the body of such a response of at most `most_bytes` by its gzip form when that is smaller. Any
/// thread.
void compress(Response& response, std::size_t from_bytes, std::size_t most_bytes);

}  // namespace fp::net
