#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "hookswitch/sink.hpp"

namespace slack {

/// All of a transcript as messages for a thread, each a JSON object of text and blocks within Slack's limits; at most
/// `most`, the last of which says so if there is more. At least one. Lines are kept whole where they are short enough.
std::vector<std::string> TranscriptParts(std::string_view transcript, std::size_t most);

/// The same as a text file: never empty, because Slack takes no empty file.
std::string FileText(std::string_view transcript);
/// "transcript-<call>.txt".
std::string FileName(const hsw::Delivery& delivery);

}  // namespace slack
