#include "core/ingress/content_encoding.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdint>
#include <string>

namespace hookswitch {
namespace {

constexpr std::uint64_t kMax = 1 << 20;

std::string Deflated(std::string_view text, int window) {
  z_stream stream{};
  EXPECT_EQ(::deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(::deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(::deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  ::deflateEnd(&stream);
  return out;
}
std::string Gzip(std::string_view text) {
  return Deflated(text, 15 + 16);
}

TEST(ContentEncoding, UndoesWhatSendersUse) {
  const std::string text = R"({"id":"c-1","status":"completed"})" + std::string(100'000, ' ');
  EXPECT_EQ(*Decode("gzip", Gzip(text), kMax), text);
  EXPECT_EQ(*Decode("X-GZip", Gzip(text), kMax), text);
  EXPECT_EQ(*Decode("deflate", Deflated(text, 15), kMax), text);
  EXPECT_EQ(*Decode("Deflate", Deflated(text, -15), kMax), text) << "without the zlib frame, as some send it";
  EXPECT_EQ(*Decode("gzip", Gzip(""), kMax), "");
}

TEST(ContentEncoding, KnowsWhatItUndoes) {
  for (const char* known : {"gzip", "GZIP", "x-gzip", "deflate"}) EXPECT_TRUE(KnowsEncoding(known)) << known;
  for (const char* unknown : {"", "br", "zstd", "gzip, gzip", "gzip,deflate", "identity"}) {
    EXPECT_FALSE(KnowsEncoding(unknown)) << unknown;
  }
}

TEST(ContentEncoding, ABombIsTooLarge) {
  const std::string bomb = Gzip(std::string(50 << 20, '0'));
  ASSERT_LT(bomb.size(), 100'000u);
  const auto decoded = Decode("gzip", bomb, kMax);
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().code, ErrorCode::kTooLarge);
  EXPECT_TRUE(Decode("gzip", Gzip(std::string(kMax, '0')), kMax)) << "the limit itself is not over it";
  EXPECT_FALSE(Decode("deflate", Deflated(std::string(kMax + 1, '0'), 15), kMax));
}

TEST(ContentEncoding, WhatIsDamagedIsRefusedAtEveryByte) {
  const std::string whole = Gzip(R"({"id":"c-1","agent_id":"a","status":"completed"})");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto cut = Decode("gzip", whole.substr(0, size), kMax);
    ASSERT_FALSE(cut) << size;
    EXPECT_EQ(cut.error().code, ErrorCode::kInvalid);
  }
  EXPECT_FALSE(Decode("gzip", whole + "x", kMax)) << "something behind it";
  EXPECT_FALSE(Decode("gzip", whole + whole, kMax)) << "another one behind it";
  EXPECT_FALSE(Decode("gzip", "{}", kMax));
  EXPECT_FALSE(Decode("deflate", "{}", kMax));
  std::string flipped = whole;
  flipped[flipped.size() - 6] ^= 1;  // of its checksum
  EXPECT_FALSE(Decode("gzip", flipped, kMax));
}

}  // namespace
}  // namespace hookswitch
