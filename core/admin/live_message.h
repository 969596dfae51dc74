#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/journal/history.h"

/// Messages of GET /api/v1/stream (server-sent events).
namespace hookswitch {

/// Kinds of messages; a set of them is the sum of its bits.
enum LiveKind : unsigned { kLiveEvent = 1, kLiveDelivery = 2, kLiveRefused = 4, kLiveSink = 8, kLiveReload = 16 };
using LiveKinds = unsigned;
inline constexpr LiveKinds kAllLiveKinds = 31;
/// "event,sink"; error: kInvalid, with a suggestion.
Result<LiveKinds> ParseLiveKinds(std::string_view text);

/// A position in the stream. Its text is the `id` of messages.
struct LiveCursor {
  ChangeCursor changes{};
  EventSeq event = 0;
  std::int64_t refused = 0;  ///< RefusedRequest::number
  std::uint64_t reload = 0;  ///< LastReload::number
  bool operator==(const LiveCursor&) const = default;
};
std::string ToText(const LiveCursor& cursor);
/// Empty for what is no cursor.
std::optional<LiveCursor> ParseLiveCursor(std::string_view text);

/// A message as it is sent.
struct LiveMessage {
  LiveKinds kinds = 0;  ///< for readers that want any of these
  std::string text;
};
/// "id: …", "event: …" and "data: …", one line each, and an empty one. `data`: JSON in one line.
std::string MessageText(std::string_view event, std::string_view data, const LiveCursor& cursor);
LiveMessage MakeLiveMessage(LiveKind kind, std::string_view data, const LiveCursor& cursor);
/// {"kinds","missed"}: messages of these kinds were left out, so their lists are to be read again. `missed`: how many;
/// empty: unknown.
LiveMessage MakeGap(LiveKinds kinds, std::optional<std::size_t> missed, const LiveCursor& cursor);

}  // namespace hookswitch
