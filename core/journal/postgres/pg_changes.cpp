#include <algorithm>
#include <set>

#include "core/base/check.h"
#include "core/base/log.h"
#include "core/journal/postgres/pg_schema.h"
#include "core/journal/postgres/pg_writer.h"

// What Writer stores within a transaction: events, records, and the changes of History.
namespace hookswitch::pg {
namespace {

constexpr std::int64_t kRevisionsKept = 16;
constexpr std::int64_t kRefusedKept = 1000;
constexpr std::int64_t kActionsKept = 10'000;
/// A message over 1 GB ends the connection (PostgreSQL's PQ_LARGE_MESSAGE_LIMIT); far below it memory is the limit.
constexpr std::size_t kBytesPerStatement = std::size_t{32} << 20;

std::string_view AsText(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::string InsertFrom(std::string_view table, std::string_view columns) {
  return "INSERT INTO @" + std::string(table) + "(" + std::string(columns) + ") SELECT " + std::string(columns) +
         " FROM " + Rows::Source("r", columns) + " ORDER BY ord";
}

}  // namespace

/// With the next Flush; ForgetRemoved comes after it.
void Writer::FindKnown(std::span<AppendRequest> appends) {
  std::vector<std::string_view> digests;
  for (const AppendRequest& request : appends) {
    if (request.is_unstorable) continue;
    digests.push_back(AsText(request.event->dedup));
    if (request.event->config == nullptr) continue;
    const auto kept = configs_.find(request.event->config->hash);
    if (kept != configs_.end()) asked_configs_.push_back(kept->second);
  }
  if (digests.empty()) return;
  Ask("SELECT c.number, u.part, u.config FROM @config c LEFT JOIN @config_use u ON u.config = c.number "
      "WHERE c.number = ANY($1)",
      Params().Add(asked_configs_), [this](const Answer& found) {
        for (int row = 0; row < found.rows(); ++row) {
          kept_configs_.insert(found.Int(row, 0));
          if (found.Int(row, 2) != 0) config_uses_.emplace(found.Int(row, 1), found.Int(row, 2));
        }
      });
  Ask("SELECT d.digest, d.event, e.received_ms, e.content, e.seq FROM @dedup d LEFT JOIN @event e ON e.seq = d.event "
      "WHERE d.digest = ANY($1)",
      Params().Add(digests), [this](const Answer& found) {
        for (int row = 0; row < found.rows(); ++row) {
          Digest digest{};
          std::ranges::copy(found.Bytes(row, 0).substr(0, digest.size()), digest.begin());
          if (found.Int(row, 4) == 0) {
            removed_digests_.emplace_back(AsText(digest));
            continue;
          }
          known_[digest] = {found.Int(row, 1), Time(found.Int(row, 2)), static_cast<std::uint64_t>(found.Int(row, 3))};
        }
      });
}

/// What FindKnown has found to be removed by retention.
void Writer::ForgetRemoved() {
  std::erase_if(configs_, [&](const auto& config) {
    return std::ranges::find(asked_configs_, config.second) != asked_configs_.end() &&
           !kept_configs_.contains(config.second);
  });
  const std::vector<std::string_view> removed(removed_digests_.begin(), removed_digests_.end());
  if (!removed.empty()) Ask("DELETE FROM @dedup WHERE digest = ANY($1)", Params().Add(removed));
}

Status Writer::AppendAll(std::span<AppendRequest> appends) {
  for (std::size_t i = 0; i < appends.size();) {
    const std::span list = appends.subspan(i, appends[i].others + 1);
    i += list.size();
    if (list.front().is_unstorable) continue;
    std::optional<Error> refused;
    for (const AppendRequest& request : list) {
      Status room = CheckBacklog(*request.event);
      if (!room && !refused) refused = std::move(room).error();
    }
    for (AppendRequest& request : list) {
      request.error = refused;
      if (!refused) HSW_TRY(Append(request));
    }
  }
  return Ok();
}

Status Writer::CheckBacklog(const NewEvent& event) const {
  if (options_.max_backlog == 0 || known_.contains(event.dedup)) return Ok();
  for (const NewDelivery& delivery : event.deliveries) {
    if (pending_.CountOf(delivery.sink) < options_.max_backlog) continue;
    return Error{ErrorCode::kFull, std::to_string(options_.max_backlog) + " deliveries wait for the sink \"" +
                                       std::string(delivery.sink) + "\" already (journal.max_backlog)"};
  }
  return Ok();
}

Status Writer::Append(AppendRequest& request) {
  const NewEvent& event = *request.event;
  if (const auto known = known_.find(event.dedup); known != known_.end()) {
    Known& first = known->second;
    request.accepted = {.event = first.event, .id = {}, .duplicate = true, .first_delivery = 0};
    request.accepted_at = first.received_at;
    if (event.content == 0 || first.content == 0 || first.content == event.content) return Ok();
    first.content = event.content;
    if (event.ends_call && event.call_key != 0) news_.ended_calls.emplace_back(event.call_key, first.event);
    return Revise(first.event, event, request.accepted.revised.emplace());
  }
  HSW_CHECK(event_numbers_.SkipTo(1), "one was taken for each event");
  const EventSeq seq = event_numbers_.Take();
  const auto config = NumberOf(event.config, seq);
  if (!config) return config.error();
  HSW_TRY(ReserveDeliveries(event.deliveries.size()));
  const DeliverySeq first_delivery = event.deliveries.empty() ? 0 : delivery_numbers_.Peek();
  event_rows_.Add(seq, event.received_at, event.call_key, event.content, *config, first_delivery,
                  event.deliveries.size(), event.source, event.call_id, event.agent, event.status, event.note,
                  event.headers, event.body);
  dedup_rows_.Add(AsText(event.dedup), seq);
  for (const NewDelivery& delivery : event.deliveries) {
    const auto added = AddDelivery(seq, event.call_key, event.received_at, delivery, BitsOf(delivery));
    if (!added) return added.error();
  }
  if (event.ends_call && event.call_key != 0) news_.ended_calls.emplace_back(event.call_key, seq);
  if (!event.carry.empty() && event.call_key != 0) KeepMemory(kNoSink, event.call_key, seq, event.carry);
  news_.events.push_back(seq);
  last_event_ = std::max(last_event_, seq);
  ++events_;
  known_[event.dedup] = {seq, event.received_at, event.content};
  request.accepted = {.event = seq, .id = {}, .duplicate = false, .first_delivery = first_delivery};
  request.accepted_at = event.received_at;
  if (event_rows_.bytes() > kBytesPerStatement) SendRows();
  return Ok();
}

Result<PendingDelivery> Writer::AddDelivery(EventSeq event, std::uint64_t call_key, WallTime accepted,
                                            const NewDelivery& delivery, std::int64_t flags) {
  HSW_TRY(ReserveDeliveries(1));
  PendingDelivery pending = MakePending(delivery, delivery_numbers_.Take(), event, call_key, accepted);
  pending.is_replay = (flags & kNotTriedSince) != 0;
  delivery_rows_.Add(pending.seq, event, call_key, accepted, pending.due,
                     pending.is_held ? DeliveryState::kHeld : DeliveryState::kPending, flags, delivery.sink,
                     delivery.rule, delivery.template_name);
  pending_.Set(pending.seq, delivery.sink, true);
  news_.opened.push_back(pending.seq);
  return pending;
}

void Writer::KeepMemory(std::string_view sink, std::uint64_t call_key, EventSeq event, std::string_view text) {
  memory_[{std::string(sink), call_key}] = {event, std::string(text)};
  has_memory_ = news_.has_memory = true;
}

/// The number of `config`, which `event` is about to name.
Result<std::int64_t> Writer::NumberOf(const KeptConfig* config, EventSeq event) {
  if (config == nullptr || config->text.size() > options_.max_text) return std::int64_t{0};
  const auto name = [&](std::int64_t number) {
    const std::int64_t part = event / kPartSize;
    if (config_uses_.emplace(part, number).second) {
      Ask("INSERT INTO @config_use VALUES($1, $2) ON CONFLICT DO NOTHING", Params().Add(part).Add(number));
    }
    return number;
  };
  for (const auto* kept : {&configs_, &new_configs_}) {
    if (const auto found = kept->find(config->hash); found != kept->end()) return name(found->second);
  }
  std::int64_t number = 0;
  Ask("INSERT INTO @config(hash, since_ms, text) VALUES($1, $2, $3) ON CONFLICT DO NOTHING",
      Params().Add(AsText(config->hash)).Add(Ms(config->since)).Add(config->text));
  Ask("SELECT number FROM @config WHERE hash = $1", Params().Add(AsText(config->hash)), [&](const Answer& found) {
    if (found.rows() != 0) number = found.Int(kFirstRow, 0);
  });
  HSW_TRY(Flush());
  new_configs_[config->hash] = number;
  return name(number);
}

/// Sends what has gathered, in an order in which each row finds what it refers to.
void Writer::SendRows() {
  if (!event_rows_.empty()) {
    static const std::string kInsert =
        InsertFrom("event",
                   "seq, received_ms, call_key, content, config, first_delivery, deliveries, source, call_id, agent, "
                   "status, note, headers, body");
    Ask(kInsert, event_rows_.Take());
  }
  if (!dedup_rows_.empty()) {
    static const std::string kInsert = InsertFrom("dedup", "digest, event");
    Ask(kInsert, dedup_rows_.Take());
  }
  if (!delivery_rows_.empty()) {
    static const std::string kInsert =
        InsertFrom("delivery", "seq, event, call_key, accepted_ms, due_ms, state, flags, sink, rule, template");
    Ask(kInsert, delivery_rows_.Take());
  }
  if (!more_rows_.empty()) {
    static const std::string kInsert = InsertFrom("more", "event, delivery");
    Ask(kInsert, more_rows_.Take());
  }
  if (memory_.empty()) return;
  Rows rows;
  for (const auto& [key, kept] : memory_) rows.Add(key.first, key.second, kept.first, kept.second);
  Ask("INSERT INTO @memory SELECT sink, call_key, event, text FROM " +
          Rows::Source("r", "sink, call_key, event, text") +
          " ON CONFLICT(sink, call_key) DO UPDATE SET event = excluded.event, text = excluded.text",
      rows.Take());
  memory_.clear();
}

Result<std::vector<Writer::Stored>> Writer::DeliveriesOf(EventSeq event) {
  std::vector<Stored> all;
  Ask("SELECT d.seq, d.sink, d.state FROM @event e JOIN @delivery d ON d.seq >= e.first_delivery AND "
      "d.seq < e.first_delivery + e.deliveries WHERE e.seq = $1 UNION ALL "
      "SELECT d.seq, d.sink, d.state FROM @more m JOIN @delivery d ON d.seq = m.delivery WHERE m.event = $1 ORDER BY 1",
      Params().Add(event), [&](const Answer& found) {
        for (int row = 0; row < found.rows(); ++row) {
          all.push_back(
              {found.Int(row, 0), std::string(found.Bytes(row, 1)), static_cast<DeliveryState>(found.Int(row, 2))});
        }
      });
  HSW_TRY(Flush());
  return all;
}

Status Writer::Revise(EventSeq event, const NewEvent& revised, Accepted::Revised& changes) {
  changes = {};
  const auto config = NumberOf(revised.config, event);
  if (!config) return config.error();
  SendRows();  // it may be an event of this very batch
  const std::int64_t call_key = static_cast<std::int64_t>(revised.call_key);
  bool is_there = false;
  Ask("SELECT 1 FROM @event WHERE seq = $1 FOR UPDATE", Params().Add(event),
      [&](const Answer& found) { is_there = found.rows() != 0; });
  Ask("INSERT INTO @revision SELECT seq, revisions, $2, headers, body FROM @event WHERE seq = $1",
      Params().Add(event).Add(Ms(revised.received_at)));
  Ask("UPDATE @event SET headers = $2, body = $3, agent = $4, status = $5, note = $6, content = $7, config = $8, "
      "revisions = revisions + 1 WHERE seq = $1",
      Params()
          .Add(event)
          .Add(revised.headers)
          .Add(revised.body)
          .Add(revised.agent)
          .Add(revised.status)
          .Add(revised.note)
          .Add(static_cast<std::int64_t>(revised.content))
          .Add(*config));
  Ask("DELETE FROM @revision r USING @event e WHERE e.seq = $1 AND r.event = $1 AND r.number < e.revisions - $2",
      Params().Add(event).Add(kRevisionsKept));
  if (!revised.carry.empty() && call_key != 0) KeepMemory(kNoSink, revised.call_key, event, revised.carry);
  const auto all = DeliveriesOf(event);
  if (!all) return all.error();
  if (!is_there) return Ok();  // retention has removed it meanwhile
  std::vector<std::int64_t> released;
  for (const Stored& delivery : *all) {
    const auto wanted = std::ranges::find(revised.deliveries, std::string_view(delivery.sink), &NewDelivery::sink);
    if (wanted != revised.deliveries.end() && wanted->ends_call && delivery.state == DeliveryState::kHeld) {
      released.push_back(delivery.seq);
    }
    if (wanted != revised.deliveries.end() || !IsOpen(delivery.state)) continue;
    changes.canceled.push_back(delivery.seq);
    pending_.Set(delivery.seq, delivery.sink, false);
  }
  if (!released.empty()) {
    Ask("UPDATE @delivery SET state = 0, due_ms = 0, flags = flags | " + std::to_string(kEndsCall) +
            " WHERE seq = ANY($1)",
        Params().Add(released));
  }
  news_.revised.push_back(event);
  news_.canceled.insert(news_.canceled.end(), changes.canceled.begin(), changes.canceled.end());
  if (!changes.canceled.empty()) {
    Ask("UPDATE @delivery SET state = 4, code = 'canceled', because = $2 WHERE seq = ANY($1)",
        Params().Add(changes.canceled).Add("the event was revised, and no rule wants it here"));
  }
  for (const NewDelivery& route : revised.deliveries) {
    bool was_reached = false, waits = false;
    for (const Stored& delivery : *all) {
      if (delivery.sink != route.sink || delivery.state == DeliveryState::kCanceled ||
          std::ranges::find(changes.canceled, delivery.seq) != changes.canceled.end()) {
        continue;
      }
      was_reached = true;
      waits = waits || IsOpen(delivery.state);
    }
    if (was_reached && (!route.updates || waits)) continue;
    auto added = AddDelivery(event, revised.call_key, revised.received_at, route, BitsOf(route));
    if (!added) return std::move(added).error();
    changes.added.push_back(std::move(*added));
    more_rows_.Add(event, changes.added.back().seq);
  }
  SendRows();
  return Ok();
}

Status Writer::RecordAll(Batch& batch, const Part& part) {
  // A statement changes a row once, so each delivery is at most once in a wave.
  std::map<DeliverySeq, std::size_t> waves_of;
  std::vector<std::vector<std::size_t>> waves;
  std::map<std::string, WallTime> lanes;
  for (std::size_t i = 0; i < part.records; ++i) {
    const AttemptRecord& record = batch.records[part.first_record + i];
    const std::size_t wave = waves_of[record.delivery]++;
    if (wave == waves.size()) waves.emplace_back();
    waves[wave].push_back(i);
    DeliverySeq fallback = 0;
    if (!record.fallback_sink.empty()) {
      HSW_TRY(ReserveDeliveries(1));
      fallback = delivery_numbers_.Take();
      news_.opened.push_back(fallback);
    }
    news_.recorded.push_back(record.delivery);
    recorded_.emplace_back(record.delivery, fallback);
    if (record.lane_due != WallTime{}) lanes[record.sink] = record.lane_due;
    const Outcome& outcome = record.outcome;
    if (outcome.has_memory) KeepMemory(record.sink, record.call_key, record.event, outcome.memory);
  }
  for (const std::vector<std::size_t>& wave : waves) {
    Rows changes, attempts, fallbacks;
    for (const std::size_t i : wave) {
      const AttemptRecord& record = batch.records[part.first_record + i];
      const Outcome& outcome = record.outcome;
      const bool attempted = record.number != 0;
      const DeliverySeq fallback = recorded_[i].second;
      changes.Add(record.delivery, i, record.state, record.due, record.number, record.step,
                  outcome.kind == Outcome::Kind::kNext, outcome.state, attempted ? std::string_view() : outcome.code,
                  attempted ? std::string_view() : outcome.reason, record.first_failed, fallback);
      if (attempted) {
        attempts.Add(record.delivery, record.number, record.trigger, record.started_at, record.latency, outcome.kind,
                     outcome.may_have_been_delivered, outcome.http_status, Ms(record.connect), Ms(record.first_byte),
                     outcome.code, outcome.reason, outcome.action, outcome.remote_id, record.request, record.response,
                     ToText(record.waits));
      }
      if (fallback != 0) {
        fallbacks.Add(record.delivery, fallback, record.EndedAt(), record.fallback_sink, record.fallback_story);
      }
    }
    // One canceled while it was under way stays canceled, unless it has ended otherwise.
    static const std::string kUpdate =
        "UPDATE @delivery d SET state = CASE WHEN r.state < 2 AND d.state = 4 THEN 4 ELSE r.state END, "
        "due_ms = r.due, attempts = greatest(d.attempts, r.number), step = r.step, "
        "carried = CASE WHEN r.is_next = 1 THEN r.carried WHEN r.step = 0 THEN '' ELSE d.carried END, "
        "code = r.code, because = r.reason, first_failed_ms = r.first_failed, "
        "flags = CASE WHEN r.number <> 0 THEN d.flags & ~" +
        std::to_string(kNotTriedSince) +
        " ELSE d.flags END, fallback = CASE WHEN r.fallback <> 0 THEN r.fallback ELSE d.fallback END FROM " +
        Rows::Source("r",
                     "delivery, record, state, due, number, step, is_next, carried, code, reason, first_failed, "
                     "fallback") +
        " WHERE d.seq = r.delivery RETURNING r.record, d.state";
    Ask(kUpdate, changes.Take(), [this, &batch, from = part.first_record](const Answer& found) {
      for (int row = 0; row < found.rows(); ++row) {
        const AttemptRecord& record = batch.records[from + static_cast<std::size_t>(found.Int(row, 0))];
        pending_.Set(record.delivery, record.sink, IsOpen(static_cast<DeliveryState>(found.Int(row, 1))));
      }
    });
    if (!attempts.empty()) {
      static const std::string kColumns =
          "delivery, number, trigger_kind, started_ms, latency_ms, kind, may_have_been_delivered, http_status, "
          "connect_ms, first_byte_ms, code, reason, action, remote_id, request, response, waits";
      static const std::string kInsert = "INSERT INTO @attempt(" + kColumns + ") SELECT " + kColumns + " FROM " +
                                         Rows::Source("r", kColumns) +
                                         " WHERE EXISTS(SELECT 1 FROM @delivery d WHERE d.seq = r.delivery)";
      Ask(kInsert, attempts.Take());
    }
    if (!fallbacks.empty()) {
      static const std::string kInsert =
          "WITH made AS (INSERT INTO @delivery(seq, event, call_key, accepted_ms, due_ms, state, flags, sink, rule, "
          "template, story) SELECT r.seq, d.event, d.call_key, r.ended, 0, 0, " +
          std::to_string(kFallback) + ", r.sink, d.rule, d.template, r.story FROM " +
          Rows::Source("r", "delivery, seq, ended, sink, story") +
          " JOIN @delivery d ON d.seq = r.delivery RETURNING seq, event, sink) "
          "INSERT INTO @more SELECT event, seq FROM made RETURNING delivery";
      Ask(kInsert, fallbacks.Take(), [this, &batch, wave, from = part.first_record](const Answer& found) {
        std::set<DeliverySeq> made;
        for (int row = 0; row < found.rows(); ++row) made.insert(found.Int(row, 0));
        for (const std::size_t i : wave) {
          DeliverySeq& fallback = recorded_[i].second;
          if (fallback == 0) continue;
          if (made.contains(fallback)) {
            pending_.Set(fallback, batch.records[from + i].fallback_sink, true);
          } else {
            fallback = 0;  // retention has removed the delivery before it
          }
        }
      });
    }
  }
  for (const auto& [sink, due] : lanes) {
    Ask("INSERT INTO @lane(sink, due_ms) VALUES($1, $2) ON CONFLICT(sink) DO UPDATE SET due_ms = excluded.due_ms",
        Params().Add(sink).Add(Ms(due)));
  }
  return Ok();
}

void Writer::RecordRest(const Batch& batch) {
  if (!batch.refused.empty()) {
    Rows rows;
    for (const RefusedRequest& refused : batch.refused) {
      rows.Add(refused.at, refused.source, refused.peer, refused.http_status, refused.error, refused.detail,
               refused.path);
    }
    static const std::string kInsert =
        InsertFrom("refused", "at_ms, source, peer, http_status, error, detail, path") + " RETURNING number";
    Ask(kInsert, rows.Take(), [this](const Answer& stored) {
      for (int row = 0; row < stored.rows(); ++row) last_refused_ = std::max(last_refused_, stored.Int(row, 0));
    });
    RemoveOld("refused", kRefusedKept);
    news_.has_refused = true;
  }
  if (batch.actions.empty()) return;
  Rows rows;
  for (const OperatorAction& action : batch.actions) {
    rows.Add(action.at, action.who, action.peer, action.action, action.target, action.detail, action.http_status,
             action.result);
  }
  static const std::string kInsert =
      InsertFrom("action", "at_ms, who, peer, action, target, detail, http_status, result");
  Ask(kInsert, rows.Take());
  RemoveOld("action", kActionsKept);
}

/// Of a numbered table; not what lies far below, as in StorePart.
void Writer::RemoveOld(std::string_view table, std::int64_t kept) {
  constexpr std::int64_t kReach = 20'000;
  const std::string name = "@" + std::string(table);
  Ask("DELETE FROM " + name + " t USING (SELECT max(number) - $1 AS number FROM " + name +
          ") last WHERE t.number <= last.number AND t.number > last.number - $2",
      Params().Add(kept).Add(kReach));
}

Status Writer::RunCommand(Command& command) {
  command.error.reset();
  Status done = std::visit([this](auto* change) { return Run(*change); }, command.change);
  if (done) return done;
  if (done.error().code != ErrorCode::kNotFound) return done;
  command.error = std::move(done).error();
  return Ok();
}

Status Writer::Run(ReviveChange& change) {
  change.revived.clear();
  SendRows();
  std::map<DeliverySeq, PendingDelivery> revived;
  static const std::string kUpdate =
      "UPDATE @delivery SET state = 0, replayed_ms = $2, due_ms = 0, first_failed_ms = 0, step = 0, carried = '', "
      "code = '', because = '', flags = flags | " +
      std::to_string(kReplay | kNotTriedSince) + " WHERE seq = ANY($1) AND state >= 2 RETURNING " +
      std::string(kDeliveryColumns);
  Ask(kUpdate, Params().Add(change.deliveries).Add(Ms(change.now)), [&](const Answer& found) {
    for (int row = 0; row < found.rows(); ++row) {
      PendingDelivery pending = PendingOf(found, row);
      pending_.Set(pending.seq, pending.sink, true);
      news_.opened.push_back(pending.seq);
      revived.emplace(pending.seq, std::move(pending));
    }
  });
  HSW_TRY(Flush());
  for (const DeliverySeq seq : change.deliveries) {
    if (auto found = revived.extract(seq)) change.revived.push_back(std::move(found.mapped()));
  }
  return Ok();
}

Status Writer::Run(AddChange& change) {
  change.added.clear();
  SendRows();
  std::optional<std::uint64_t> call_key;
  // Retention must not remove it meanwhile.
  Ask("SELECT call_key FROM @event WHERE seq = $1 FOR KEY SHARE", Params().Add(change.event), [&](const Answer& found) {
    if (found.rows() != 0) call_key = static_cast<std::uint64_t>(found.Int(kFirstRow, 0));
  });
  HSW_TRY(Flush());
  if (!call_key) {
    return Error{ErrorCode::kNotFound, "event " + std::to_string(change.event) + " is not in the journal (any more)"};
  }
  for (const NewDelivery& delivery : change.deliveries) {
    auto added =
        AddDelivery(change.event, *call_key, change.now, delivery, BitsOf(delivery) | kReplay | kNotTriedSince);
    if (!added) return std::move(added).error();
    change.added.push_back(std::move(*added));
    more_rows_.Add(change.event, change.added.back().seq);
  }
  return Ok();
}

Status Writer::Run(CancelChange& change) {
  change.canceled.clear();
  SendRows();
  std::map<DeliverySeq, std::string> canceled;
  Ask("UPDATE @delivery SET state = 4, code = 'canceled', because = $2 WHERE seq = ANY($1) AND state IN (0, 1, 3) "
      "RETURNING seq, sink",
      Params().Add(change.deliveries).Add(change.reason), [&](const Answer& found) {
        for (int row = 0; row < found.rows(); ++row) canceled[found.Int(row, 0)] = std::string(found.Bytes(row, 1));
      });
  HSW_TRY(Flush());
  for (const DeliverySeq seq : change.deliveries) {
    const auto found = canceled.extract(seq);
    if (!found) continue;
    pending_.Set(seq, found.mapped(), false);
    change.canceled.push_back(seq);
    news_.canceled.push_back(seq);
  }
  return Ok();
}

Status Writer::Run(PauseChange& change) {
  news_.AddSink(change.sink);
  if (change.pause) {
    Ask("INSERT INTO @lane(sink, paused, until_ms, because) VALUES($1, 1, $2, $3) "
        "ON CONFLICT(sink) DO UPDATE SET paused = 1, until_ms = excluded.until_ms, because = excluded.because",
        Params().Add(change.sink).Add(Ms(change.pause->until)).Add(change.pause->because));
  } else {
    Ask("INSERT INTO @lane(sink) VALUES($1) "
        "ON CONFLICT(sink) DO UPDATE SET paused = 0, until_ms = 0, because = '', due_ms = 0",
        Params().Add(change.sink));
  }
  return Ok();
}

}  // namespace hookswitch::pg
