#pragma once
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/admin/event_match.h"
#include "core/admin/holds.h"
#include "core/admin/indexer.h"
#include "core/admin/router.h"
#include "core/base/clock.h"
#include "core/journal/history.h"
#include "core/journal/journal.h"
#include "core/journal/search_filter.h"

namespace hookswitch {

/// Searches everything stored: what is indexed by the index, what is newer by reading it, and all of it by reading if
/// there is no index. [thread: any] Blocks.
class EventSearch {
 public:
  /// `indexer`: nullptr: none. The references outlive it.
  EventSearch(History& history, Journal& journal, const Clock& clock, Router& router, const Indexer* indexer)
      : history_(history), journal_(journal), clock_(clock), router_(router), indexer_(indexer) {}

  /// The events that fit `filter`, newest first: at most `limit` below `before` (0: from the newest). Ends at
  /// `deadline` with what was found; `next` as for a Page. Errors: kUnavailable.
  Result<Page<EventSummary>> Find(const SearchFilter& filter, const Holds& holds, EventSeq before, std::size_t limit,
                                  MonoTime deadline);

  /// The events of a call, oldest first.
  struct Call {
    std::vector<EventSummary> events;  ///< of this page
    EventSeq next = 0;                 ///< `after` for the next page; 0: no more
    std::size_t count = 0;             ///< of all
    std::vector<std::string> sources;  ///< of all, in the order of their first event
    std::string agent;                 ///< of the newest event that has one
    WallTime first{}, last{};          ///< received
    bool is_whole = true;              ///< false: `deadline` came before all that is not indexed was read
  };
  /// At most `limit` events after `after`, of `source` unless that is "". `count` is 0 if there is no such call. Reads
  /// the events of this page, and those that are not indexed; of the others it knows what the index does.
  Result<Call> FindCall(const std::string& call_id, const std::string& source, EventSeq after, std::size_t limit,
                        MonoTime deadline);

  IndexStatus StatusNow() const;
  /// nullptr while there is none to be used.
  std::shared_ptr<SearchIndex> index() const { return indexer_ ? indexer_->index() : nullptr; }

 private:
  /// How far a search has come.
  struct Progress {
    EventSeq before = 0;  ///< everything from here on is done
    std::size_t limit = 0;
    MonoTime deadline{};
    bool is_full = false;  ///< the page is, or the time is up
    std::size_t looked = 0;
    bool IsOver(const Page<EventSummary>& page, const Clock& clock);
  };
  Status Scan(const SearchFilter& filter, EventMatcher& matcher, EventSeq down_to, Progress& progress,
              Page<EventSummary>& page);
  Status FindIndexed(const SearchFilter& filter, SearchIndex& index, EventMatcher& matcher, Progress& progress,
                     Page<EventSummary>& page);
  Status Take(EventSummary event, EventMatcher& matcher, bool indexed, Page<EventSummary>& page);
  /// What FindCall was asked for.
  struct CallPart {
    const std::string& call_id;
    const std::string& source;
    EventSeq after = 0;
    std::size_t limit = 0;
    MonoTime deadline{};
    bool Has(const EventSummary& event) const;
  };
  Result<bool> AddIndexed(const CallPart& wanted, SearchIndex& index, EventSeq through, Call& call);
  Status AddNewer(const CallPart& wanted, EventSeq through, Call& call);

  History& history_;
  Journal& journal_;
  const Clock& clock_;
  Router& router_;
  const Indexer* const indexer_;
};

/// `filter` as a search: both must hold for what is listed by both.
void AddFilter(SearchFilter& search, const EventFilter& filter);

}  // namespace hookswitch
