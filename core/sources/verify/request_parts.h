#pragma once
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/sources/verify/verifier.h"

/// Readers of what signatures consist of.
namespace hookswitch::verify {

using Fault = VerifyFault;

/// More signatures in one header are not looked at: each may cost a check.
inline constexpr std::size_t kMostSignatures = 16;

/// The value of the first of `names` that the request has, trimmed. A fault if it has none of them, or that one twice.
std::variant<std::string_view, Fault> OnlyHeader(const SignedRequest& request, const std::vector<std::string>& names);
std::variant<std::string_view, Fault> OnlyHeader(const SignedRequest& request, const std::string& name);

/// The items between commas, semicolons and blanks.
std::vector<std::string_view> Items(std::string_view text);

/// What stands behind `prefix`, which may have one `*` for any text; empty if `text` does not begin with it.
std::optional<std::string_view> Behind(std::string_view prefix, std::string_view text);

/// The bytes of a signature; empty if it is not coded so, or not in the only way there is for these bytes.
std::optional<std::string> Decoded(config::Verify::Encoding encoding, std::string_view text);

std::optional<WallTime> ReadTime(std::string_view text, config::Verify::TimeUnit unit);

/// A fault if `at` is longer ago than `tolerance`, or further in the future than that or five minutes.
std::optional<Fault> CheckAge(WallTime at, WallTime now, std::chrono::milliseconds tolerance);

/// A URL in its parts. Borrows from it.
struct UrlParts {
  std::string_view scheme;     ///< "https"; "" of a target alone
  std::string_view authority;  ///< "example.com:8080"
  std::string_view path;       ///< "/in/twilio"
  std::optional<std::string_view> query;
};
UrlParts PartsOf(std::string_view url);

/// The decoded fields of a body whose Content-Type is that of a form; empty if it is another.
std::optional<std::vector<std::pair<std::string, std::string>>> FormOf(const SignedRequest& request);

}  // namespace hookswitch::verify
