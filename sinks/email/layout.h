#pragma once
#include <cstddef>
#include <string>

#include "hookswitch/sink.hpp"

namespace email {

/// The message for readers without HTML; at most `max_transcript` characters of the transcript.
std::string PlainText(const hsw::Message& message, std::size_t max_transcript);
/// The same as HTML. Whatever the message holds, it is text: no markup, script or link of its own.
std::string Html(const hsw::Message& message, std::size_t max_transcript);

}  // namespace email
