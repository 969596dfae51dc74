#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "hookswitch/sink.hpp"

namespace slack {

/// A whole transcript as messages for a thread, each a JSON object of text and blocks within Slack's limits. From one
/// to `most` messages; the last says if there is more. Short lines are not split.
std::vector<std::string> TranscriptParts(std::string_view transcript, std::size_t most);

/// The same as a text file; never empty, because Slack rejects empty files.
std::string FileText(std::string_view transcript);
/// "transcript-<call>.txt".
std::string FileName(const hsw::Delivery& delivery);

}  // namespace slack
