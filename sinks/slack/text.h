#pragma once
#include <cstddef>
#include <string>
#include <string_view>

/// Slack's text rules (docs.slack.dev/messaging/formatting-message-text). Lengths count code points of what is sent.
namespace slack {

/// What a cut text ends with where the user should know that there was more.
inline constexpr std::string_view kTruncated = "... (truncated)";

// With `room`: returns `text` or its start where nothing else is needed, which is nearly always, and otherwise what it
// made in `room`; valid until either changes, and `text` must not lie in `room`. With `out`: appends to it.

/// Drops control characters but newline and tab, and noncharacters, and makes every line end "\n". Stops one code point
/// behind `most`: enough to see that the text is longer, without reading all of a transcript of which a page is shown.
std::string_view Clean(std::string_view text, std::string& room, std::size_t most = std::string_view::npos);
std::string Clean(std::string_view text, std::size_t most = std::string_view::npos);
/// Clean, on one line, without space at either end.
std::string_view OneLine(std::string_view text, std::string& room);
std::string OneLine(std::string_view text);

/// `text` for mrkdwn: &, < and > as entities, at most `most` code points, never cut inside an entity. A cut text ends
/// with `ending`, which counts.
void AppendEscaped(std::string& out, std::string_view text, std::size_t most, std::string_view ending);
std::string Escape(std::string_view text, std::size_t most, std::string_view ending);
/// `text` as it is, at most `most` code points; a cut one ends with `ending`, which counts.
std::string_view Cut(std::string_view text, std::string& room, std::size_t most, std::string_view ending);
std::string Cut(std::string_view text, std::size_t most, std::string_view ending);

/// `text` as a mrkdwn code block of at most `most` code points, fences included: at most `most_text` code points of the
/// text, kTruncated behind them if it was cut. Nothing inside can ping, link or close the block: there is no escape for
/// a backtick in mrkdwn, so U+200B goes between two of them. `text` must be clean.
void AppendCodeBlock(std::string& out, std::string_view text, std::size_t most_text, std::size_t most);

/// `url` with what would end a link's markup percent-encoded, and `ampersand` for each "&".
void AppendUrl(std::string& out, std::string_view url, std::string_view ampersand);
/// `<url|label>`, or only the escaped label where `url` is not http(s) or the whole would be longer than `most`.
void AppendLink(std::string& out, std::string_view url, std::string_view label, std::size_t most);
/// True for what Slack's errors are called: "invalid_blocks". An answer may hold any text in its place.
bool IsErrorWord(std::string_view text);
/// The start of an answer that nobody knows, for a reason: "\"…\"" on one line, or "nothing".
std::string Quote(std::string_view answer);
/// "42s", "1m 13s", "2h 5m"; "" for what is no length of a call.
std::string Duration(double seconds);
/// `<!date^…|…>`: shown in the reader's zone, in UTC where a client cannot.
void AppendDate(std::string& out, long long unix_ms);

}  // namespace slack
