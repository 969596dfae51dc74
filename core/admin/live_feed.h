#pragma once
#include <optional>
#include <vector>

#include "core/admin/live_message.h"
#include "core/admin/live_sinks.h"
#include "core/admin/router.h"
#include "core/base/clock.h"
#include "core/base/token_bucket.h"
#include "core/journal/history.h"
#include "core/journal/journal.h"

namespace hookswitch {

/// What is new in the router and its journal, as messages of the stream. Reads at most some hundred rows a second,
/// however much happens: then it rests a moment, and tells the newest with a gap before. Not thread-safe.
class LiveFeed {
 public:
  /// The references outlive it.
  LiveFeed(Router& router, History& history, Journal& journal, const Clock& clock);

  /// Leaves out all that was before.
  void Begin();
  /// What is new since the last pass, or Begin; oldest first. Reads no more than `kinds` need. Blocks.
  std::vector<LiveMessage> Pass(LiveKinds kinds);
  /// What is new after `from`, and the state of each sink; for a reader that comes again. Empty `from`: its cursor is
  /// unreadable, so all lists are to be read again. Blocks.
  std::vector<LiveMessage> CatchUp(const std::optional<LiveCursor>& from, LiveKinds kinds);
  /// Where the last pass has ended.
  const LiveCursor& cursor() const { return cursor_; }

 private:
  /// Reads after `progress` as far as `rows` allow, and takes them. Whether all was told.
  bool Read(TokenBucket& rows, std::size_t bytes, LiveKinds kinds, LiveCursor& progress,
            std::vector<LiveMessage>& messages);
  void AddSinks(const std::vector<LaneStatus>& lanes, const LiveCursor& cursor,
                std::vector<LiveMessage>& messages) const;
  void AddReload(LiveKinds kinds, LiveCursor& progress, std::vector<LiveMessage>& messages) const;

  Router& router_;
  History& history_;
  Journal& journal_;
  const Clock& clock_;
  LiveCursor cursor_;
  LiveSinks sinks_;
  TokenBucket live_rows_, missed_rows_;
  bool rests_ = false;  ///< more has happened than may be read: until live_rows_ is full again
};

}  // namespace hookswitch
