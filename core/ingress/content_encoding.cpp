#include "core/ingress/content_encoding.h"

#include <zlib.h>

#include <algorithm>

#include "core/base/text.h"

namespace hookswitch {
namespace {

// windowBits of inflateInit2: they select the framing.
constexpr int kGzipWindow = 15 + 16, kZlibWindow = 15, kRawWindow = -15;

Result<std::string> Inflate(std::string_view body, int window, std::uint64_t max) {
  z_stream stream{};
  if (::inflateInit2(&stream, window) != Z_OK) return Error{ErrorCode::kInternal, "zlib cannot begin"};
  // zlib's pointer is not const, but it only reads.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(body.data()));
  stream.avail_in = static_cast<uInt>(body.size());
  std::string out;
  char piece[16384];
  int code = Z_OK;
  while (code == Z_OK && out.size() <= max) {
    stream.next_out = reinterpret_cast<Bytef*>(piece);
    stream.avail_out = sizeof piece;
    code = ::inflate(&stream, Z_NO_FLUSH);
    out.append(piece, sizeof piece - stream.avail_out);
  }
  const bool has_rest = stream.avail_in > 0;
  ::inflateEnd(&stream);
  if (out.size() > max) {
    return Error{ErrorCode::kTooLarge, "the body is over " + std::to_string(max) + " bytes when it is decoded"};
  }
  if (code != Z_STREAM_END || has_rest) {
    return Error{ErrorCode::kInvalid, "the body is not what its Content-Encoding says"};
  }
  return out;
}

}  // namespace

bool KnowsEncoding(std::string_view encoding) {
  return EqualsIgnoreCase(encoding, "gzip") || EqualsIgnoreCase(encoding, "x-gzip") ||
         EqualsIgnoreCase(encoding, "deflate");
}

Result<std::string> Decode(std::string_view encoding, std::string_view body, std::uint64_t max) {
  if (!EqualsIgnoreCase(encoding, "deflate")) return Inflate(body, kGzipWindow, max);
  auto framed = Inflate(body, kZlibWindow, max);
  return framed || framed.error().code != ErrorCode::kInvalid ? std::move(framed) : Inflate(body, kRawWindow, max);
}

}  // namespace hookswitch
