#include "core/journal/history_reader.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "core/journal/filter.h"
#include "core/journal/rows.h"
#include "core/journal/scan.h"
#include "core/journal/sqlite.h"

namespace hookswitch {
namespace {

// Keys that one call reads; fewer for a text search, because bodies are about 3 KB each.
constexpr std::int64_t kRowsPerCall = 20'000;
constexpr std::int64_t kBodiesPerCall = 5'000;

Error NotThere(const std::string& what) {
  return {ErrorCode::kNotFound, what + " is not in the journal (any more)"};
}
Error Damaged(const std::string& what) {
  return {ErrorCode::kInvalid, what + " is damaged on disk"};
}
Error Unreadable(const std::string& what, const Error& error) {
  return {error.code, what + " cannot be read: " + error.message};
}
std::string NameOf(EventSeq event) {
  return "event " + std::to_string(event);
}
std::string NameOfDelivery(DeliverySeq delivery) {
  return "delivery " + DeliveryId(delivery);
}
bool IsDamage(const Error& error) {
  return error.code == ErrorCode::kInvalid;
}

/// The key range of one call.
struct Window {
  std::int64_t before = 0, first = 0;
  bool is_last = false;

  template <class T>
  std::int64_t Next(const Page<T>& page, std::size_t limit) const {
    if (page.items.size() == limit) return page.items.back().seq > first || !is_last ? page.items.back().seq : 0;
    return is_last ? 0 : first;
  }
};

}  // namespace

/// Not thread-safe. Unusable after kUnavailable.
class HistoryReader::Connection {
 public:
  static Result<std::unique_ptr<Connection>> Open(const std::string& path, std::uint16_t salt) {
    auto opened = Database::Open(path, Database::Mode::kRead);
    if (!opened) return opened.error();
    std::unique_ptr<Connection> connection(new Connection(std::move(*opened), salt));
    HSW_TRY(connection->Prepare());
    return connection;
  }

  Result<Page<EventSummary>> ListEvents(const EventFilter& filter, EventSeq before, std::size_t limit) {
    Page<EventSummary> page;
    if (limit == 0) return page;
    const auto window =
        WindowOf(newest_event_, oldest_event_, before, filter.text.empty() ? kRowsPerCall : kBodiesPerCall);
    if (!window) return window.error();
    std::optional<Error> failed;
    const auto done = ScanRowsBack(events_, window->before, window->first, [&](Statement& row) {
      EventSummary event = EventOf(row, salt_);
      if (!Matches(filter, event)) return true;
      if (!filter.text.empty()) {
        const auto has = HasText(event.seq, filter.text);
        if (!has) failed = has.error();
        if (!has || !*has) return !failed;
      }
      page.items.push_back(std::move(event));
      return page.items.size() < limit;
    });
    if (!done) return done.error();
    if (failed) return *failed;
    page.next = window->Next(page, limit);
    return page;
  }

  Result<Page<DeliverySummary>> ListDeliveries(const DeliveryFilter& filter, DeliverySeq before, std::size_t limit,
                                               DeliverySeq floor) {
    if (filter.event != 0) return ListDeliveriesOfEvent(filter, before, limit);
    Page<DeliverySummary> page;
    if (limit == 0) return page;
    auto window = WindowOf(newest_delivery_, oldest_delivery_, before, kRowsPerCall);
    if (!window) return window.error();
    if (window->first <= floor && !filter.states.empty() && std::ranges::all_of(filter.states, IsOpen)) {
      window->first = floor;
      window->is_last = true;
    }
    std::optional<Error> failed;
    std::optional<EventSummary> event;  // of the previous row: deliveries of an event are adjacent
    EventSeq event_seq = 0;
    const auto done = ScanRowsBack(deliveries_, window->before, window->first, [&](Statement& row) {
      auto delivery = DeliveryOf(row);
      if (!delivery) return true;
      CountAsHeld(*delivery, filter.held_sinks);
      if (!Matches(filter, *delivery)) return true;
      if (delivery->event != std::exchange(event_seq, delivery->event)) {
        auto found = ReadEvent(delivery->event);
        event.reset();
        if (found) {
          event = std::move(*found);
        } else if (found.error().code == ErrorCode::kUnavailable) {
          failed = found.error();
          return false;
        }
      }
      if (!MatchesEvent(filter, event ? &*event : nullptr)) return true;
      if (event) Describe(*delivery, *event);
      Explain(*delivery, row.Int(kLastAttemptColumn));
      page.items.push_back(std::move(*delivery));
      return page.items.size() < limit;
    });
    if (!done) return done.error();
    if (failed) return *failed;
    page.next = window->Next(page, limit);
    return page;
  }

  Result<std::vector<Revision>> RevisionsOf(EventSeq event) {
    std::vector<Revision> all;
    revisions_.Bind(event);
    for (;;) {
      const auto row = revisions_.Next();
      if (!row) return row.error();
      if (!*row) return all;
      all.push_back({static_cast<std::uint32_t>(revisions_.Int(0)), Time(revisions_.Int(1)),
                     std::string(revisions_.Bytes(2)), std::string(revisions_.Bytes(3))});
    }
  }

  Result<Page<RefusedRequest>> ListRefused(std::int64_t before, std::size_t limit) {
    Page<RefusedRequest> page;
    if (limit == 0) return page;
    refused_.Bind(before > 0 ? before : std::numeric_limits<std::int64_t>::max());
    std::int64_t last = 0;
    for (;;) {
      const auto row = refused_.Next();
      // Damage in the table of rejected requests must not hide anything else.
      if (!row && !IsDamage(row.error())) return row.error();
      if (!row || !*row) return page;
      if (page.items.size() == limit) break;
      last = refused_.Int(0);
      page.items.push_back({.at = Time(refused_.Int(1)),
                            .source = std::string(refused_.Bytes(2)),
                            .peer = std::string(refused_.Bytes(3)),
                            .http_status = static_cast<int>(refused_.Int(4)),
                            .error = std::string(refused_.Bytes(5)),
                            .detail = std::string(refused_.Bytes(6)),
                            .path = std::string(refused_.Bytes(7))});
    }
    refused_.Reset();
    page.next = last;
    return page;
  }

  Result<EventSummary> FindEvent(EventSeq event) { return ReadEvent(event); }

  Result<std::vector<DeliverySummary>> DeliveriesOf(EventSeq seq) {
    const auto event = ReadEvent(seq);
    if (!event) return event.error();
    std::vector<std::pair<DeliverySeq, std::int64_t>> runs;
    runs_.Bind(seq);
    for (;;) {
      const auto row = runs_.Next();
      // Damage in the table of replays must not hide anything else.
      if (!row && !IsDamage(row.error())) return row.error();
      if (!row || !*row) break;
      runs.emplace_back(runs_.Int(0), runs_.Int(1));
    }
    std::vector<DeliverySummary> all;
    for (const auto& [first, count] : runs) {
      for (DeliverySeq place = first; place - first < count; ++place) {
        bool is_there = false;
        for (DeliverySeq delivery = place; delivery != 0;) {
          auto found = ReadDelivery(delivery);
          if (!found && found.error().code == ErrorCode::kUnavailable) return found.error();
          is_there = is_there || found || IsDamage(found.error());
          if (!found || found->event != seq) break;
          Describe(*found, *event);
          // A fallback is always stored later; anything else is damage.
          delivery = found->fallback > delivery ? found->fallback : 0;
          all.push_back(std::move(*found));
        }
        // Rows of a run are removed together, so a row after a gap is damage.
        if (!is_there) break;
      }
    }
    std::ranges::sort(all, {}, &DeliverySummary::seq);
    // A damaged run may list a delivery twice.
    const auto same = [](const DeliverySummary& a, const DeliverySummary& b) { return a.seq == b.seq; };
    all.erase(std::unique(all.begin(), all.end(), same), all.end());
    return all;
  }

  Result<DeliverySummary> FindDelivery(DeliverySeq seq) {
    auto delivery = ReadDelivery(seq);
    if (!delivery) return delivery;
    const auto event = ReadEvent(delivery->event);
    if (event) {
      Describe(*delivery, *event);
    } else if (event.error().code == ErrorCode::kUnavailable) {
      return event.error();
    }
    return delivery;
  }

  Result<std::vector<StoredAttempt>> AttemptsOf(DeliverySeq seq) {
    std::int64_t last_attempt = 0;
    const auto delivery = ReadDelivery(seq, &last_attempt);
    if (!delivery) return delivery.error();
    std::vector<StoredAttempt> attempts;
    while (last_attempt != 0) {
      const auto row = attempt_.Bind(last_attempt).Next();
      if (!row && !IsDamage(row.error())) return row.error();
      // A broken chain ends here: older attempts cannot be found.
      if (!row || !*row) break;
      const std::int64_t previous = attempt_.Int(0);
      auto attempt = AttemptOf(attempt_);
      attempt_.Reset();
      if (attempt) attempts.push_back(std::move(*attempt));
      last_attempt = previous < last_attempt ? previous : 0;
    }
    std::ranges::reverse(attempts);
    return attempts;
  }

 private:
  Connection(Database db, std::uint16_t salt) : db_(std::move(db)), salt_(salt) {}

  Status Prepare() {
    const std::string event = "SELECT " + std::string(kEventColumns) + " FROM event WHERE seq ";
    const std::string delivery = "SELECT " + std::string(kDeliveryColumns) + " FROM delivery WHERE seq ";
    const std::pair<Statement*, std::string> statements[] = {
        {&events_, event + ">= ?1 AND seq <= ?2 ORDER BY seq DESC"},
        {&newest_event_, "SELECT seq FROM event WHERE seq < ? ORDER BY seq DESC LIMIT 1"},
        {&oldest_event_, "SELECT seq FROM event ORDER BY seq LIMIT 1"},
        {&deliveries_, delivery + ">= ?1 AND seq <= ?2 ORDER BY seq DESC"},
        {&newest_delivery_, "SELECT seq FROM delivery WHERE seq < ? ORDER BY seq DESC LIMIT 1"},
        {&oldest_delivery_, "SELECT seq FROM delivery ORDER BY seq LIMIT 1"},
        {&event_, event + "= ?"},
        {&body_, "SELECT body FROM raw WHERE seq = ?"},
        {&delivery_, delivery + "= ?"},
        {&attempt_, "SELECT " + std::string(kAttemptColumns) + " FROM attempt WHERE seq = ?"},
        {&runs_,
         "SELECT first_delivery, deliveries FROM event WHERE seq = ?1 UNION ALL "
         "SELECT first_delivery, deliveries FROM replay WHERE event = ?1"},
        {&revisions_, "SELECT number, until_ms, headers, body FROM revision WHERE event = ? ORDER BY number"},
        {&refused_,
         "SELECT number, at_ms, source, peer, http_status, error, detail, path FROM refused WHERE number < ? "
         "ORDER BY number DESC"},
    };
    for (const auto& [statement, text] : statements) {
      auto prepared = db_.Prepare(text);
      if (!prepared) return prepared.error();
      *statement = std::move(*prepared);
    }
    return Ok();
  }

  // Retention leaves long gaps, so the window starts at an existing row.
  Result<Window> WindowOf(Statement& newest_below, Statement& oldest, std::int64_t before, std::int64_t rows) {
    Window window{before > 0 ? before : std::numeric_limits<std::int64_t>::max(), 1, true};
    const auto newest = newest_below.Bind(window.before).Next();
    if (newest && *newest) {
      window.before = newest_below.Int(0) + 1;
      newest_below.Reset();
    } else if (newest) {
      return Window{1, 1, true};
    } else if (!IsDamage(newest.error())) {
      return newest.error();
    }
    const auto first = oldest.Next();
    if (first && *first) {
      window.first = oldest.Int(0);
      oldest.Reset();
    } else if (!first && !IsDamage(first.error())) {
      return first.error();
    }
    if (window.before - window.first > rows) {
      window.first = window.before - rows;
      window.is_last = false;
    }
    return window;
  }

  Result<Page<DeliverySummary>> ListDeliveriesOfEvent(const DeliveryFilter& filter, DeliverySeq before,
                                                      std::size_t limit) {
    Page<DeliverySummary> page;
    const auto event = ReadEvent(filter.event);
    if (!event && event.error().code == ErrorCode::kUnavailable) return event.error();
    if (!event || limit == 0) return page;
    auto all = DeliveriesOf(filter.event);
    if (!all) return all.error();
    for (auto delivery = all->rbegin(); delivery != all->rend(); ++delivery) {
      if (before > 0 && delivery->seq >= before) continue;
      if (page.items.size() == limit) {
        page.next = page.items.back().seq;
        break;
      }
      CountAsHeld(*delivery, filter.held_sinks);
      if (Matches(filter, *delivery) && MatchesEvent(filter, &*event)) page.items.push_back(std::move(*delivery));
    }
    return page;
  }

  Result<EventSummary> ReadEvent(EventSeq event) {
    const auto row = event_.Bind(event).Next();
    if (!row) return Unreadable(NameOf(event), row.error());
    if (!*row) return NotThere(NameOf(event));
    EventSummary summary = EventOf(event_, salt_);
    event_.Reset();
    return summary;
  }

  Result<DeliverySummary> ReadDelivery(DeliverySeq seq, std::int64_t* last_attempt = nullptr) {
    const auto row = delivery_.Bind(seq).Next();
    if (!row) return Unreadable(NameOfDelivery(seq), row.error());
    if (!*row) return NotThere(NameOfDelivery(seq));
    auto delivery = DeliveryOf(delivery_);
    const std::int64_t attempt = delivery_.Int(kLastAttemptColumn);
    delivery_.Reset();
    if (!delivery) return Damaged(NameOfDelivery(seq));
    Explain(*delivery, attempt);
    if (last_attempt != nullptr) *last_attempt = attempt;
    return std::move(*delivery);
  }

  Result<bool> HasText(EventSeq event, const std::string& text) {
    const auto row = body_.Bind(event).Next();
    if (!row) return IsDamage(row.error()) ? Result(false) : Result<bool>(row.error());
    if (!*row) return false;
    const bool has = body_.Bytes(0).find(text) != std::string_view::npos;
    body_.Reset();
    return has;
  }

  // If the last attempt is unreadable, the delivery is shown without a reason.
  void Explain(DeliverySummary& delivery, std::int64_t last_attempt) {
    if (last_attempt == 0 || !delivery.code.empty() || !delivery.reason.empty()) return;
    const auto row = attempt_.Bind(last_attempt).Next();
    if (!row || !*row) return;
    const auto attempt = AttemptOf(attempt_);
    attempt_.Reset();
    if (attempt) hookswitch::Explain(delivery, *attempt);
  }

  Database db_;
  const std::uint16_t salt_;
  Statement events_, newest_event_, oldest_event_;
  Statement deliveries_, newest_delivery_, oldest_delivery_;
  Statement event_, body_, delivery_, attempt_, runs_, refused_, revisions_;
};

HistoryReader::HistoryReader(std::string path, std::uint16_t salt) : path_(std::move(path)), salt_(salt) {}
HistoryReader::~HistoryReader() = default;

template <class Answer, class... Parameters, class... Arguments>
Answer HistoryReader::Ask(Answer (Connection::*question)(Parameters...), const Arguments&... arguments) {
  MutexLock lock(mu_);
  if (closed_) return Error{ErrorCode::kUnavailable, "the journal is closed"};
  if (!connection_) {
    auto opened = Connection::Open(path_, salt_);
    if (!opened) return opened.error();
    connection_ = std::move(*opened);
  }
  Answer answer = ((*connection_).*question)(arguments...);
  if (!answer && answer.error().code == ErrorCode::kUnavailable) connection_.reset();
  return answer;
}

void HistoryReader::Close() {
  MutexLock lock(mu_);
  closed_ = true;
  connection_.reset();
}

Result<Page<EventSummary>> HistoryReader::ListEvents(const EventFilter& filter, EventSeq before, std::size_t limit) {
  return Ask(&Connection::ListEvents, filter, before, limit);
}
Result<Page<DeliverySummary>> HistoryReader::ListDeliveries(const DeliveryFilter& filter, DeliverySeq before,
                                                            std::size_t limit, DeliverySeq floor) {
  return Ask(&Connection::ListDeliveries, filter, before, limit, floor);
}
Result<EventSummary> HistoryReader::FindEvent(EventSeq event) {
  return Ask(&Connection::FindEvent, event);
}
Result<std::vector<DeliverySummary>> HistoryReader::DeliveriesOf(EventSeq event) {
  return Ask(&Connection::DeliveriesOf, event);
}
Result<DeliverySummary> HistoryReader::FindDelivery(DeliverySeq delivery) {
  return Ask(&Connection::FindDelivery, delivery);
}
Result<std::vector<StoredAttempt>> HistoryReader::AttemptsOf(DeliverySeq delivery) {
  return Ask(&Connection::AttemptsOf, delivery);
}

Result<std::vector<Revision>> HistoryReader::RevisionsOf(EventSeq event) {
  return Ask(&Connection::RevisionsOf, event);
}
Result<Page<RefusedRequest>> HistoryReader::ListRefused(std::int64_t before, std::size_t limit) {
  return Ask(&Connection::ListRefused, before, limit);
}

}  // namespace hookswitch
