#pragma once
#include <cstddef>
#include <string>

#include "hookswitch/sink.hpp"

namespace email {

/// The message as plain text, with at most `max_transcript` characters of the transcript.
std::string PlainText(const hsw::Message& message, std::size_t max_transcript);
/// The same as HTML. The message's content is escaped: it cannot add markup, scripts or links.
std::string Html(const hsw::Message& message, std::size_t max_transcript);

}  // namespace email
