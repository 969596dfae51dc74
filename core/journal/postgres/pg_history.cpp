#include "core/journal/postgres/pg_history.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include "core/journal/postgres/pg_rows.h"

namespace hookswitch::pg {
namespace {

/// Rows that one call for a page reads at most; with a text, whose bodies are searched.
constexpr std::int64_t kRowsPerCall = 1000, kBodiesPerCall = 200;

Error NotThere(std::string_view what) {
  return {ErrorCode::kNotFound, std::string(what) + " is not in the journal (any more)"};
}

std::int64_t Below(std::int64_t before) {
  return before > 0 ? before : std::numeric_limits<std::int64_t>::max();
}

std::string Columns(std::string_view columns, std::string_view table) {
  std::string named;
  for (std::size_t start = 0; start < columns.size();) {
    const std::size_t end = std::min(columns.find(", ", start), columns.size());
    named += (named.empty() ? "" : ", ") + std::string(table) + "." + std::string(columns.substr(start, end - start));
    start = end + 2;
  }
  return named;
}

/// Adds what `deliveries` say of their events and their last attempts.
Status Complete(Connection& connection, std::vector<DeliverySummary>& deliveries, std::uint16_t salt) {
  if (deliveries.empty()) return Ok();
  std::vector<std::int64_t> seqs, events;
  for (const DeliverySummary& delivery : deliveries) {
    seqs.push_back(delivery.seq);
    events.push_back(delivery.event);
  }
  static const std::string kEvents = "SELECT " + std::string(kEventColumns) + " FROM @event WHERE seq = ANY($1)";
  static const std::string kAttempts = "SELECT DISTINCT ON (delivery) " + std::string(kAttemptColumns) +
                                       " FROM @attempt WHERE delivery = ANY($1) ORDER BY delivery, seq DESC";
  connection.Send(kEvents, Params().Add(events));
  connection.Send(kAttempts, Params().Add(seqs));
  const auto found = connection.Receive();
  if (!found) return found.error();
  std::map<EventSeq, EventSummary> event_of;
  for (int row = 0; row < (*found)[0].rows(); ++row) {
    EventSummary event = EventOf((*found)[0], row, salt);
    event_of.emplace(event.seq, std::move(event));
  }
  std::map<DeliverySeq, StoredAttempt> last_of;
  for (int row = 0; row < (*found)[1].rows(); ++row) {
    last_of.emplace((*found)[1].Int(row, 0), AttemptOf((*found)[1], row));
  }
  for (DeliverySummary& delivery : deliveries) {
    if (const auto event = event_of.find(delivery.event); event != event_of.end()) Describe(delivery, event->second);
    if (const auto last = last_of.find(delivery.seq); last != last_of.end()) Explain(delivery, last->second);
  }
  return Ok();
}

Result<std::vector<DeliverySummary>> DeliveriesOfEvent(Connection& connection, EventSeq event, std::uint16_t salt) {
  static const std::string kColumns = Columns(kDeliveryColumns, "d");
  static const std::string kSelect =
      "SELECT " + kColumns +
      " FROM @event e JOIN @delivery d ON d.seq >= e.first_delivery AND d.seq < e.first_delivery + e.deliveries "
      "WHERE e.seq = $1 UNION ALL SELECT " +
      kColumns + " FROM @more m JOIN @delivery d ON d.seq = m.delivery WHERE m.event = $1 ORDER BY 1";
  connection.Send("SELECT 1 FROM @event WHERE seq = $1", Params().Add(event));
  connection.Send(kSelect, Params().Add(event));
  const auto found = connection.Receive();
  if (!found) return found.error();
  if ((*found)[0].rows() == 0) return NotThere("event " + std::to_string(event));
  std::vector<DeliverySummary> all;
  for (int row = 0; row < (*found)[1].rows(); ++row) all.push_back(DeliveryOf((*found)[1], row));
  HSW_TRY(Complete(connection, all, salt));
  return all;
}

/// At most `limit` rows below `before`, newest first. `numbers` reads a row; `columns` begin with its number.
template <class T, class Read>
Result<Page<T>> PageOf(Connection& connection, std::string_view select, std::int64_t before, std::size_t limit,
                       Read read) {
  Page<T> page;
  if (limit == 0) return page;
  const auto found = connection.Run(std::string(select) + " ORDER BY number DESC LIMIT $2",
                                    Params().Add(Below(before)).Add(static_cast<std::int64_t>(limit) + 1));
  if (!found) return found.error();
  for (int row = 0; row < found->rows(); ++row) {
    if (page.items.size() == limit) {
      page.next = page.items.back().number;
      break;
    }
    page.items.push_back(read(*found, row));
  }
  return page;
}

}  // namespace

Result<std::vector<PendingDelivery>> LoadPending(Reader& reader, DeliverySeq after, std::size_t limit) {
  return reader.With([&](Connection& connection) -> Result<std::vector<PendingDelivery>> {
    static const std::string kSelect = "SELECT " + std::string(kDeliveryColumns) +
                                       " FROM @delivery WHERE state < 2 AND seq > $1 ORDER BY seq LIMIT $2";
    const auto found = connection.Run(kSelect, Params().Add(after).Add(static_cast<std::int64_t>(limit)));
    if (!found) return found.error();
    std::vector<PendingDelivery> pending;
    for (int row = 0; row < found->rows(); ++row) pending.push_back(PendingOf(*found, row));
    return pending;
  });
}

Result<std::vector<LaneDue>> LoadLanes(Reader& reader) {
  return reader.With([&](Connection& connection) -> Result<std::vector<LaneDue>> {
    const auto found = connection.Run("SELECT sink, due_ms, paused, until_ms, because FROM @lane ORDER BY sink");
    if (!found) return found.error();
    std::vector<LaneDue> lanes;
    for (int row = 0; row < found->rows(); ++row) {
      LaneDue& lane = lanes.emplace_back(LaneDue{Text(*found, row, 0), Time(found->Int(row, 1))});
      if (found->Int(row, 2) != 0) lane.pause = Pause{Time(found->Int(row, 3)), Text(*found, row, 4)};
    }
    return lanes;
  });
}

Result<std::vector<RouterCard>> ListRouters(Reader& reader, std::int64_t router) {
  return reader.With([&](Connection& connection) -> Result<std::vector<RouterCard>> {
    const auto found = connection.Run(
        "SELECT r.number, convert_to(r.name, 'UTF8'), r.version, r.config, r.sinks, "
        "(extract(epoch FROM clock_timestamp() - r.seen) * 1000)::bigint, "
        "l.router IS NOT NULL FROM @router r LEFT JOIN @lease l ON l.router = r.number AND l.expires > "
        "clock_timestamp() WHERE r.seen > clock_timestamp() - interval '1 day' ORDER BY r.name");
    if (!found) return found.error();
    std::vector<RouterCard> cards;
    for (int row = 0; row < found->rows(); ++row) {
      RouterCard& card = cards.emplace_back();
      card.is_this = found->Int(row, 0) == router;
      card.name = Text(*found, row, 1);
      card.version = Text(*found, row, 2);
      card.config = Text(*found, row, 3);
      for (const std::string_view sink : NamesIn(found->Bytes(row, 4))) card.sinks.emplace_back(sink);
      card.age = std::chrono::milliseconds(std::max<std::int64_t>(found->Int(row, 5), 0));
      card.delivers = found->Int(row, 6) != 0;
    }
    return cards;
  });
}

Result<std::vector<std::string>> AskOthersToReload(Reader& reader, std::int64_t router) {
  return reader.With([&](Connection& connection) -> Result<std::vector<std::string>> {
    const auto asked = connection.Run(
        "UPDATE @router SET reload = reload + 1 WHERE number <> $1 AND seen > clock_timestamp() - interval '1 minute' "
        "RETURNING convert_to(name, 'UTF8')",
        Params().Add(router));
    if (!asked) return asked.error();
    std::vector<std::string> names;
    for (int row = 0; row < asked->rows(); ++row) names.push_back(Text(*asked, row, 0));
    std::ranges::sort(names);
    return names;
  });
}

Result<StoredEvent> LoadEvent(Reader& reader, EventSeq event, std::uint16_t salt) {
  return reader.With([&](Connection& connection) -> Result<StoredEvent> {
    const auto found = connection.Run("SELECT received_ms, config, source, headers, body FROM @event WHERE seq = $1",
                                      Params().Add(event));
    if (!found) return found.error();
    if (found->rows() == 0) return NotThere("event " + std::to_string(event));
    const WallTime received_at = Time(found->Int(kFirstRow, 0));
    return StoredEvent{.seq = event,
                       .id = EventId(received_at, salt, event),
                       .source = Text(*found, kFirstRow, 2),
                       .headers = Text(*found, kFirstRow, 3),
                       .body = Text(*found, kFirstRow, 4),
                       .received_at = received_at,
                       .config = found->Int(kFirstRow, 1)};
  });
}

Result<std::string> LoadMemory(Reader& reader, std::string_view sink, std::uint64_t call_key) {
  return reader.With([&](Connection& connection) -> Result<std::string> {
    const auto found = connection.Run("SELECT text FROM @memory WHERE sink = $1 AND call_key = $2",
                                      Params().Add(sink).Add(static_cast<std::int64_t>(call_key)));
    if (!found) return found.error();
    return found->rows() == 0 ? std::string() : Text(*found, kFirstRow, 0);
  });
}

Result<Page<EventSummary>> PostgresHistory::ListEvents(const EventFilter& filter, EventSeq before, std::size_t limit) {
  return reader_.With([&](Connection& connection) -> Result<Page<EventSummary>> {
    Page<EventSummary> page;
    if (limit == 0) return page;
    const std::int64_t rows = filter.text.empty() ? kRowsPerCall : kBodiesPerCall;
    static const std::string kSelect = "SELECT " + std::string(kEventColumns) +
                                       ", octet_length($3) = 0 OR position($3 in body) > 0 FROM @event WHERE seq < $1 "
                                       "ORDER BY seq DESC LIMIT $2";
    const auto found = connection.Run(kSelect, Params().Add(Below(before)).Add(rows).Add(filter.text));
    if (!found) return found.error();
    constexpr int kHasText = 10;
    for (int row = 0; row < found->rows(); ++row) {
      if (page.items.size() == limit) {
        page.next = page.items.back().seq;
        return page;
      }
      EventSummary event = EventOf(*found, row, salt_);
      if (found->Int(row, kHasText) != 0 && Matches(filter, event)) page.items.push_back(std::move(event));
    }
    if (found->rows() == rows) page.next = found->Int(found->rows() - 1, 0);
    return page;
  });
}

Result<Page<DeliverySummary>> PostgresHistory::ListDeliveries(const DeliveryFilter& filter, DeliverySeq before,
                                                              std::size_t limit) {
  return reader_.With([&](Connection& connection) -> Result<Page<DeliverySummary>> {
    Page<DeliverySummary> page;
    if (limit == 0) return page;
    std::vector<DeliverySummary> rows;
    bool more = false;
    if (filter.event != 0) {
      auto all = DeliveriesOfEvent(connection, filter.event, salt_);
      if (!all && all.error().code == ErrorCode::kNotFound) return page;
      if (!all) return all.error();
      rows.assign(std::make_move_iterator(all->rbegin()), std::make_move_iterator(all->rend()));
      std::erase_if(rows, [&](const DeliverySummary& delivery) { return delivery.seq >= Below(before); });
    } else {
      // Those that are open or dead are few: they have indexes.
      std::string_view only;
      if (filter.states == std::vector{DeliveryState::kDead}) only = " AND state = 3";
      if (!filter.states.empty() && std::ranges::all_of(filter.states, IsOpen)) only = " AND state < 2";
      const auto found = connection.Run("SELECT " + std::string(kDeliveryColumns) + " FROM @delivery WHERE seq < $1" +
                                            std::string(only) + " ORDER BY seq DESC LIMIT $2",
                                        Params().Add(Below(before)).Add(kRowsPerCall));
      if (!found) return found.error();
      for (int row = 0; row < found->rows(); ++row) rows.push_back(DeliveryOf(*found, row));
      more = found->rows() == kRowsPerCall;
    }
    const DeliverySeq last = rows.empty() ? 0 : rows.back().seq;
    for (DeliverySummary& delivery : rows) CountAsHeld(delivery, filter.held_sinks);
    std::erase_if(rows, [&](const DeliverySummary& delivery) { return !Matches(filter, delivery); });
    std::set<EventSeq> wanted;
    {
      std::vector<std::int64_t> events;
      for (const DeliverySummary& delivery : rows) events.push_back(delivery.event);
      static const std::string kEvents = "SELECT " + std::string(kEventColumns) + " FROM @event WHERE seq = ANY($1)";
      const auto found = connection.Run(kEvents, Params().Add(events));
      if (!found) return found.error();
      std::set<EventSeq> known;
      for (int row = 0; row < found->rows(); ++row) {
        const EventSummary event = EventOf(*found, row, salt_);
        known.insert(event.seq);
        if (MatchesEvent(filter, &event)) wanted.insert(event.seq);
      }
      const bool wants_unknown = MatchesEvent(filter, nullptr);
      for (const std::int64_t event : events) {
        if (wants_unknown && !known.contains(event)) wanted.insert(event);
      }
    }
    std::erase_if(rows, [&](const DeliverySummary& delivery) { return !wanted.contains(delivery.event); });
    if (rows.size() > limit) {
      rows.resize(limit);
      page.next = rows.back().seq;
    } else if (more) {
      page.next = last;
    }
    HSW_TRY(Complete(connection, rows, salt_));
    page.items = std::move(rows);
    return page;
  });
}

Result<EventSummary> PostgresHistory::FindEvent(EventSeq event) {
  return reader_.With([&](Connection& connection) -> Result<EventSummary> {
    static const std::string kSelect = "SELECT " + std::string(kEventColumns) + " FROM @event WHERE seq = $1";
    const auto found = connection.Run(kSelect, Params().Add(event));
    if (!found) return found.error();
    if (found->rows() == 0) return NotThere("event " + std::to_string(event));
    return EventOf(*found, kFirstRow, salt_);
  });
}

Result<std::vector<DeliverySummary>> PostgresHistory::DeliveriesOf(EventSeq event) {
  return reader_.With([&](Connection& connection) { return DeliveriesOfEvent(connection, event, salt_); });
}

Result<DeliverySummary> PostgresHistory::FindDelivery(DeliverySeq delivery) {
  return reader_.With([&](Connection& connection) -> Result<DeliverySummary> {
    static const std::string kSelect = "SELECT " + std::string(kDeliveryColumns) + " FROM @delivery WHERE seq = $1";
    const auto found = connection.Run(kSelect, Params().Add(delivery));
    if (!found) return found.error();
    if (found->rows() == 0) return NotThere("delivery " + DeliveryId(delivery));
    std::vector<DeliverySummary> one{DeliveryOf(*found, kFirstRow)};
    HSW_TRY(Complete(connection, one, salt_));
    return std::move(one.front());
  });
}

Result<std::vector<StoredAttempt>> PostgresHistory::AttemptsOf(DeliverySeq delivery) {
  return reader_.With([&](Connection& connection) -> Result<std::vector<StoredAttempt>> {
    static const std::string kSelect =
        "SELECT " + std::string(kAttemptColumns) + " FROM @attempt WHERE delivery = $1 ORDER BY seq";
    connection.Send("SELECT 1 FROM @delivery WHERE seq = $1", Params().Add(delivery));
    connection.Send(kSelect, Params().Add(delivery));
    const auto found = connection.Receive();
    if (!found) return found.error();
    if ((*found)[0].rows() == 0) return NotThere("delivery " + DeliveryId(delivery));
    std::vector<StoredAttempt> attempts;
    for (int row = 0; row < (*found)[1].rows(); ++row) attempts.push_back(AttemptOf((*found)[1], row));
    return attempts;
  });
}

Result<KeptConfig> PostgresHistory::LoadConfig(std::int64_t number) {
  return reader_.With([&](Connection& connection) -> Result<KeptConfig> {
    const auto found =
        connection.Run("SELECT hash, since_ms, text FROM @config WHERE number = $1", Params().Add(number));
    if (!found) return found.error();
    if (found->rows() == 0) return NotThere("config " + std::to_string(number));
    KeptConfig config{.since = Time(found->Int(kFirstRow, 1)), .text = Text(*found, kFirstRow, 2)};
    std::ranges::copy(found->Bytes(kFirstRow, 0).substr(0, config.hash.size()), config.hash.begin());
    return config;
  });
}

Result<std::vector<Revision>> PostgresHistory::RevisionsOf(EventSeq event) {
  return reader_.With([&](Connection& connection) -> Result<std::vector<Revision>> {
    const auto found = connection.Run(
        "SELECT number, until_ms, headers, body FROM @revision WHERE event = $1 ORDER BY number", Params().Add(event));
    if (!found) return found.error();
    std::vector<Revision> all;
    for (int row = 0; row < found->rows(); ++row) {
      all.push_back({static_cast<std::uint32_t>(found->Int(row, 0)), Time(found->Int(row, 1)), Text(*found, row, 2),
                     Text(*found, row, 3)});
    }
    return all;
  });
}

Result<Extent> PostgresHistory::FindExtent() {
  return reader_.With([&](Connection& connection) -> Result<Extent> {
    const auto found = connection.Run("SELECT coalesce(min(seq), 0) FROM @event");
    if (!found) return found.error();
    return Extent{salt_, found->Int(kFirstRow, 0)};
  });
}

Result<Page<RefusedRequest>> PostgresHistory::ListRefused(std::int64_t before, std::size_t limit) {
  return reader_.With([&](Connection& connection) {
    return PageOf<RefusedRequest>(
        connection,
        "SELECT number, at_ms, source, peer, http_status, error, detail, path FROM @refused WHERE number < $1", before,
        limit, [](const Answer& answer, int row) {
          return RefusedRequest{.at = Time(answer.Int(row, 1)),
                                .source = Text(answer, row, 2),
                                .peer = Text(answer, row, 3),
                                .http_status = static_cast<int>(answer.Int(row, 4)),
                                .error = Text(answer, row, 5),
                                .detail = Text(answer, row, 6),
                                .path = Text(answer, row, 7),
                                .number = answer.Int(row, 0)};
        });
  });
}

Result<Page<OperatorAction>> PostgresHistory::ListActions(std::int64_t before, std::size_t limit) {
  return reader_.With([&](Connection& connection) {
    return PageOf<OperatorAction>(
        connection,
        "SELECT number, at_ms, who, peer, action, target, detail, http_status, result FROM @action WHERE number < $1",
        before, limit, [](const Answer& answer, int row) {
          return OperatorAction{.at = Time(answer.Int(row, 1)),
                                .who = Text(answer, row, 2),
                                .peer = Text(answer, row, 3),
                                .action = Text(answer, row, 4),
                                .target = Text(answer, row, 5),
                                .detail = Text(answer, row, 6),
                                .http_status = static_cast<int>(answer.Int(row, 7)),
                                .result = Text(answer, row, 8),
                                .number = answer.Int(row, 0)};
        });
  });
}

}  // namespace hookswitch::pg
