#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace hookswitch {

/// True if Decode supports this Content-Encoding: "gzip", "x-gzip" or "deflate", in any case.
bool KnowsEncoding(std::string_view encoding);

/// Decodes a body. Accepts "deflate" with and without the zlib frame, because senders disagree (RFC 9110 8.4.1.2).
/// Errors: kTooLarge (over `max` bytes when decoded), kInvalid (damaged, truncated, or followed by more data),
/// kInternal (zlib cannot start).
Result<std::string> Decode(std::string_view encoding, std::string_view body, std::uint64_t max);

}  // namespace hookswitch
