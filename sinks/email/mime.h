#pragma once
#include <string>
#include <string_view>
#include <vector>

/// Header encoding for mails (RFC 5322, RFC 2047).
namespace email {

struct Address {
  std::string name, address;  ///< "Ops", "ops@example.com"
};

/// Parses one mailbox (RFC 5322, 3.4): "ops@example.com", "Ops Team <ops@example.com>", "\"Ops, Team\" <ops@…>",
/// "ops@example.com (Ops)". A name that is not a phrase is taken literally. Empty address: not a mailbox.
Address ParseAddress(std::string_view text);
/// For a From or To header: the name encoded so that no part of it has a special meaning, folded as needed.
std::string HeaderOf(const Address& address);

/// `text` as a header value: unchanged if short printable ASCII, else RFC 2047 encoded words. Contains line breaks only
/// as folding.
std::string HeaderText(std::string_view text);

/// "Wed, 04 Mar 2026 09:30:00 +0000".
std::string HeaderDate(long long unix_ms);

}  // namespace email
