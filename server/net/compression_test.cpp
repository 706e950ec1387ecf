#include "net/compression.hpp"

#include <gtest/gtest.h>

#include <zlib.h>

namespace fp::net {
namespace {

std::string gunzip(const std::string& packed) {
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  std::string out(1 << 20, '\0');
  std::string in = packed;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

TEST(Compression, FollowsAcceptEncoding) {
  for (const char* text :
       {"gzip", "GZIP", "deflate, gzip, br", "gzip;q=0.1", "*", "br;q=1, *;q=0.5", "x-gzip", "gzip ; q=1"}) {
    EXPECT_TRUE(takes_gzip(text)) << text;
  }
  for (const char* text : {"", "br", "identity", "gzip;q=0", "gzip;q=0.000, br", "*;q=0", "gzip;q=0, *",
                           "gzipped", "gzip; q=0"}) {
    EXPECT_FALSE(takes_gzip(text)) << text;
  }
}

TEST(Compression, ComesBackTheSameEachTime) {
  for (const char c : {'a', 'b'}) {
    Response response;
    response.body = std::string(5'000, c);
    const auto before = response.body;
    compress(response, 1024, 1 << 20);
    EXPECT_EQ(response.encoding, "gzip");
    EXPECT_LT(response.body.size(), 100u);
    EXPECT_EQ(gunzip(response.body), before);
  }
}

TEST(Compression, LeavesAloneWhatItWouldNotHelp) {
  Response small;
  small.body = std::string(1'023, 'a');
  compress(small, 1024, 1 << 20);
  EXPECT_EQ(small.encoding, "");
  Response image;
  image.content_type = "image/png";
  image.body = std::string(5'000, 'a');
  compress(image, 1024, 1 << 20);
  EXPECT_EQ(image.encoding, "");
  EXPECT_FALSE(varies_by_encoding(image, 1024));
  Response ready;
  ready.shared_body = std::make_shared<const std::string>(5'000, 'a');
  ready.encoding = "br";
  compress(ready, 1024, 1 << 20);
  EXPECT_EQ(ready.encoding, "br");
  EXPECT_TRUE(varies_by_encoding(ready, 1024));
  Response large;
  large.body = std::string(5'000, 'a');
  compress(large, 1024, 4'999);
  EXPECT_EQ(large.body.size(), 5'000u);
}

}  // namespace
}  // namespace fp::net
