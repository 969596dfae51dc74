#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace hookswitch {

/// Whether Decode undoes this Content-Encoding: one of "gzip", "x-gzip", "deflate", in any case.
bool KnowsEncoding(std::string_view encoding);

/// The body before its encoding. "deflate" is read with and without the zlib frame, for senders disagree (RFC 9110
/// 8.4.1.2). Errors: kTooLarge (over `max` bytes when decoded), kInvalid (damaged, cut, or with something behind it).
Result<std::string> Decode(std::string_view encoding, std::string_view body, std::uint64_t max);

}  // namespace hookswitch
