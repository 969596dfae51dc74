#include "core/admin/live_message.h"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include "core/base/text.h"

namespace hookswitch {
namespace {

constexpr std::pair<LiveKind, std::string_view> kLiveKindNames[] = {{kLiveEvent, "event"},
                                                                    {kLiveDelivery, "delivery"},
                                                                    {kLiveRefused, "refused"},
                                                                    {kLiveSink, "sink"},
                                                                    {kLiveReload, "reload"}};

}  // namespace

Result<LiveKinds> ParseLiveKinds(std::string_view text) {
  LiveKinds kinds = 0;
  while (true) {
    const auto comma = text.find(',');
    const std::string_view name = Trim(text.substr(0, comma));
    const auto* known = std::ranges::find(kLiveKindNames, name, &std::pair<LiveKind, std::string_view>::second);
    if (known == std::end(kLiveKindNames)) {
      std::vector<std::string> names;
      for (const auto& [kind, one] : kLiveKindNames) names.emplace_back(one);
      return Error{ErrorCode::kInvalid,
                   "kinds: \"" + ToUtf8(name) + "\" is not a kind of message; " + DidYouMean(name, names)};
    }
    kinds |= known->first;
    if (comma == std::string_view::npos) return kinds;
    text.remove_prefix(comma + 1);
  }
}

std::string ToText(const LiveCursor& cursor) {
  std::string text;
  for (const std::uint64_t number :
       {cursor.changes.epoch, cursor.changes.position, static_cast<std::uint64_t>(cursor.event),
        static_cast<std::uint64_t>(cursor.refused), cursor.reload}) {
    char digits[20];
    const auto end = std::to_chars(std::begin(digits), std::end(digits), number, 36).ptr;
    if (!text.empty()) text += '-';
    text.append(digits, end);
  }
  return text;
}

std::optional<LiveCursor> ParseLiveCursor(std::string_view text) {
  std::uint64_t numbers[5] = {};
  for (std::uint64_t& number : numbers) {
    const std::string_view part = text.substr(0, text.find('-'));
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), number, 36);
    if (error != std::errc() || end != part.data() + part.size()) return {};
    text.remove_prefix(std::min(part.size() + 1, text.size()));
  }
  const LiveCursor cursor{
      {numbers[0], numbers[1]}, static_cast<EventSeq>(numbers[2]), static_cast<std::int64_t>(numbers[3]), numbers[4]};
  // Before the first refused request `refused` is -1. Further below nothing was ever, and differences would overflow.
  if (!text.empty() || cursor.event < 0 || cursor.refused < -1) return {};
  return cursor;
}

std::string MessageText(std::string_view event, std::string_view data, const LiveCursor& cursor) {
  std::string text = "id: " + ToText(cursor);
  text += "\nevent: ";
  text += event;
  text += "\ndata: ";
  text += data;
  text += "\n\n";
  return text;
}

LiveMessage MakeLiveMessage(LiveKind kind, std::string_view data, const LiveCursor& cursor) {
  const auto* known = std::ranges::find(kLiveKindNames, kind, &std::pair<LiveKind, std::string_view>::first);
  return {kind, MessageText(known->second, data, cursor)};
}

LiveMessage MakeGap(LiveKinds kinds, std::optional<std::size_t> missed, const LiveCursor& cursor) {
  json::array names;
  for (const auto& [kind, name] : kLiveKindNames) {
    if ((kinds & kind) != 0) names.emplace_back(name);
  }
  const json::object data{{"kinds", std::move(names)}, {"missed", missed ? json::value(*missed) : nullptr}};
  return {kinds, MessageText("gap", ToText(data), cursor)};
}

}  // namespace hookswitch
