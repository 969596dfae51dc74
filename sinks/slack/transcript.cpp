#include "transcript.h"

#include <algorithm>

#include "text.h"

namespace slack {
namespace {

// docs.slack.dev/reference/block-kit/blocks/section-block; the blocks of one message together stay below the 9,000
// characters that have never been rejected (layout.cpp).
constexpr std::size_t kMaxText = 3000;
constexpr std::size_t kBlocksPerMessage = 3;
constexpr std::size_t kRoom = kMaxText - 8;  // the fences, and a U+200B after each

/// Number of code points of `text` that fit into a code block, and their bytes. Ends after a line break if there is one
/// in the second half.
std::string_view Piece(std::string_view text) {
  std::size_t width = 0, i = 0, line_end = 0;
  while (i < text.size()) {
    const char c = text[i];
    const std::size_t size = static_cast<unsigned char>(c) < 0x80   ? 1
                             : static_cast<unsigned char>(c) < 0xE0 ? 2
                             : static_cast<unsigned char>(c) < 0xF0 ? 3
                                                                    : 4;
    const std::size_t wide = c == '&' ? 5 : c == '<' || c == '>' ? 4 : c == '`' ? 2 : 1;
    if (width + wide > kRoom) return text.substr(0, line_end > i / 2 ? line_end : i);
    width += wide;
    i += size;
    if (c == '\n') line_end = i;
  }
  return text;
}

}  // namespace

std::vector<std::string> TranscriptParts(std::string_view transcript, std::size_t most) {
  const std::string clean = Clean(transcript);
  std::string_view rest = clean;
  std::vector<std::string> parts;
  std::string code;
  do {
    std::string body = R"({"text":"Transcript","blocks":[)";
    for (std::size_t block = 0; block < kBlocksPerMessage && (block == 0 || !rest.empty()); ++block) {
      const auto piece = Piece(rest);
      rest.remove_prefix(piece.size());
      if (block > 0) body += ',';
      body += R"({"type":"section","text":{"type":"mrkdwn","text":)";
      auto shown = piece;
      if (shown.ends_with('\n')) shown.remove_suffix(1);
      code.clear();
      AppendCodeBlock(code, shown, kMaxText, kMaxText);
      hsw::AppendJsonString(body, code);
      body += R"(,"verbatim":true}})";
    }
    if (!rest.empty() && parts.size() + 1 == most) {
      body += R"(,{"type":"context","elements":[{"type":"plain_text","text":)";
      hsw::AppendJsonString(body, kTruncated);
      body += "}]}";
      rest = {};
    }
    body += R"(],"unfurl_links":false,"unfurl_media":false})";
    parts.push_back(std::move(body));
  } while (!rest.empty());
  return parts;
}

std::string FileText(std::string_view transcript) {
  std::string text = Clean(transcript);
  if (text.empty() || text.back() != '\n') text += '\n';
  return text;
}

std::string FileName(const hsw::Delivery& delivery) {
  std::string call(hsw::CutBytes(hsw::View(delivery.Event().call_id), 80));
  std::replace_if(
      call.begin(), call.end(),
      [](char c) { return !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-'); },
      '_');
  return "transcript-" + call + ".txt";
}

}  // namespace slack
