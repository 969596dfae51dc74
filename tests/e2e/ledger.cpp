#include "tests/e2e/ledger.h"

#include <sqlite3.h>

#include <memory>
#include <set>

#include "core/base/check.h"
#include "tests/e2e/router.h"

namespace hookswitch::e2e {
namespace {

constexpr std::size_t kToldOfEachKind = 5;

/// Problems of one kind: the first few in words, the others counted.
class Kind {
 public:
  Kind(std::vector<std::string>& problems, std::string what) : problems_(problems), what_(std::move(what)) {}
  ~Kind() {
    if (count_ > kToldOfEachKind) problems_.push_back(what_ + ": " + std::to_string(count_) + " in all");
  }
  Kind(const Kind&) = delete;
  Kind& operator=(const Kind&) = delete;
  void Add(const std::string& which) {
    if (++count_ <= kToldOfEachKind) problems_.push_back(what_ + ": " + which);
  }

 private:
  std::vector<std::string>& problems_;
  const std::string what_;
  std::size_t count_ = 0;
};

std::string Column(sqlite3_stmt* row, int index) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(row, index));
  return text == nullptr ? "" : text;
}

}  // namespace

std::vector<JournalLine> ReadJournal(const std::string& path) {
  sqlite3* opened = nullptr;
  const int result = sqlite3_open_v2(path.c_str(), &opened, SQLITE_OPEN_READWRITE, nullptr);
  const std::unique_ptr<sqlite3, decltype(&sqlite3_close)> db(opened, &sqlite3_close);
  HSW_CHECK(result == SQLITE_OK, "the router has left its journal");
  sqlite3_stmt* prepared = nullptr;
  sqlite3_prepare_v2(db.get(),
                     "SELECT e.call_id, e.status, d.sink, d.state, CASE WHEN d.code <> '' THEN d.code ELSE a.code END,"
                     " CASE WHEN d.because <> '' THEN d.because ELSE a.reason END FROM delivery d"
                     " JOIN event e ON e.seq = d.event LEFT JOIN attempt a ON a.seq = d.last_attempt",
                     -1, &prepared, nullptr);
  const std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)> rows(prepared, &sqlite3_finalize);
  HSW_CHECK(prepared != nullptr, "the journal has these tables");
  std::vector<JournalLine> lines;
  int step = 0;
  while ((step = sqlite3_step(prepared)) == SQLITE_ROW) {
    const auto call = CallNumberIn(Column(prepared, 0));
    HSW_CHECK(call, "only calls of the ledger were sent");
    lines.push_back({.event = {.call = *call, .last = Column(prepared, 1) == "completed"},
                     .sink = Column(prepared, 2),
                     .state = static_cast<DeliveryState>(sqlite3_column_int(prepared, 3)),
                     .code = Column(prepared, 4),
                     .reason = Column(prepared, 5)});
  }
  HSW_CHECK(step == SQLITE_DONE, "the journal can be read to its end");
  return lines;
}

Ledger::Ledger(std::vector<std::string> sinks, int concurrency) : concurrency_(static_cast<std::size_t>(concurrency)) {
  MutexLock lock(mu_);
  for (std::string& sink : sinks) sinks_[std::move(sink)];
}

std::string Ledger::Name(std::size_t number) {
  return "call " + std::to_string(number / 2) + (number % 2 == 0 ? " first" : " last");
}

void Ledger::Answered(LedgerEvent event, const std::string& id, bool duplicate) {
  const std::size_t number = NumberOf(event);
  MutexLock lock(mu_);
  if (ids_.size() <= number) {
    ids_.resize(number + 1);
    stored_.resize(number + 1);
  }
  if (id.empty()) wrong_.push_back("answered without an id: " + Name(number));
  if (!ids_[number].empty() && ids_[number] != id) wrong_.push_back("answered with two ids: " + Name(number));
  if (!duplicate && stored_[number]) wrong_.push_back("answered twice as new: " + Name(number));
  if (duplicate) ++duplicates_;
  if (!duplicate) stored_[number] = true;
  if (ids_[number].empty()) ++answered_;
  ids_[number] = id;
  changed_.NotifyAll();
}

void Ledger::NotAnswered(const std::string& word) {
  MutexLock lock(mu_);
  ++others_[word];
}

void Ledger::Arrived(const std::string& name, LedgerEvent event, bool told) {
  const std::size_t number = NumberOf(event);
  MutexLock lock(mu_);
  Sink& sink = sinks_[name];
  if (sink.arrivals.size() < (event.call + 1) * 2) sink.arrivals.resize((event.call + 1) * 2);
  Arrivals& arrivals = sink.arrivals[number];
  const auto now = static_cast<std::uint32_t>(sink.periods.size() - 1);
  if (arrivals.times > 0) {
    ++sink.repeats;
    if (arrivals.told && arrivals.period == now && !sink.periods[now].disturbed) ++sink.for_nothing;
    if (arrivals.told) ++sink.periods[arrivals.period].repeats;
  }
  if (!event.last && sink.arrivals[number + 1].times > 0) ++sink.out_of_order;
  arrivals = {arrivals.times + 1, now, told};
}

void Ledger::Refused(const std::string& sink, LedgerEvent event, const std::string& word) {
  MutexLock lock(mu_);
  sinks_[sink].refused[NumberOf(event)] = word;
}

void Ledger::BeginPeriod(const std::string& name, bool disturbed) {
  MutexLock lock(mu_);
  for (auto& [each, sink] : sinks_) {
    if (name.empty() || each == name) sink.periods.push_back({disturbed, 0});
  }
}

void Ledger::Disturbed(const std::string& sink) {
  BeginPeriod(sink, true);
}
void Ledger::Calm(const std::string& sink) {
  BeginPeriod(sink, false);
}

void Ledger::Wrong(const std::string& what) {
  MutexLock lock(mu_);
  wrong_.push_back(what);
}

std::size_t Ledger::AnsweredCount() const {
  MutexLock lock(mu_);
  return answered_;
}

void Ledger::WaitForAnswered(std::size_t count, std::chrono::milliseconds timeout) const {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  MutexLock lock(mu_);
  while (answered_ < count && std::chrono::steady_clock::now() < deadline) changed_.WaitUntil(mu_, deadline);
}

std::vector<std::string> Ledger::Check(const std::vector<JournalLine>& journal) const {
  MutexLock lock(mu_);
  std::vector<std::string> problems = wrong_;
  const auto was_answered = [&](std::size_t number)
                                REQUIRES(mu_) { return number < ids_.size() && !ids_[number].empty(); };
  std::map<std::string, std::vector<const JournalLine*>> lines;  // by sink and event number
  for (const auto& [name, sink] : sinks_) lines[name].resize(ids_.size());
  {
    Kind unknown(problems, "stored, but nobody was told");
    Kind twice(problems, "stored twice");
    for (const JournalLine& line : journal) {
      const std::size_t number = NumberOf(line.event);
      if (!was_answered(number) || !sinks_.contains(line.sink)) {
        unknown.Add(Name(number) + " for " + line.sink);
        continue;
      }
      const JournalLine*& known = lines[line.sink][number];
      if (known != nullptr) twice.Add(Name(number) + " for " + line.sink);
      known = &line;
    }
  }
  for (const auto& [name, sink] : sinks_) {
    Kind lost(problems, "answered, but not stored for " + name);
    Kind open(problems, "neither delivered nor dead at " + name);
    Kind unexplained(problems, "dead without a reason at " + name);
    Kind missing(problems, "delivered, but never seen at " + name);
    Kind insisted(problems, "refused, but not dead at " + name);
    Kind blamed(problems, "dead for what was said of another, at " + name);
    std::set<std::string> words;
    for (const auto& [number, word] : sink.refused) words.insert(word);
    Kind invented(problems, "seen, but never answered, at " + name);
    for (std::size_t number = 0; number < ids_.size(); ++number) {
      if (!was_answered(number)) continue;
      const JournalLine* line = lines[name][number];
      const bool arrived = number < sink.arrivals.size() && sink.arrivals[number].times > 0;
      const bool refused = sink.refused.contains(number);
      if (line == nullptr) {
        lost.Add(Name(number));
      } else if (refused && line->state != DeliveryState::kDead) {
        insisted.Add(Name(number) + " is " + std::string(ToString(line->state)));
      } else if (!refused && line->state == DeliveryState::kDead && words.contains(line->code)) {
        blamed.Add(Name(number));
      } else if (line->state == DeliveryState::kDead) {
        if (line->code.empty() || line->reason.empty()) unexplained.Add(Name(number));
      } else if (line->state != DeliveryState::kDelivered) {
        open.Add(Name(number) + " is " + std::string(ToString(line->state)));
      } else if (!arrived) {
        missing.Add(Name(number));
      }
    }
    for (std::size_t number = 0; number < sink.arrivals.size(); ++number) {
      if (sink.arrivals[number].times > 0 && !was_answered(number)) invented.Add(Name(number));
    }
    if (sink.out_of_order != 0)
      problems.push_back("out of order at " + name + ": " + std::to_string(sink.out_of_order));
    if (sink.for_nothing != 0) {
      problems.push_back("repeated without a reason at " + name + ": " + std::to_string(sink.for_nothing));
    }
    Kind repeated(problems, "more repeated than was in flight at " + name);
    for (const Period& period : sink.periods) {
      if (period.repeats > concurrency_) repeated.Add(std::to_string(period.repeats));
    }
  }
  return problems;
}

std::string Ledger::Told(const std::vector<JournalLine>& journal) const {
  MutexLock lock(mu_);
  std::string told = "answered " + std::to_string(answered_) + " events, and " + std::to_string(duplicates_) +
                     " times again as duplicates; not answered:";
  for (const auto& [word, count] : others_) told += " " + word + " " + std::to_string(count) + ",";
  told += others_.empty() ? " none\n" : "\n";
  for (const auto& [name, sink] : sinks_) {
    std::size_t delivered = 0;
    std::map<std::string, std::size_t> dead;
    for (const JournalLine& line : journal) {
      if (line.sink != name) continue;
      if (line.state == DeliveryState::kDelivered) ++delivered;
      if (line.state == DeliveryState::kDead) ++dead[line.code];
    }
    told += "sink " + name + ": delivered " + std::to_string(delivered) + ", dead";
    for (const auto& [code, count] : dead) told += " " + code + " " + std::to_string(count) + ",";
    told += (dead.empty() ? std::string(" none,") : std::string()) + " repeated " + std::to_string(sink.repeats) +
            " in " + std::to_string(sink.periods.size() / 2) + " disturbances, refused " +
            std::to_string(sink.refused.size()) + "\n";
  }
  return told;
}

}  // namespace hookswitch::e2e
