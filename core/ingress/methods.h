#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "core/config/config.h"
#include "core/ingress/http_server.h"

/// What a source does with each method of HTTP. Every function: [thread: any].
namespace hookswitch {

bool TakesMethod(const config::Source& source, std::string_view method);
inline constexpr std::string_view kWrongMethod = "method_not_allowed";
/// The detail of a 405: "send events with POST".
std::string SendWith(const config::Source& source);
/// The 405 for all other methods; its Allow header has what the source takes.
Answer MethodNotAllowed(const config::Source& source);

/// True if `request` asks, in the way of the source's platform, whether events may be sent here.
bool AsksHandshake(const config::Source& source, const ServedRequest& request);
/// That they may, and how many.
Answer HandshakeAnswer(const config::Source& source);

/// The event that a GET carries: its query, as a form, less the parameter that holds the sender's secret.
std::string BodyOfGet(const config::Source& source, std::string_view query);

}  // namespace hookswitch
