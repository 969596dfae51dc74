#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "core/admin/router.h"
#include "core/base/clock.h"
#include "core/base/sync.h"
#include "core/journal/history.h"
#include "core/journal/journal.h"
#include "core/journal/search_index.h"
#include "core/journal/search_words.h"

namespace hookswitch {

/// Keeps the search index of a journal up to date, behind it: new events in their order, revised ones again, changed
/// deliveries, and removes what retention has removed, its words within a day. Nothing waits for it. If the index
/// cannot be used it says so once (search_unavailable), tries again every half minute, and searches read the journal
/// meanwhile.
///
/// What changed while nobody followed (a crash, more changes at once than History::Changes keeps) is found by comparing
/// every indexed event with the journal, newest first, when there is nothing else to do.
class Indexer {
 public:
  /// The references outlive it. Does nothing until Start or Pass.
  Indexer(std::string journal_path, Journal& journal, Router& router, const Clock& clock);
  ~Indexer();

  /// [thread: control] Begins to follow the journal on a thread of its own, of the lowest priority.
  void Start();
  /// [thread: control] Ends the thread, in some milliseconds, and closes the index. Before Journal::Close.
  void Stop();

  /// [thread: search; in tests any single one] Does a part of what is to be done, some milliseconds' worth. Returns
  /// whether there is more.
  bool Pass();

  /// How long to rest after a pass that took `spent` and left `more` to do, while `arrived` events came within
  /// `elapsed`: never less than a few times `spent` while many come, so that accepting them has the machine.
  static std::chrono::nanoseconds RestAfter(std::chrono::nanoseconds spent, bool more, bool was_busy,
                                            std::uint64_t arrived, std::chrono::nanoseconds elapsed);

  /// [thread: any] The index, or nullptr while there is none to be used. Holding it keeps it open.
  std::shared_ptr<SearchIndex> index() const;
  /// [thread: any]
  IndexStatus StatusNow() const;

 private:
  void Run();
  bool IsStopping() const;
  Status Open();
  Result<bool> IsOfJournal(SearchIndex& index);
  Status Reset(std::string_view reason);
  void BeginAt(EventSeq oldest);
  void Failed(const Error& error);
  void TakeChanges();
  Status Tend();
  // Steps of a pass: whether there is more of the same.
  Result<bool> AddNew();
  Result<bool> AddRevised();
  Result<bool> UpdateOutcomes();
  Result<bool> RefreshOpen();
  Result<bool> RemoveOld();
  Result<bool> CompareSome();
  Result<bool> RewriteText();
  Status Update(const std::vector<EventSeq>& events);
  /// Empty if the event is gone. A damaged body is as none.
  Result<std::optional<IndexedEvent>> Read(EventSeq event);

  const std::string journal_path_;
  Journal& journal_;
  History& history_;
  Router& router_;
  const Clock& clock_;

  // [thread: search]
  WordSplitter splitter_;
  ChangeCursor cursor_;
  EventSeq newest_ = 0, oldest_ = 0, removed_below_ = 0;
  std::set<DeliverySeq> changed_;
  std::set<EventSeq> revised_;
  std::optional<EventSeq> refresh_after_{};  ///< open events after it are still to be read again
  EventSeq compare_before_ = 0;              ///< events below it are still to be compared; 0: none
  std::optional<MonoTime> retry_at_{}, tend_at_{}, prune_at_{}, gaps_at_{};
  bool had_much_text_ = false;  ///< since free memory was returned
  bool failing_ = false;

  mutable Mutex mu_;
  CondVar changed_state_;
  bool stopping_ GUARDED_BY(mu_) = false;
  std::shared_ptr<SearchIndex> index_ GUARDED_BY(mu_);
  std::thread thread_;
};

}  // namespace hookswitch
