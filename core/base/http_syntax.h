#pragma once
#include <string_view>

/// What HTTP and URLs allow in their parts. All functions accept any bytes.
namespace hookswitch {

/// RFC 9110 5.6.2: a method, or the name of a header.
bool IsHttpToken(std::string_view text);
/// RFC 9110 5.5: no control characters but the tab.
bool IsHttpFieldValue(std::string_view text);
/// True if `text` has a space or a control character of ASCII, as no URL may.
bool HasSpaceOrControl(std::string_view text);

}  // namespace hookswitch
