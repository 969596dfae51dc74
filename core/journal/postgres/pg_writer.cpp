#include "core/journal/postgres/pg_writer.h"

#include <algorithm>
#include <random>
#include <set>

#include "core/base/log.h"
#include "core/journal/postgres/pg_schema.h"

namespace hookswitch::pg {
namespace {

constexpr std::chrono::milliseconds kRetryEvery{500};
/// Numbers are taken in blocks, so that routers seldom ask for them.
constexpr std::int64_t kBlock = 65'536;
constexpr std::size_t kRecordsPerCommit = 4000;
/// A transaction that meets another router's event of the same key is tried again, with that event known.
constexpr int kTries = 5;
/// Rows of the table `batch` that stay for each router: the last one is needed.
constexpr std::int64_t kBatchesKept = 64;

/// Whether `error` is about what was to be stored: trying again fails again, without it the rest may succeed.
bool IsAboutTheRow(const Error& error) {
  return error.code == ErrorCode::kInvalid || error.code == ErrorCode::kTooLarge;
}

std::size_t LongestOf(const NewEvent& event) {
  return std::max({event.body.size(), event.headers.size(), event.call_id.size(), event.agent.size(), event.note.size(),
                   event.carry.size()});
}

std::size_t LongestOf(const AttemptRecord& record) {
  const Outcome& outcome = record.outcome;
  return std::max({record.request.size(), record.response.size(), outcome.reason.size(), outcome.state.size(),
                   outcome.memory.size(), outcome.action.size(), record.fallback_story.size()});
}

}  // namespace

std::int64_t Writer::NewProcess() {
  std::random_device random;
  return static_cast<std::int64_t>(std::uint64_t{random()} << 32 | random()) & 0x7fff'ffff'ffff'ffff;
}

Result<std::unique_ptr<Writer>> Writer::Open(const Place& place, const WriterOptions& options, const Clock& clock) {
  std::unique_ptr<Writer> writer(new Writer(place, options, clock));
  HSW_TRY(writer->Connect());
  Lease::Terms terms = options.lease;
  terms.router = writer->router_;
  auto lease = Lease::Take(place, std::move(terms), clock);
  if (!lease) return std::move(lease).error();
  writer->lease_ = std::move(*lease);
  HSW_TRY(writer->LoadNumbers());
  HSW_TRY(writer->Load());
  return writer;
}

Status Writer::Connect() {
  auto opened = Connection::Open(place_);
  if (!opened) return std::move(opened).error();
  connection_ = std::move(*opened);
  description_ = connection_->Description();
  const auto schema = PrepareSchema(*connection_);
  if (!schema) return schema.error();
  salt_ = schema->salt;
  return LoadNumbers();
}

Status Writer::LoadNumbers() {
  if (router_ == 0) {
    connection_->Send("INSERT INTO @router(name) VALUES(convert_from($1, 'UTF8')) ON CONFLICT DO NOTHING",
                      Params().Add(options_.router));
    connection_->Send("SELECT number FROM @router WHERE name = convert_from($1, 'UTF8')",
                      Params().Add(options_.router));
    const auto found = connection_->Receive();
    if (!found) return found.error();
    router_ = found->back().Int(kFirstRow, 0);
  }
  const auto last = connection_->Run(
      "SELECT number, next_event, end_event, next_delivery, end_delivery FROM @batch WHERE router = $1 "
      "ORDER BY number DESC LIMIT 1",
      Params().Add(router_));
  if (!last) return last.error();
  if (last->rows() == 0) return Ok();
  numbers_ = {last->Int(kFirstRow, 0) + 1, last->Int(kFirstRow, 1), last->Int(kFirstRow, 2), last->Int(kFirstRow, 3),
              last->Int(kFirstRow, 4)};
  return Ok();
}

Status Writer::Load() {
  connection_->Send("SELECT count(*), coalesce(max(seq), 0) FROM @event");
  connection_->Send("SELECT EXISTS(SELECT 1 FROM @memory)");
  connection_->Send("SELECT coalesce(max(number), 0) FROM @refused");
  connection_->Send("SELECT number, hash FROM @config");
  const auto found = connection_->Receive();
  if (!found) return found.error();
  events_ = static_cast<std::uint64_t>((*found)[0].Int(kFirstRow, 0));
  last_event_ = (*found)[0].Int(kFirstRow, 1);
  has_memory_ = (*found)[1].Int(kFirstRow, 0) != 0;
  last_refused_ = (*found)[2].Int(kFirstRow, 0);
  const Answer& configs = (*found)[3];
  for (int row = 0; row < configs.rows(); ++row) {
    Digest hash{};
    std::ranges::copy(configs.Bytes(row, 1).substr(0, hash.size()), hash.begin());
    configs_[hash] = configs.Int(row, 0);
  }
  constexpr int kPage = 50'000;
  for (DeliverySeq after = 0;;) {
    const auto open = connection_->Run(
        "SELECT seq, sink FROM @delivery WHERE state < 2 AND seq > $1 ORDER BY seq LIMIT " + std::to_string(kPage),
        Params().Add(after));
    if (!open) return open.error();
    for (int row = 0; row < open->rows(); ++row) pending_.Set(after = open->Int(row, 0), open->Bytes(row, 1), true);
    if (open->rows() < kPage) return Ok();
  }
}

bool Writer::Write(Batch& batch) {
  const bool is_empty = batch.appends.empty() && batch.records.empty() && batch.refused.empty() &&
                        batch.actions.empty() && batch.commands.empty();
  bool committed = false;
  if (unwritable_ && !batch.is_last_try && clock_.Mono() < retry_at_) {
    for (AppendRequest& request : batch.appends) request.error = *unwritable_;
    for (Command* command : batch.commands) command->error = *unwritable_;
  } else if (!is_empty || unwritable_) {
    committed = Commit(batch);
  }
  batch.is_unwritable = unwritable_.has_value();
  return committed;
}

bool Writer::Commit(Batch& batch) {
  RefuseTooLarge(batch);
  const std::size_t refused = batch.quarantined.size();  // which are no longer among the records
  const auto fail = [&](const Error& error) {
    SetUnwritable(error);
    for (AppendRequest& request : batch.appends) {
      if (!request.error) request.error = *unwritable_;
    }
    for (Command* command : batch.commands) command->error = *unwritable_;
    return false;
  };
  if (!connection_ || connection_->IsLost()) {
    if (Status connected = Connect(); !connected) return fail(connected.error());
  }
  if (Status resolved = ResolveDoubt(batch); !resolved) return fail(resolved.error());
  std::size_t done = batch.recorded.size();
  const Part whole{batch.appends, done, std::min(batch.records.size() - done, kRecordsPerCommit), true, batch.commands};
  Status stored = TryPart(batch, whole);
  if (!stored && IsAboutTheRow(stored.error())) {
    // One by one: the one that cannot be stored must not hold up the others.
    stored = Ok();
    for (const Part& piece : PiecesOf(batch, whole)) {
      Status tried = TryPart(batch, piece);
      if (tried) continue;
      if (!IsAboutTheRow(tried.error())) {
        stored = std::move(tried);
        break;
      }
      Blame(batch, piece, tried.error());
    }
  }
  done = batch.recorded.size() + batch.quarantined.size() - refused;
  batch.records.erase(batch.records.begin(), batch.records.begin() + static_cast<std::ptrdiff_t>(done));
  if (!stored) return fail(stored.error());
  batch.actions.clear();
  unwritable_.reset();
  return true;
}

std::vector<Writer::Part> Writer::PiecesOf(const Batch& batch, const Part& whole) {
  std::vector<Part> pieces;
  for (std::size_t i = 0; i < whole.appends.size();) {
    const std::size_t count = batch.appends[i].others + 1;
    pieces.push_back({.appends = whole.appends.subspan(i, count), .commands = {}});
    i += count;
  }
  for (std::size_t i = 0; i < whole.records; ++i) {
    pieces.push_back({.appends = {}, .first_record = whole.first_record + i, .records = 1, .commands = {}});
  }
  pieces.push_back({.appends = {}, .has_rest = true, .commands = {}});
  for (std::size_t i = 0; i < whole.commands.size(); ++i) {
    pieces.push_back({.appends = {}, .commands = whole.commands.subspan(i, 1)});
  }
  return pieces;
}

void Writer::Blame(Batch& batch, const Part& part, const Error& error) {
  for (AppendRequest& request : part.appends) {
    request.is_unstorable = true;
    request.error = Error{error.code, "this event cannot be stored: " + error.message};
  }
  for (std::size_t i = 0; i < part.records; ++i) {
    const DeliverySeq delivery = batch.records[part.first_record + i].delivery;
    log::Error("journal_rows_damaged",
               {{"database", description_}, {"delivery", DeliveryId(delivery)}, {"reason", error.message}});
    batch.quarantined.push_back(delivery);
    ++dropped_rows_;
  }
  for (Command* command : part.commands) command->error = error;
  if (part.has_rest) dropped_rows_ += batch.refused.size() + batch.actions.size();
}

void Writer::RefuseTooLarge(Batch& batch) {
  const std::string limit = std::to_string(options_.max_text);
  for (std::size_t i = 0; i < batch.appends.size();) {
    const std::span list = std::span(batch.appends).subspan(i, batch.appends[i].others + 1);
    i += list.size();
    if (std::ranges::none_of(list, [&](const auto& one) { return LongestOf(*one.event) > options_.max_text; }))
      continue;
    for (AppendRequest& request : list) {
      request.is_unstorable = true;
      request.error =
          Error{ErrorCode::kTooLarge, "this event cannot be stored: a text of it has over " + limit + " bytes"};
    }
  }
  std::erase_if(batch.records, [&](const AttemptRecord& record) {
    if (LongestOf(record) <= options_.max_text) return false;
    log::Error("journal_rows_damaged", {{"database", description_},
                                        {"delivery", DeliveryId(record.delivery)},
                                        {"reason", "a text of its attempt has over " + limit + " bytes"}});
    batch.quarantined.push_back(record.delivery);
    ++dropped_rows_;
    return true;
  });
}

void Writer::SetUnwritable(Error error) {
  if (!unwritable_) log::Error("journal_unwritable", {{"database", description_}, {"reason", error.message}});
  unwritable_ = Error{ErrorCode::kUnavailable, "journal " + description_ + " cannot be written: " + error.message};
  retry_at_ = clock_.Mono() + kRetryEvery;
}

Status Writer::TryPart(Batch& batch, const Part& part) {
  Status stored = Ok();
  for (int i = 0; i < kTries; ++i) {
    const Numbers numbers = numbers_;
    const std::uint64_t events = events_;
    const EventSeq last_event = last_event_;
    const std::int64_t last_refused = last_refused_;
    pending_.Begin();
    sent_commit_ = false;
    stored = StorePart(batch, part);
    if (stored) {
      ++numbers_.batch;
      configs_.merge(new_configs_);
      batch.recorded.insert(batch.recorded.end(), recorded_.begin(), recorded_.end());
      for (AppendRequest& request : part.appends) {
        if (!request.error) request.accepted.id = EventId(request.accepted_at, salt_, request.accepted.event);
      }
      return stored;
    }
    const bool meets_another = connection_->sqlstate() == "23505" || connection_->sqlstate().starts_with("40");
    const bool is_our_batch = connection_->constraint() == "batch_pkey";
    const bool is_replaced = connection_->sqlstate() == Lease::kLostState;
    connection_->Rollback();
    pending_.Rollback();
    numbers_ = numbers;
    events_ = events;
    last_event_ = last_event;
    last_refused_ = last_refused;
    if (connection_->IsLost() && sent_commit_) {
      doubt_ = Doubt{numbers.batch, recorded_,       part.has_rest ? batch.actions.size() : 0,
                     new_events_,   new_deliveries_, revived_};
      return stored;
    }
    if (is_replaced) return Error{ErrorCode::kUnavailable, "another router works on it now"};
    if (is_our_batch) {
      return Error{ErrorCode::kUnavailable, "another router named \"" + options_.router +
                                                "\" writes to it: give each a cluster.name of its own"};
    }
    if (!meets_another) return stored;
  }
  return stored;
}

Status Writer::ResolveDoubt(Batch& batch) {
  if (!doubt_) return Ok();
  const auto found = connection_->Run("SELECT process FROM @batch WHERE router = $1 AND number = $2",
                                      Params().Add(router_).Add(doubt_->batch));
  if (!found) return found.error();
  if (found->rows() != 0 && found->Int(kFirstRow, 0) == process_) {
    log::Info("journal_batch_was_stored", {{"database", description_}, {"batch", doubt_->batch}});
    HSW_TRY(Withdraw(*doubt_));
    std::vector<DeliverySeq> fallbacks;
    for (const auto& [delivery, fallback] : doubt_->recorded) fallbacks.push_back(fallback);
    const auto made =
        connection_->Run("SELECT seq FROM @delivery WHERE seq = ANY($1) ORDER BY seq", Params().Add(fallbacks));
    if (!made) return made.error();
    std::set<DeliverySeq> there;
    for (int row = 0; row < made->rows(); ++row) there.insert(made->Int(row, 0));
    // What its records have changed is known again from the table.
    pending_ = PendingSet();
    HSW_TRY(Load());
    for (const auto& [delivery, fallback] : doubt_->recorded) {
      batch.recorded.emplace_back(delivery, there.contains(fallback) ? fallback : 0);
    }
    batch.actions.erase(batch.actions.begin(), batch.actions.begin() + static_cast<std::ptrdiff_t>(doubt_->actions));
  }
  doubt_.reset();
  return Ok();
}

/// Senders and operators were told that nothing was stored: so it must not be there, or a delivery that no lane knows
/// would wait until the next start.
Status Writer::Withdraw(const Doubt& doubt) {
  connection_->Send("BEGIN");
  connection_->Send("DELETE FROM @dedup WHERE event = ANY($1)", Params().Add(doubt.events));
  connection_->Send("DELETE FROM @event WHERE seq = ANY($1)", Params().Add(doubt.events));
  connection_->Send("DELETE FROM @more WHERE delivery = ANY($1)", Params().Add(doubt.deliveries));
  connection_->Send("DELETE FROM @delivery WHERE seq = ANY($1)", Params().Add(doubt.deliveries));
  connection_->Send("UPDATE @delivery SET state = 4, code = 'canceled', because = $2 WHERE seq = ANY($1) AND state < 2",
                    Params().Add(doubt.revived).Add("the database was away while it was to be replayed"));
  connection_->Send("COMMIT");
  auto withdrawn = connection_->Receive();
  if (withdrawn) return Ok();
  connection_->Rollback();
  return std::move(withdrawn).error();
}

Status Writer::TakeNumbers(const Batch& batch, const Part& part) {
  auto events = static_cast<std::int64_t>(part.appends.size());
  std::int64_t deliveries = 0;
  for (const AppendRequest& request : part.appends) {
    deliveries += static_cast<std::int64_t>(request.event->deliveries.size());
  }
  for (std::size_t i = 0; i < part.records; ++i) {
    deliveries += batch.records[part.first_record + i].fallback_sink.empty() ? 0 : 1;
  }
  for (const Command* command : part.commands) {
    if (const auto* add = std::get_if<AddChange*>(&command->change)) {
      deliveries += static_cast<std::int64_t>((*add)->deliveries.size());
    }
  }
  if (numbers_.next_event + events <= numbers_.end_event &&
      numbers_.next_delivery + deliveries <= numbers_.end_delivery) {
    return Ok();
  }
  const std::int64_t event_block = std::max(events, kBlock), delivery_block = std::max(deliveries, kBlock);
  connection_->Send("BEGIN");
  connection_->Send("SELECT event, delivery FROM @counter FOR UPDATE");
  auto taken = connection_->Receive();
  if (!taken) return std::move(taken).error();
  EventSeq event = taken->back().Int(kFirstRow, 0);
  DeliverySeq delivery = taken->back().Int(kFirstRow, 1);
  const std::int64_t part_of_end =
      std::max((event + event_block - 1) / kPartSize, (delivery + delivery_block - 1) / kPartSize);
  // Both move on to the next partition together.
  event = std::max(event, part_of_end * kPartSize);
  delivery = std::max(delivery, part_of_end * kPartSize);
  connection_->Send("UPDATE @counter SET event = $1, delivery = $2",
                    Params().Add(event + event_block).Add(delivery + delivery_block));
  connection_->Send("COMMIT");
  if (auto done = connection_->Receive(); !done) return std::move(done).error();
  if (part_of_end > part_) HSW_TRY(MakePart(*connection_, part_of_end));
  part_ = std::max(part_, part_of_end);
  numbers_.next_event = event;
  numbers_.end_event = event + event_block;
  numbers_.next_delivery = delivery;
  numbers_.end_delivery = delivery + delivery_block;
  return Ok();
}

Status Writer::StorePart(Batch& batch, const Part& part) {
  known_.clear();
  answers_.clear();
  for (Rows* rows : {&event_rows_, &dedup_rows_, &delivery_rows_, &more_rows_}) rows->clear();
  memory_.clear();
  new_configs_.clear();
  new_events_.clear();
  new_deliveries_.clear();
  revived_.clear();
  recorded_.clear();
  HSW_TRY(TakeNumbers(batch, part));
  Ask("BEGIN", {});
  lease_->SendFence(*connection_);
  answers_.emplace_back();
  HSW_TRY(FindKnown(part.appends));
  HSW_TRY(AppendAll(part.appends));
  SendRows();
  RecordAll(batch, part);
  if (part.has_rest) RecordRest(batch);
  for (Command* command : part.commands) HSW_TRY(RunCommand(*command));
  SendRows();
  const auto leave = [&] {
    Ask("INSERT INTO @batch VALUES($1, $2, $3, $4, $5, $6, $7)", Params()
                                                                     .Add(router_)
                                                                     .Add(numbers_.batch)
                                                                     .Add(process_)
                                                                     .Add(numbers_.next_event)
                                                                     .Add(numbers_.end_event)
                                                                     .Add(numbers_.next_delivery)
                                                                     .Add(numbers_.end_delivery));
    if (numbers_.batch % kBatchesKept == 0) {
      Ask("DELETE FROM @batch WHERE router = $1 AND number < $2",
          Params().Add(router_).Add(numbers_.batch - kBatchesKept));
    }
  };
  leave();
  Ask("COMMIT", {});
  sent_commit_ = true;
  return Flush();
}

void Writer::Ask(std::string_view sql, const Params& params, std::function<void(const Answer&)> then) {
  connection_->Send(sql, params);
  answers_.push_back(std::move(then));
}

Status Writer::Flush() {
  auto answers = connection_->Receive();
  const auto handlers = std::exchange(answers_, {});
  if (!answers) return std::move(answers).error();
  for (std::size_t i = 0; i < handlers.size(); ++i) {
    if (handlers[i]) handlers[i]((*answers)[i]);
  }
  return Ok();
}

Result<std::uint64_t> Writer::Bytes() {
  if (!connection_ || connection_->IsLost()) return Error{ErrorCode::kUnavailable, "it is not connected"};
  const auto found = connection_->Run(
      "SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class c JOIN pg_namespace n "
      "ON n.oid = c.relnamespace WHERE n.nspname = convert_from($1, 'UTF8') AND c.relkind = 'r'",
      Params().Add(connection_->schema()));
  if (!found) return found.error();
  return static_cast<std::uint64_t>(found->Int(kFirstRow, 0));
}

}  // namespace hookswitch::pg
