#include "net/compression.hpp"

#include "net/text.hpp"

#include <cstdlib>
#include <optional>
#include <zlib.h>

namespace fp::net {

namespace {

constexpr int kLevel = 4;  // twice as fast as the default 6, and JSON gets hardly larger

/// A deflate stream that is set up once a thread: its tables take 256 KiB.
class Deflater {
 public:
  Deflater() {
    is_ready_ = deflateInit2(&stream_, kLevel, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK;
  }
  ~Deflater() {
    if (is_ready_) deflateEnd(&stream_);
  }
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;

  /// Nothing when it would not get smaller.
  std::optional<std::string> gzip(std::string_view text) {
    if (!is_ready_ || deflateReset(&stream_) != Z_OK) return std::nullopt;
    std::string out(text.size(), '\0');
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));  // zlib only reads it
    stream_.avail_in = static_cast<uInt>(text.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out.data());
    stream_.avail_out = static_cast<uInt>(out.size());
    if (deflate(&stream_, Z_FINISH) != Z_STREAM_END) return std::nullopt;
    out.resize(stream_.total_out);
    return out;
  }

 private:
  z_stream stream_{};
  bool is_ready_ = false;
};

double quality(std::string_view parameters) {
  double q = 1;
  for_each_part(parameters, ';', [&](std::string_view parameter) {
    if (equals_ignoring_case(parameter.substr(0, 2), "q="))
      q = std::atof(std::string(parameter.substr(2)).c_str());
  });
  return q;
}

/// How much a header wants `encoding`: 0 for not at all. With `or_any`, what it says of `*` stands for what
/// it does not name.
double quality_of(std::string_view accept_encoding, std::string_view encoding, bool or_any = true) {
  std::optional<double> named;
  std::optional<double> any;
  for_each_part(accept_encoding, ',', [&](std::string_view part) {
    const auto end = std::min(part.find(';'), part.size());
    auto name = trim(part.substr(0, end));
    if (equals_ignoring_case(name.substr(0, 2), "x-")) name.remove_prefix(2);  // x-gzip, of old
    if (equals_ignoring_case(name, encoding)) named = quality(part.substr(end));
    if (name == "*" && or_any) any = quality(part.substr(end));
  });
  return named.value_or(any.value_or(0));
}

}  // namespace

bool takes_gzip(std::string_view accept_encoding) {
  constexpr std::string_view kOnly[] = {"gzip"};
  return !choose_encoding(accept_encoding, kOnly).empty();
}

std::string_view choose_encoding(std::string_view accept_encoding,
                                 std::span<const std::string_view> available) {
  std::string_view best;
  double best_quality = 0;
  for (const auto encoding : available) {
    const auto q = quality_of(accept_encoding, encoding);
    if (q <= best_quality) continue;
    best = encoding;
    best_quality = q;
  }
  const bool refuses_it = best_quality < quality_of(accept_encoding, "identity", false);
  return refuses_it ? std::string_view() : best;
}

bool is_compressible(std::string_view content_type) {
  const auto type = trim(content_type.substr(0, content_type.find(';')));
  if (type.starts_with("text/")) return true;
  for (const std::string_view word : {"json", "javascript", "svg", "xml"}) {
    if (type.find(word) != std::string_view::npos) return true;
  }
  return false;
}

bool varies_by_encoding(const Response& response, std::size_t from_bytes) {
  if (response.static_body.data() != nullptr) return false;  // who sends one says so
  return !response.encoding.empty() ||
         (response.content().size() >= from_bytes && is_compressible(response.content_type));
}

void compress(Response& response, std::size_t from_bytes, std::size_t most_bytes) {
  const auto body = response.content();
  const bool is_wanted = response.static_body.data() == nullptr && body.size() >= from_bytes &&
                         body.size() <= most_bytes && !body.empty() && response.encoding.empty() &&
                         is_compressible(response.content_type) &&
                         find_field(response.headers, "Content-Encoding") == nullptr;
  if (!is_wanted) return;
  static thread_local Deflater deflater;
  auto packed = deflater.gzip(body);
  if (!packed) return;
  response.body = std::move(*packed);
  response.shared_body = nullptr;
  response.encoding = "gzip";
}

}  // namespace fp::net
