#include "core/journal/verify.h"

#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "core/base/sync.h"
#include "core/journal/journal_files.h"
#include "core/journal/rows.h"
#include "core/journal/schema.h"
#include "core/journal/sqlite.h"
#include "core/journal/store.h"

namespace hookswitch {
namespace {

constexpr std::size_t kMaxShown = 20;
// Keys per batch: in a destroyed page each costs a search.
constexpr std::int64_t kKeysPerBatch = 1000;
constexpr std::chrono::milliseconds kPollEvery{20};

bool IsDamage(const Error& error) {
  return error.code == ErrorCode::kInvalid;
}

/// Interrupts `reader` once the log has grown by `most_frames`. `reader` must outlive it.
class LogWatch {
 public:
  LogWatch(Database& reader, std::uint32_t most_frames) : reader_(reader), most_frames_(most_frames) {
    thread_ = std::thread([this] { Run(); });
  }
  ~LogWatch() {
    {
      MutexLock lock(mu_);
      stop_ = true;
    }
    changed_.NotifyAll();
    thread_.join();
  }
  bool HasInterrupted() const { return interrupted_; }

 private:
  void Run() {
    auto db = Database::Open(reader_.Path(), Database::Mode::kRead);
    // A connection must have read once to know of the log.
    const bool sees = db && db->QueryInt("SELECT count(*) FROM sqlite_schema");
    std::optional<Database::Log> before;
    MutexLock lock(mu_);
    while (!stop_) {
      const auto now = sees ? db->ReadLog() : Result<Database::Log>(Error{});
      if (now && !before) before = *now;
      const std::uint32_t from = now && now->round == before->round ? before->frames : 0;
      // If the log's growth cannot be observed, do not hold it back either.
      if (!now || now->frames > from + most_frames_) {
        interrupted_ = true;
        reader_.Interrupt();
        return;
      }
      changed_.WaitUntil(mu_, std::chrono::steady_clock::now() + kPollEvery);
    }
  }

  Database& reader_;
  const std::uint32_t most_frames_;
  std::atomic<bool> interrupted_{false};
  Mutex mu_;
  CondVar changed_;
  bool stop_ GUARDED_BY(mu_) = false;
  std::thread thread_;
};

class Verifier {
 public:
  /// `beside`: nullptr if nobody else uses the file.
  Verifier(Database& db, const VerifyTuning* beside) : db_(db), beside_(beside) {}

  Result<VerifyReport> Run() {
    HSW_TRY(Prepare());
    HSW_TRY(CheckPages());
    HSW_TRY(CheckEvents());
    HSW_TRY(CheckBodies());
    HSW_TRY(CheckDeliveries());
    HSW_TRY(CheckAttempts());
    HSW_TRY(CheckReplays());
    return std::move(report_);
  }

 private:
  struct Statements {
    Statement events, bodies, deliveries, attempts, event, has_body, has_config, delivery, attempt, replays;
  };

  Status Prepare() {
    const std::pair<Statement*, std::string_view> statements[] = {
        {&sql_.events,
         "SELECT seq, first_delivery, deliveries, length(dedup), config FROM event WHERE seq >= ? AND seq <= ? "
         "ORDER BY seq"},
        {&sql_.bodies, "SELECT seq, sum, headers, body FROM raw WHERE seq >= ? AND seq <= ? ORDER BY seq"},
        {&sql_.deliveries,
         "SELECT seq, event, state, last_attempt, fallback FROM delivery WHERE seq >= ? AND seq <= ? ORDER BY seq"},
        {&sql_.attempts, "SELECT seq, delivery, kind FROM attempt WHERE seq >= ? AND seq <= ? ORDER BY seq"},
        {&sql_.event, "SELECT received_ms FROM event WHERE seq = ?"},
        {&sql_.has_body, "SELECT 1 FROM raw WHERE seq = ?"},
        {&sql_.has_config, "SELECT 1 FROM config WHERE number = ?"},
        {&sql_.delivery, "SELECT event FROM delivery WHERE seq = ?"},
        {&sql_.attempt, "SELECT delivery, previous FROM attempt WHERE seq = ?"},
        {&sql_.replays,
         "SELECT event, first_delivery, deliveries FROM replay WHERE (event, first_delivery) > (?, ?) "
         "ORDER BY event, first_delivery"},
    };
    for (const auto& [statement, text] : statements) {
      auto prepared = db_.Prepare(text);
      if (!prepared) return prepared.error();
      *statement = std::move(*prepared);
    }
    const auto salt = db_.QueryInt("SELECT value FROM meta WHERE key = 'salt'");
    if (!salt && !IsDamage(salt.error())) return salt.error();
    salt_ = static_cast<std::uint16_t>(salt ? *salt : 0);
    return Ok();
  }

  // Begins one read transaction: a consistent view while a router writes.
  Status BeginSlice() {
    slice_began_ = std::chrono::steady_clock::now();
    HSW_TRY(db_.Exec("BEGIN"));
    const auto floor = db_.QueryInt("SELECT value FROM meta WHERE key = 'pending_floor'");
    if (!floor && !IsDamage(floor.error())) return floor.error();
    floor_ = floor ? *floor : 0;
    return Ok();
  }
  bool IsSliceOver() const {
    return beside_ != nullptr && std::chrono::steady_clock::now() - slice_began_ >= beside_->slice;
  }
  Status EndSlice() {
    HSW_TRY(db_.Exec("ROLLBACK"));  // COMMIT would fail after damage
    if (beside_ == nullptr) return Ok();
    beside_->at_pause ? beside_->at_pause() : std::this_thread::sleep_for(beside_->pause);
    return Ok();
  }

  void Report(std::string_view kind, std::string_view what, std::string id = "", std::string other = "") {
    ++report_.bad;
    auto found = std::ranges::find_if(
        report_.findings, [&](const auto& finding) { return finding.kind == kind && finding.what == what; });
    if (found == report_.findings.end()) {
      found = report_.findings.insert(found, {.kind = std::string(kind), .what = std::string(what), .first = {}});
    }
    ++found->count;
    if (!id.empty() && found->first.size() < kMaxShown) found->first.push_back({std::move(id), std::move(other)});
  }

  // Damage is a finding; only other errors end the check.
  Status CheckPages() {
    HSW_TRY(BeginSlice());
    std::vector<std::string> messages;
    {
      std::optional<LogWatch> watch;
      if (beside_ != nullptr) watch.emplace(db_, beside_->most_frames);
      Status checked = RunIntegrityCheck(messages);
      report_.pages_checked = !watch || !watch->HasInterrupted();
      if (!checked && report_.pages_checked) return checked;
    }
    // Findings of an interrupted check are not reliable.
    if (report_.pages_checked) {
      for (std::string& line : messages) Report("file", "SQLite's own check of the pages", std::move(line));
    }
    return EndSlice();
  }

  Status RunIntegrityCheck(std::vector<std::string>& messages) {
    auto check = db_.Prepare("PRAGMA integrity_check(1000)");
    if (!check) return check.error();
    for (;;) {
      const auto row = check->Next();
      if (!row && !IsDamage(row.error())) return row.error();
      if (!row) messages.push_back(row.error().message);
      if (!row || !*row) return Ok();
      std::string_view text = check->Bytes(0);
      while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        if (line != "ok" && !line.starts_with("***")) messages.emplace_back(line);
      }
    }
  }

  /// The greatest possible key: a damaged last page must not hide rows that a start would read.
  Result<std::int64_t> LastOf(const std::string& table, const char* next) {
    std::int64_t last = 0;
    for (const std::string& sql :
         {"SELECT value - 1 FROM meta WHERE key = '" + std::string(next) + "'", "SELECT max(seq) FROM " + table}) {
      const auto found = db_.QueryInt(sql);
      if (!found && !IsDamage(found.error())) return found.error();
      if (found) last = std::max(last, *found);
    }
    return last;
  }

  /// Calls `check` for each row of `table`, a slice at a time.
  template <class Check>
  Status Scan(const char* kind, const char* table, const char* next, Statement& rows, Check check) {
    HSW_TRY(BeginSlice());
    const auto last = LastOf(table, next);
    if (!last) return last.error();
    std::int64_t after = 0;
    while (after < *last) {
      if (IsSliceOver()) {
        HSW_TRY(EndSlice());
        HSW_TRY(BeginSlice());
      }
      const std::int64_t end = std::min(*last - after, kKeysPerBatch) + after;
      bool stopped = false;
      const auto skipped = ScanRows(rows, after, end, [&](Statement& row) {
        after = row.Int(0);
        check(row);
        stopped = failed_ || IsSliceOver();
        return !stopped;
      });
      if (!skipped) return skipped.error();
      if (failed_) return *failed_;
      if (!stopped) after = end;
      for (std::int64_t i = 0; i < *skipped; ++i) Report(kind, "numbers that lie in pages that cannot be read");
    }
    return EndSlice();
  }

  /// Whether `statement` has a row for `key`, current until Reset; false if it is unreadable.
  bool Find(Statement& statement, std::int64_t key) {
    const auto row = statement.Bind(key).Next();
    if (!row && !IsDamage(row.error())) failed_ = row.error();
    return row && *row;
  }
  bool Has(Statement& statement, std::int64_t key) {
    const bool has = Find(statement, key);
    statement.Reset();
    return has;
  }
  bool IsDeliveryOf(EventSeq event, DeliverySeq delivery) {
    const bool is = Find(sql_.delivery, delivery) && sql_.delivery.Int(0) == event;
    sql_.delivery.Reset();
    return is;
  }
  /// If the row is unreadable the id's time part is unknown, but the id still leads to the same event.
  std::string IdOf(EventSeq event) {
    const std::int64_t received_ms = Find(sql_.event, event) ? sql_.event.Int(0) : 0;
    sql_.event.Reset();
    return EventId(Time(received_ms), salt_, event);
  }

  void CheckRun(const char* kind, EventSeq event, DeliverySeq first, std::int64_t count) {
    for (DeliverySeq delivery = first; delivery - first < count; ++delivery) {
      if (IsDeliveryOf(event, delivery)) continue;
      return Report(kind, "a delivery of it is not there", IdOf(event), DeliveryId(delivery));
    }
  }

  Status CheckEvents() {
    return Scan("event", "event", "next_event", sql_.events, [this](Statement& row) {
      ++report_.events;
      const EventSeq event = row.Int(0);
      if (row.Int(3) != static_cast<std::int64_t>(Digest().size()))
        Report("event", "its dedup key is damaged", IdOf(event));
      if (!Has(sql_.has_body, event)) Report("event", "its body is not there", IdOf(event));
      if (const std::int64_t config = row.Int(4); config != 0 && config != found_config_) {
        if (Has(sql_.has_config, config)) {
          found_config_ = config;
        } else {
          Report("event", "the config that routed it is not there", IdOf(event));
        }
      }
      CheckRun("event", event, row.Int(1), row.Int(2));
    });
  }

  Status CheckBodies() {
    return Scan("body", "raw", "next_event", sql_.bodies, [this](Statement& row) {
      const EventSeq event = row.Int(0);
      if (static_cast<std::uint64_t>(row.Int(1)) != SumOf(row.Bytes(2), row.Bytes(3))) {
        Report("body", "headers and body do not have the sum they were stored with", IdOf(event));
      }
      if (!Has(sql_.event, event)) Report("body", "its event is not there", IdOf(event));
    });
  }

  Status CheckDeliveries() {
    return Scan("delivery", "delivery", "next_delivery", sql_.deliveries, [this](Statement& row) {
      ++report_.deliveries;
      const DeliverySeq delivery = row.Int(0), fallback = row.Int(4);
      const EventSeq event = row.Int(1);
      const auto state = StateOf(row.Int(2));
      if (!state) Report("delivery", "its state is none", DeliveryId(delivery));
      if (state && IsOpen(*state)) {
        ++report_.pending;
        if (delivery < floor_) Report("delivery", "it waits, but a start would not look at it", DeliveryId(delivery));
      }
      if (!Has(sql_.event, event)) Report("delivery", "its event is not there", DeliveryId(delivery), IdOf(event));
      // One that came from PostgreSQL may have a lower number.
      if (fallback != 0 && (fallback == delivery || !IsDeliveryOf(event, fallback))) {
        Report("delivery", "its fallback is not there", DeliveryId(delivery), DeliveryId(fallback));
      }
      if (!IsChainWhole(delivery, row.Int(3)))
        Report("delivery", "some of its attempts are not there", DeliveryId(delivery));
    });
  }

  bool IsChainWhole(DeliverySeq delivery, std::int64_t attempt) {
    while (attempt != 0) {
      const bool is_its = Find(sql_.attempt, attempt) && sql_.attempt.Int(0) == delivery;
      const std::int64_t previous = is_its ? sql_.attempt.Int(1) : 0;
      sql_.attempt.Reset();
      if (!is_its || previous >= attempt || previous < 0) return false;
      attempt = previous;
    }
    return true;
  }

  Status CheckAttempts() {
    // There is no counter for attempts: SQLite assigns their numbers.
    return Scan("attempt", "attempt", "", sql_.attempts, [this](Statement& row) {
      ++report_.attempts;
      const DeliverySeq delivery = row.Int(1);
      if (!Has(sql_.delivery, delivery)) Report("attempt", "its delivery is not there", DeliveryId(delivery));
      if (row.Int(2) < 0 || row.Int(2) > static_cast<std::int64_t>(Outcome::Kind::kNext)) {
        Report("attempt", "its outcome is none", DeliveryId(delivery));
      }
    });
  }

  Status CheckReplays() {
    std::int64_t event = 0, first = 0;
    for (;;) {
      HSW_TRY(BeginSlice());
      sql_.replays.Bind(event, first);
      bool is_end = false;
      do {
        const auto row = sql_.replays.Next();
        if (!row && !IsDamage(row.error())) return row.error();
        if (!row) Report("replay", "what cannot be read", row.error().message);
        is_end = !row || !*row;
        if (is_end) break;
        event = sql_.replays.Int(0);
        first = sql_.replays.Int(1);
        if (!Has(sql_.event, event)) Report("replay", "its event is not there", IdOf(event));
        CheckRun("replay", event, first, sql_.replays.Int(2));
        if (failed_) return *failed_;
      } while (!IsSliceOver());
      sql_.replays.Reset();
      HSW_TRY(EndSlice());
      if (is_end) return Ok();
    }
  }

  Database& db_;
  const VerifyTuning* beside_;
  Statements sql_;
  std::uint16_t salt_ = 0;
  std::chrono::steady_clock::time_point slice_began_{};
  DeliverySeq floor_ = 0;  ///< pending floor of this slice
  std::int64_t found_config_ = 0;
  VerifyReport report_;
  std::optional<Error> failed_;
};

/// Changes whenever the file is written.
struct Version {
  ino_t inode = 0;
  off_t size = 0;
  timespec changed{};
  bool operator==(const Version& other) const {
    return inode == other.inode && size == other.size && changed.tv_sec == other.changed.tv_sec &&
           changed.tv_nsec == other.changed.tv_nsec;
  }
};
Version VersionOf(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return {};
  return {info.st_ino, info.st_size, info.st_mtim};
}

Result<VerifyReport> Verify(const std::string& path, const VerifyTuning* beside) {
  auto db = Database::Open(path, beside != nullptr ? Database::Mode::kRead : Database::Mode::kAlone);
  if (!db) return db.error();
  HSW_TRY(CheckSchema(*db));
  return Verifier(*db, beside).Run();
}

}  // namespace

Result<VerifyReport> VerifyJournal(const std::string& path, const VerifyTuning& tuning) {
  const auto named = [&path](Result<VerifyReport> report) -> Result<VerifyReport> {
    if (report) return report;
    return Error{report.error().code, "journal " + path + ": " + report.error().message};
  };
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return named(Error{ErrorCode::kUnavailable, std::strerror(errno)});
  if (!JournalLock::IsTaken(path)) {
    const Version before = VersionOf(path);
    auto report = Verify(path, nullptr);
    // A process that started to use it meanwhile may make it look damaged.
    if (!JournalLock::IsTaken(path) && VersionOf(path) == before) return named(std::move(report));
  }
  return named(Verify(path, &tuning));
}

}  // namespace hookswitch
