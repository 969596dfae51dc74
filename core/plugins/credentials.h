#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/event/outcome.h"

/// Detection of credentials that are not in the config: from a response, or made by a plugin.
namespace hookswitch::plugins {

/// A header's value for display; a credential is reduced to its scheme: "Bearer ***".
std::string ShownHeader(std::string_view name, std::string_view value);

/// Credentials in `response`: JSON strings with telling names ("access_token", "upload_url"), and URLs that are signed
/// or contain a token. Reads the first `most` bytes of the body.
std::vector<std::string> CredentialsIn(const HttpResponse& response, std::size_t most);

/// The URLs in a delivery's `state`. They come from a response and may themselves be credentials.
std::vector<std::string> UrlsIn(std::string_view state);

}  // namespace hookswitch::plugins
