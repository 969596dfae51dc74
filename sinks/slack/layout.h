#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include "hookswitch/sink.hpp"

namespace slack {

/// The message with blocks: header, fields in two columns, text, divider, transcript, a line with time and links.
/// Within all limits of Block Kit for any input: what does not fit is cut, then omitted. `mention`: mrkdwn that
/// mentions people; "" for nobody.
std::string BlocksBody(const hsw::Message& message, std::size_t max_transcript, std::string_view mention);
/// The same as text only, in case Slack rejects the blocks.
std::string PlainBody(const hsw::Message& message, std::size_t max_transcript, std::string_view mention);
/// The body for a Workflow Builder webhook: a flat object of strings with fixed keys, "" for missing values.
std::string WorkflowBody(const hsw::Delivery& delivery, std::size_t max_transcript);

}  // namespace slack
