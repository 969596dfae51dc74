#pragma once
#include <string>
#include <string_view>
#include <vector>

/// The parts of a mail that are text: RFC 5322 headers, and the message as plain text and as HTML.
namespace email {

struct Address {
  std::string name, address;  ///< "Ops", "ops@example.com"
};

/// Reads "ops@example.com" or "Ops Team <ops@example.com>". Empty address: it is neither.
Address ParseAddress(std::string_view text);
/// For a From or To header: the name encoded, so that nothing in it is read as anything but a name.
std::string HeaderOf(const Address& address);

/// `text` as the value of a header: as it is where it is short printable ASCII, else RFC 2047 encoded words. Never
/// holds a line break but before a space of its own.
std::string HeaderText(std::string_view text);

/// "Wed, 04 Mar 2026 09:30:00 +0000".
std::string HeaderDate(long long unix_ms);

}  // namespace email
