#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/event/outcome.h"

/// Credentials that no config holds: an answer brings them, or a plugin makes them.
namespace hookswitch::plugins {

/// The value of a header as it may be shown: of one that carries a credential its scheme at most, "Bearer ***".
std::string ShownHeader(std::string_view name, std::string_view value);

/// What in `response` opens something: in JSON the texts whose names say so ("access_token", "upload_url"), and URLs
/// that are signed or carry a token. Looks at the first `most` bytes of the body.
std::vector<std::string> CredentialsIn(const HttpResponse& response, std::size_t most);

/// The URLs in what one step of a delivery leaves to the next. They come from an answer, and whoever knows one may use
/// it.
std::vector<std::string> UrlsIn(std::string_view state);

}  // namespace hookswitch::plugins
