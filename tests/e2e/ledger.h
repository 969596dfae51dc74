#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/base/sync.h"
#include "core/journal/journal.h"

namespace hookswitch::e2e {

/// An event of the ledger: call `number`, and whether it is the call's first status or its last.
struct LedgerEvent {
  std::size_t call = 0;
  bool last = false;
};

/// What a journal says of one delivery.
struct JournalLine {
  LedgerEvent event;
  std::string sink;
  DeliveryState state = DeliveryState::kPending;
  std::string code, reason;  ///< of its last attempt
};
/// Every delivery in the journal file of a router that has ended.
std::vector<JournalLine> ReadJournal(const std::string& path);

/// Keeps account of numbered events: which were answered, what arrived where and how often, and whether that balances
/// with the journal in the end. Safe from any thread.
class Ledger {
 public:
  /// Every event is for all of `sinks`; each has at most `concurrency` deliveries in flight.
  Ledger(std::vector<std::string> sinks, int concurrency);

  /// A request was answered: 200 with the event's id, or anything else, in a word ("503", "reset").
  void Answered(LedgerEvent event, const std::string& id, bool duplicate);
  void NotAnswered(const std::string& word);
  /// A person at `sink` would see the event; `told`: the router heard that it was posted.
  void Arrived(const std::string& sink, LedgerEvent event, bool told);
  /// `sink` has answered that it will never take the event, which `word` ("invalid_blocks") is about. It may say so of
  /// other events for reasons of its own, but not with this word.
  void Refused(const std::string& sink, LedgerEvent event, const std::string& word);
  /// From here to the next Calm what is in flight to `sink` ("": to every sink) may be lost on its way, and repeated:
  /// the router is killed, or every connection to the sink is cut.
  void Disturbed(const std::string& sink = {});
  void Calm(const std::string& sink = {});
  /// Something that must never be, seen on the way.
  void Wrong(const std::string& what);

  std::size_t AnsweredCount() const;
  /// Waits until that many are answered or `timeout` has passed.
  void WaitForAnswered(std::size_t count, std::chrono::milliseconds timeout) const;

  /// Everything that is wrong, the first few of each kind; empty if it balances.
  std::vector<std::string> Check(const std::vector<JournalLine>& journal) const;
  /// The books as people read them.
  std::string Told(const std::vector<JournalLine>& journal) const;

 private:
  struct Arrivals {
    std::uint32_t times = 0;
    std::uint32_t period = 0;  ///< of the last one
    bool told = true;          ///< of the last one
  };
  /// Time at a sink between two changes of Disturbed and Calm.
  struct Period {
    bool disturbed = false;
    std::size_t repeats = 0;  ///< of what arrived in it and was told, then or later
  };
  struct Sink {
    std::vector<Arrivals> arrivals;  ///< by event number
    std::vector<Period> periods{1};
    std::map<std::size_t, std::string> refused;  ///< by event number, the word
    std::size_t out_of_order = 0, repeats = 0;
    std::size_t for_nothing = 0;  ///< of the repeats: nothing had happened since it was told
  };
  static std::size_t NumberOf(LedgerEvent event) { return event.call * 2 + (event.last ? 1 : 0); }
  static std::string Name(std::size_t number);
  void BeginPeriod(const std::string& sink, bool disturbed);

  const std::size_t concurrency_;
  mutable Mutex mu_;
  mutable CondVar changed_;
  std::map<std::string, Sink> sinks_ GUARDED_BY(mu_);
  std::vector<std::string> ids_ GUARDED_BY(mu_);  ///< by event number; "": not answered
  std::vector<bool> stored_ GUARDED_BY(mu_);      ///< answered as new, not as a duplicate
  std::size_t answered_ GUARDED_BY(mu_) = 0;
  std::size_t duplicates_ GUARDED_BY(mu_) = 0;
  std::map<std::string, std::size_t> others_ GUARDED_BY(mu_);
  std::vector<std::string> wrong_ GUARDED_BY(mu_);
};

}  // namespace hookswitch::e2e
