#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include "hookswitch/sink.hpp"

namespace slack {

/// The message with blocks: header, fields two by two, text, divider, transcript, a line with time and links. Within
/// every limit of Block Kit whatever the input: when it cannot all be shown, it is cut, then left out. `mention` is
/// mrkdwn that calls people, "" for nobody.
std::string BlocksBody(const hsw::Message& message, std::size_t max_transcript, std::string_view mention);
/// The same as text alone, for when Slack refuses the blocks.
std::string PlainBody(const hsw::Message& message, std::size_t max_transcript, std::string_view mention);
/// What a Workflow Builder webhook takes: a flat object of strings, always the same keys, "" for what is not there.
std::string WorkflowBody(const hsw::Delivery& delivery, std::size_t max_transcript);

}  // namespace slack
