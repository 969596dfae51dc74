#include "core/admin/live_feed.h"

#include "core/admin/lane_json.h"
#include "core/admin/live_reading.h"

namespace hookswitch {
namespace {

constexpr Rate kLiveRows{200, std::chrono::seconds(1), 100};
constexpr Rate kMissedRows{200, std::chrono::seconds(1), 300};
// Of one pass, and of what a reader has missed: less than may wait for a reader that is a little slow.
constexpr std::size_t kLiveBytes = 128 * 1024;
constexpr std::size_t kMissedBytes = 256 * 1024, kSinkBytes = 128 * 1024;
constexpr LiveKinds kLiveLists = kLiveEvent | kLiveDelivery | kLiveRefused;

std::size_t Available(TokenBucket bucket, MonoTime now) {
  std::size_t count = 0;
  for (; bucket.Ready(now); bucket.Take(now)) ++count;
  return count;
}

}  // namespace

LiveFeed::LiveFeed(Router& router, History& history, Journal& journal, const Clock& clock)
    : router_(router),
      history_(history),
      journal_(journal),
      clock_(clock),
      live_rows_(kLiveRows),
      missed_rows_(kMissedRows) {}

void LiveFeed::Begin() {
  const ChangeSet now = history_.Changes({});
  const auto reload = router_.LastReload();
  cursor_ = {now.next, now.newest_event, now.newest_refused, reload ? reload->number : 0};
  sinks_.Begin(router_.Lanes());
  rests_ = false;
}

std::vector<LiveMessage> LiveFeed::Pass(LiveKinds kinds) {
  std::vector<LiveMessage> messages;
  const MonoTime now = clock_.Mono();
  if ((kinds & kLiveSink) != 0) AddSinks(sinks_.Changed(router_.Lanes(), now), cursor_, messages);
  AddReload(kinds, cursor_, messages);
  if (!live_rows_.Ready(now)) rests_ = true;
  if (rests_ && !live_rows_.Full(now)) return messages;
  rests_ = !Read(live_rows_, kLiveBytes, kinds, cursor_, messages);
  return messages;
}

std::vector<LiveMessage> LiveFeed::CatchUp(const std::optional<LiveCursor>& from, LiveKinds kinds) {
  std::vector<LiveMessage> messages;
  LiveCursor progress = from.value_or(cursor_);
  if (from) {
    (void)Read(missed_rows_, kMissedBytes, kinds, progress, messages);
  } else if ((kinds & kLiveLists) != 0) {
    messages.push_back(MakeGap(kinds & kLiveLists, {}, progress));
  }
  AddReload(kinds, progress, messages);
  if ((kinds & kLiveSink) == 0) return messages;
  std::vector<LiveMessage> sinks;
  AddSinks(router_.Lanes(), progress, sinks);
  std::size_t bytes = 0;
  for (const LiveMessage& sink : sinks) bytes += sink.text.size();
  if (bytes > kSinkBytes) {
    messages.push_back(MakeGap(kLiveSink, {}, progress));
  } else {
    messages.insert(messages.end(), std::make_move_iterator(sinks.begin()), std::make_move_iterator(sinks.end()));
  }
  return messages;
}

bool LiveFeed::Read(TokenBucket& rows, std::size_t bytes, LiveKinds kinds, LiveCursor& progress,
                    std::vector<LiveMessage>& messages) {
  const MonoTime now = clock_.Mono();
  LiveReading reading(router_, history_, journal_, kinds, {Available(rows, now), bytes}, progress);
  std::vector<LiveMessage> told = reading.Run();
  for (std::size_t i = 0; i < reading.used_rows(); ++i) rows.Take(now);
  messages.insert(messages.end(), std::make_move_iterator(told.begin()), std::make_move_iterator(told.end()));
  return !reading.is_short();
}

void LiveFeed::AddSinks(const std::vector<LaneStatus>& lanes, const LiveCursor& cursor,
                        std::vector<LiveMessage>& messages) const {
  for (const LaneStatus& lane : lanes) {
    messages.push_back(MakeLiveMessage(kLiveSink, ToText(json::value(ToObject(lane, clock_.Wall()))), cursor));
  }
}

void LiveFeed::AddReload(LiveKinds kinds, LiveCursor& progress, std::vector<LiveMessage>& messages) const {
  const auto last = router_.LastReload();
  if (!last || last->number == progress.reload) return;
  progress.reload = last->number;
  if ((kinds & kLiveReload) == 0) return;
  const json::object data{{"ok", last->report.applied},
                          {"generation", last->report.generation},
                          {"problems", config::ToArray(last->report.problems)}};
  messages.push_back(MakeLiveMessage(kLiveReload, ToText(json::value(data)), progress));
}

}  // namespace hookswitch
