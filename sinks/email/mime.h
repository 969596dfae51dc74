#pragma once
#include <string>
#include <string_view>
#include <vector>

/// The parts of a mail that are text: RFC 5322 headers, and the message as plain text and as HTML.
namespace email {

struct Address {
  std::string name, address;  ///< "Ops", "ops@example.com"
};

/// Reads one mailbox (RFC 5322, 3.4): "ops@example.com", "Ops Team <ops@example.com>", "\"Ops, Team\" <ops@…>",
/// "ops@example.com (Ops)". A name that is no phrase is taken as it stands. Empty address: it is no mailbox.
Address ParseAddress(std::string_view text);
/// For a From or To header: the whole name, encoded so that nothing in it is read as anything but a name, on as many
/// lines as it takes.
std::string HeaderOf(const Address& address);

/// `text` as the value of a header: as it is where it is short printable ASCII, else RFC 2047 encoded words. Never
/// holds a line break but before a space of its own.
std::string HeaderText(std::string_view text);

/// "Wed, 04 Mar 2026 09:30:00 +0000".
std::string HeaderDate(long long unix_ms);

}  // namespace email
