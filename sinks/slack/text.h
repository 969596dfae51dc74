#pragma once
#include <cstddef>
#include <string>
#include <string_view>

/// Slack's text rules (docs.slack.dev/messaging/formatting-message-text). Lengths are in code points of the text sent.
namespace slack {

/// Ending of a cut text that shows there was more.
inline constexpr std::string_view kTruncated = "... (truncated)";

// Functions with `room` return a part of `text` if it needs no change, which is usual, else the result in `room`; valid
// until either changes. `text` must not be inside `room`. Functions with `out` append to it.

/// Drops noncharacters and control characters except newline and tab, and normalizes line ends to "\n". Stops one code
/// point after `most`: enough to see that the text is longer, without reading a whole transcript.
std::string_view Clean(std::string_view text, std::string& room, std::size_t most = std::string_view::npos);
std::string Clean(std::string_view text, std::size_t most = std::string_view::npos);
/// Cleaned, on one line, trimmed.
std::string_view OneLine(std::string_view text, std::string& room);
std::string OneLine(std::string_view text);

/// Escapes `text` for mrkdwn: &, < and > as entities, at most `most` code points, never cut inside an entity. A cut
/// text ends with `ending`, which counts.
void AppendEscaped(std::string& out, std::string_view text, std::size_t most, std::string_view ending);
std::string Escape(std::string_view text, std::size_t most, std::string_view ending);
/// `text` unescaped, at most `most` code points; a cut text ends with `ending`, which counts.
std::string_view Cut(std::string_view text, std::string& room, std::size_t most, std::string_view ending);
std::string Cut(std::string_view text, std::size_t most, std::string_view ending);

/// `text` as a mrkdwn code block of at most `most` code points, fences included: at most `most_text` code points of the
/// text, followed by kTruncated if it was cut. Nothing inside can mention, link or close the block: mrkdwn has no
/// escape for a backtick, so U+200B separates adjacent ones. `text` must be clean.
void AppendCodeBlock(std::string& out, std::string_view text, std::size_t most_text, std::size_t most);

/// `url` with characters that would end a link's markup percent-encoded, and `ampersand` for each "&".
void AppendUrl(std::string& out, std::string_view url, std::string_view ampersand);
/// `<url|label>`, or only the escaped label if `url` is not http(s) or the whole would exceed `most`.
void AppendLink(std::string& out, std::string_view url, std::string_view label, std::size_t most);
/// Whether `text` has the form of a Slack error: "invalid_blocks". A response may contain any text there.
bool IsErrorWord(std::string_view text);
/// The start of an unknown response, for a reason: "\"…\"" on one line, or "nothing".
std::string Quote(std::string_view answer);
/// "42s", "1m 13s", "2h 5m"; "" for an invalid length.
std::string Duration(double seconds);
/// `<!date^…|…>`: shown in the reader's time zone, or in UTC by clients that cannot.
void AppendDate(std::string& out, long long unix_ms);

}  // namespace slack
