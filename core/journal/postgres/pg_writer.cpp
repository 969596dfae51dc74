#include "core/journal/postgres/pg_writer.h"

#include <algorithm>
#include <limits>
#include <random>
#include <set>
#include <thread>

#include "core/base/log.h"
#include "core/journal/postgres/pg_schema.h"

namespace hookswitch::pg {
namespace {

constexpr std::chrono::milliseconds kRetryEvery{500};
/// How long a batch waits for a new connection; one that takes longer is used when it is there.
constexpr std::chrono::milliseconds kConnectWait{250};
/// How often the router's name is asked for, and beyond the length of the lease for how long.
constexpr std::chrono::milliseconds kAskForName{200}, kNamePatience{1000};
constexpr std::size_t kRecordsPerCommit = 4000;
/// A transaction that meets another router's event of the same key is tried again, with that event known.
constexpr int kTries = 5;
/// Rows of the table `batch` that stay for each router: the last one is needed.
constexpr std::int64_t kBatchesKept = 64;
/// News stay this long at least, in transactions of their router: who hears nothing for longer has to start again.
constexpr std::int64_t kNewsKept = 20'000;
constexpr std::int64_t kCountedExactly = 100'000;
/// How often others are asked for news while there is nothing to store; right after news, and else.
constexpr std::chrono::milliseconds kAskSoon{40}, kAskEvery{280};

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

std::int64_t NewToken() {
  static thread_local std::mt19937_64 random{std::random_device()() | std::uint64_t{std::random_device()()} << 32};
  return static_cast<std::int64_t>(random() >> 1);
}

}  // namespace

Result<std::unique_ptr<Writer>> Writer::Open(const Place& place, const WriterOptions& options, const Clock& clock) {
  std::unique_ptr<Writer> writer(new Writer(place, options, clock));
  auto connection = Connection::Open(place);
  if (!connection) return std::move(connection).error();
  HSW_TRY(writer->Use(std::move(*connection)));
  Lease::Terms terms = options.lease;
  terms.router = writer->router_;
  auto lease = Lease::Open(place, std::move(terms), clock);
  if (!lease) return std::move(lease).error();
  writer->lease_ = std::move(*lease);
  const auto are_others = writer->others_.emplace(writer->router_).Begin(*writer->connection_);
  if (!are_others) return are_others.error();
  // Others find a new router every kAskEvery. Until they ask for its news, they could deliver an event of their own
  // before an earlier one of this router.
  if (*are_others) std::this_thread::sleep_for(2 * kAskEvery);
  HSW_TRY(writer->Load());
  return writer;
}

Status Writer::Connect() {
  // On a thread of its own: a server that does not answer must not let senders wait.
  if (!opening_.valid()) opening_ = std::async(std::launch::async, [this] { return Connection::Open(place_); });
  if (opening_.wait_for(kConnectWait) != std::future_status::ready) {
    return Error{ErrorCode::kUnavailable, "the server does not answer"};
  }
  auto opened = opening_.get();
  if (!opened) return std::move(opened).error();
  return Use(std::move(*opened));
}

Status Writer::Use(std::unique_ptr<Connection> connection) {
  connection_ = std::move(connection);
  description_ = connection_->Description();
  const bool is_first = router_ == 0;
  const auto schema = is_first ? PrepareSchema(*connection_) : FindSchema(*connection_);
  if (!schema) return schema.error();
  if (!is_first && schema->salt != salt_) {
    return Error{ErrorCode::kUnavailable, "it is another journal than before: restart the router"};
  }
  salt_ = schema->salt;
  if (is_first) {
    HSW_TRY(CheckUsable(*connection_));
    HSW_TRY(Register());
    // Again: whoever copies the journal looks for registered routers after he has marked it.
    HSW_TRY(CheckUsable(*connection_));
  }
  return LoadNumber();
}

/// Takes the name, which one process at a time has; removes routers that are long gone, as containers have new names.
Status Writer::Register() {
  static constexpr std::string_view kGone =
      "(SELECT number FROM @router WHERE seen < clock_timestamp() - interval '7 days')";
  connection_->Begin();
  connection_->Send("DELETE FROM @news WHERE router IN " + std::string(kGone));
  connection_->Send("DELETE FROM @batch WHERE router IN " + std::string(kGone));
  connection_->Send("DELETE FROM @router WHERE number IN " + std::string(kGone));
  connection_->Send("COMMIT");
  if (!connection_->Receive()) connection_->Rollback();  // another one does it, or will
  const auto give_up = std::chrono::steady_clock::now() + options_.lease.length + kNamePatience;
  for (;;) {
    const auto registered = connection_->Run(
        "INSERT INTO @router AS r (name, instance, seen) VALUES(convert_from($1, 'UTF8'), $2, clock_timestamp()) "
        "ON CONFLICT(name) DO UPDATE SET instance = excluded.instance, seen = excluded.seen "
        "WHERE (r.instance = excluded.instance AND r.instance <> 0) OR "
        "r.seen < clock_timestamp() - make_interval(secs => $3 / 1000.0) RETURNING number",
        Params().Add(options_.router).Add(options_.lease.instance).Add(options_.lease.length.count()));
    if (!registered) return registered.error();
    if (registered->rows() != 0) {
      router_ = registered->Int(kFirstRow, 0);
      return Ok();
    }
    if (std::chrono::steady_clock::now() > give_up) {
      return Error{ErrorCode::kUnavailable, "another router named \"" + options_.router +
                                                "\" is at work on it: give each a cluster.name of its own"};
    }
    std::this_thread::sleep_for(kAskForName);
  }
}

Status Writer::LoadNumber() {
  const auto last =
      connection_->Run("SELECT coalesce(max(number), 0) FROM @batch WHERE router = $1", Params().Add(router_));
  if (!last) return last.error();
  // Not lower than before: after a failover that has lost the last ones, others may have heard of them.
  batch_ = std::max(batch_, last->Int(kFirstRow, 0) + 1);
  return Ok();
}

Status Writer::Load() {
  // To count many exactly would take longer than an answer may.
  connection_->Send(
      "SELECT count(*), coalesce((SELECT max(seq) FROM @event), 0), (SELECT removed FROM @counter), "
      "(SELECT coalesce(sum(greatest(c.reltuples, 0)), 0)::bigint FROM pg_inherits i JOIN pg_class c ON c.oid = "
      "i.inhrelid WHERE i.inhparent = '@event'::regclass) FROM (SELECT 1 FROM @event LIMIT $1) counted",
      Params().Add(kCountedExactly));
  connection_->Send("SELECT EXISTS(SELECT 1 FROM @memory)");
  connection_->Send("SELECT coalesce(max(number), 0) FROM @refused");
  connection_->Send("SELECT number, hash FROM @config");
  const auto found = connection_->Receive();
  if (!found) return found.error();
  const std::int64_t counted = (*found)[0].Int(kFirstRow, 0), estimated = (*found)[0].Int(kFirstRow, 3);
  events_ = static_cast<std::uint64_t>(counted < kCountedExactly ? counted : std::max(counted, estimated));
  last_event_ = (*found)[0].Int(kFirstRow, 1);
  removed_ = removed_before_ = static_cast<std::uint64_t>((*found)[0].Int(kFirstRow, 2));
  has_memory_ = (*found)[1].Int(kFirstRow, 0) != 0;
  last_refused_ = (*found)[2].Int(kFirstRow, 0);
  const Answer& configs = (*found)[3];
  for (int row = 0; row < configs.rows(); ++row) {
    Digest hash{};
    std::ranges::copy(configs.Bytes(row, 1).substr(0, hash.size()), hash.begin());
    configs_[hash] = configs.Int(row, 0);
  }
  return LoadOpen();
}

Status Writer::LoadOpen() {
  pending_ = PendingSet();
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
  if (!unwritable_) {
    if (Status listened = Listen(); !listened) SetUnwritable(std::move(listened).error());
  }
  batch.is_unwritable = unwritable_.has_value();
  return committed;
}

std::chrono::milliseconds Writer::Rest() const {
  return heard_lately_ ? kAskSoon : kAskEvery;
}

Status Writer::Listen() {
  const auto now = std::chrono::steady_clock::now();
  if (now >= ask_others_at_) {
    if (!connection_ || connection_->IsLost()) HSW_TRY(Connect());
    HSW_TRY(others_->Ask(*connection_));
    ask_others_at_ = now + Rest();
  }
  heard_lately_ = others_->has_news();
  if (!heard_lately_) return Ok();
  ask_others_at_ = std::min(ask_others_at_, now + kAskSoon);
  // All of it, or the order among the routers would be lost.
  while (others_->has_more()) HSW_TRY(others_->Ask(*connection_));
  if (others_->has_missed() && options_.lease.on_lost) {
    log::Error("journal_news_missed", {{"database", description_}});
    options_.lease.on_lost("");
  }
  auto heard = others_->Read(*connection_);
  if (!heard) return std::move(heard).error();
  for (const auto& delivery : heard->deliveries) pending_.Set(delivery.seq, delivery.sink, delivery.is_open);
  std::erase_if(heard->changes.opened,
                [&](const PendingDelivery& delivery) { return told_otherwise_.contains(delivery.seq); });
  told_otherwise_.clear();
  events_ += heard->events.size();
  for (const EventSeq event : heard->events) last_event_ = std::max(last_event_, event);
  last_refused_ = std::max(last_refused_, heard->newest_refused);
  has_memory_ = has_memory_ || heard->has_memory;
  heard_ = std::move(*heard);
  return Ok();
}

bool Writer::Commit(Batch& batch) {
  RefuseTooLarge(batch);
  const std::size_t refused = batch.quarantined.size();  // which are no longer among the records
  // What is left of them was not stored.
  std::span<AppendRequest> appends = batch.appends;
  std::span<Command*> commands = batch.commands;
  const auto fail = [&](const Error& error) {
    SetUnwritable(error);
    for (AppendRequest& request : appends) {
      if (!request.is_unstorable) request.error = *unwritable_;
    }
    for (Command* command : commands) command->error = *unwritable_;
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
      // Damage where events are appended fails all of them.
      const bool is_damaged = !piece.appends.empty() && connection_->sqlstate().starts_with("XX");
      if (!tried && (!IsAboutTheRow(tried.error()) || is_damaged)) {
        stored = std::move(tried);
        break;
      }
      if (!tried) Blame(batch, piece, tried.error());
      appends = appends.subspan(piece.appends.size());
      commands = commands.subspan(piece.commands.size());
    }
  }
  done = batch.recorded.size() + batch.quarantined.size() - refused;
  batch.records.erase(batch.records.begin(), batch.records.begin() + static_cast<std::ptrdiff_t>(done));
  if (!stored) return fail(stored.error());
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
  if (!part.has_rest) return;
  dropped_rows_ += batch.refused.size() + batch.actions.size();
  batch.actions.clear();
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
  // Another host of the URL may be the one that can be written to.
  connection_.reset();
}

Status Writer::TryPart(Batch& batch, const Part& part) {
  Status stored = Ok();
  const Need need = NeedOf(batch, part);
  for (int i = 0; i < kTries; ++i) {
    const std::uint64_t events = events_;
    const EventSeq last_event = last_event_;
    const std::int64_t last_refused = last_refused_;
    pending_.Begin();
    sent_commit_ = false;
    token_ = NewToken();
    stored = StorePart(batch, part, need);
    if (stored) {
      ++batch_;
      doubts_.clear();
      if (part.has_rest) batch.actions.clear();
      configs_.merge(new_configs_);
      batch.recorded.insert(batch.recorded.end(), recorded_.begin(), recorded_.end());
      for (AppendRequest& request : part.appends) {
        if (!request.error) request.accepted.id = EventId(request.accepted_at, salt_, request.accepted.event);
      }
      return stored;
    }
    const bool meets_another = connection_->sqlstate() == "23505" || connection_->sqlstate().starts_with("40");
    const bool is_our_batch = connection_->constraint() == "batch_pkey" || connection_->sqlstate() == "23502";
    const bool is_replaced = connection_->sqlstate() == Fence::kLostState;
    connection_->Rollback();
    pending_.Rollback();
    events_ = events;
    last_event_ = last_event;
    last_refused_ = last_refused;
    if (connection_->IsLost() && sent_commit_) {
      doubts_.push_back({.batch = batch_,
                         .token = token_,
                         .recorded = recorded_,
                         .actions = part.has_rest ? batch.actions.size() : 0});
      return stored;
    }
    if (move_to_) {
      HSW_TRY(MoveTo(*connection_, *move_to_));
      part_ = *move_to_;
      continue;
    }
    if (is_replaced) return Error{ErrorCode::kUnavailable, "another router works on it now"};
    if (is_our_batch && !doubts_.empty()) {
      return Error{ErrorCode::kUnavailable, "what was sent before the connection broke was stored only now"};
    }
    if (is_our_batch) {
      return Error{ErrorCode::kUnavailable, "another router named \"" + options_.router +
                                                "\" writes to it: give each a cluster.name of its own"};
    }
    if (connection_->sqlstate() == "55P03") EndStuck();
    if (!meets_another) return stored;
  }
  return stored;
}

/// The server may not learn that a connection has ended while it waits for the rest of a transaction, for hours: the
/// network was cut, and what it has locked stays locked. No router is so slow; one that is tries again.
void Writer::EndStuck() {
  constexpr int kPatiences = 3;
  const auto age = std::chrono::milliseconds(place_.patience) * kPatiences;
  (void)connection_
      ->Run(
          "SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid "
          "WHERE l.locktype = 'relation' AND l.relation = '@batch'::regclass AND l.mode = 'RowExclusiveLock' "
          "AND l.granted AND a.datname = current_database() AND a.usename = current_user "
          "AND a.xact_start < clock_timestamp() - $1 * interval '1 millisecond'",
          Params().Add(age.count()))
      .has_value();
}

Status Writer::ResolveDoubt(Batch& batch) {
  if (doubts_.empty()) return Ok();
  const auto found = connection_->Run("SELECT token FROM @batch WHERE router = $1 AND number = $2",
                                      Params().Add(router_).Add(doubts_.front().batch));
  if (!found) return found.error();
  // The server may still commit it. It can no longer once another transaction of its number is committed.
  if (found->rows() == 0) return Ok();
  const auto doubt = std::ranges::find(doubts_, found->Int(kFirstRow, 0), &Doubt::token);
  if (doubt != doubts_.end()) {
    log::Info("journal_batch_was_stored", {{"database", description_}, {"batch", doubt->batch}});
    std::vector<DeliverySeq> fallbacks;
    for (const auto& [delivery, fallback] : doubt->recorded) fallbacks.push_back(fallback);
    const auto made = connection_->Run("SELECT seq FROM @delivery WHERE seq = ANY($1)", Params().Add(fallbacks));
    if (!made) return made.error();
    std::set<DeliverySeq> there;
    for (int row = 0; row < made->rows(); ++row) there.insert(made->Int(row, 0));
    HSW_TRY(LoadNumber());
    // Nobody here was told what it has stored: it is heard like news of another router.
    HSW_TRY(others_->HearOwn(*connection_, doubt->batch));
    told_otherwise_.insert(there.begin(), there.end());
    for (const auto& [delivery, fallback] : doubt->recorded) {
      batch.recorded.emplace_back(delivery, there.contains(fallback) ? fallback : 0);
    }
    batch.actions.erase(batch.actions.begin(), batch.actions.begin() + static_cast<std::ptrdiff_t>(doubt->actions));
  }
  doubts_.clear();
  return Ok();
}

Writer::Need Writer::NeedOf(const Batch& batch, const Part& part) {
  Need need;
  for (const AppendRequest& request : part.appends) {
    if (request.is_unstorable) continue;
    ++need.events;
    need.deliveries += static_cast<std::int64_t>(request.event->deliveries.size());
  }
  for (std::size_t i = 0; i < part.records; ++i) {
    need.deliveries += batch.records[part.first_record + i].fallback_sink.empty() ? 0 : 1;
  }
  for (const Command* command : part.commands) {
    if (const auto* add = std::get_if<AddChange*>(&command->change)) {
      need.deliveries += static_cast<std::int64_t>((*add)->deliveries.size());
    }
  }
  return need;
}

/// With the next Flush; CheckNumbers comes after it.
void Writer::AskForNumbers(const Need& need) {
  const auto ask = [&](const char* sequence, std::int64_t count, TakenNumbers& numbers) {
    if (count == 0) return;
    Ask("SELECT nextval('" + std::string(sequence) + "') FROM generate_series(1, $1)", Params().Add(count),
        [&numbers](const Answer& taken) {
          for (int row = 0; row < taken.rows(); ++row) numbers.Add(taken.Int(row, 0));
        });
  };
  ask("@event_number", need.events, event_numbers_);
  ask("@delivery_number", need.deliveries, delivery_numbers_);
}

/// An error, and `move_to_` is set, if not all of them are in one partition that exists.
Status Writer::CheckNumbers() {
  std::int64_t lowest = std::numeric_limits<std::int64_t>::max(), highest = 0;
  for (const TakenNumbers* numbers : {&event_numbers_, &delivery_numbers_}) {
    if (numbers->empty()) continue;
    lowest = std::min(lowest, numbers->lowest());
    highest = std::max(highest, numbers->highest());
  }
  const std::int64_t part = highest / kPartSize;
  if (highest == 0 || (lowest / kPartSize == part && part <= part_)) return Ok();
  move_to_ = part;
  return Error{ErrorCode::kUnavailable, "the numbers are of a partition that has not begun"};
}

/// Makes the next `count` numbers of deliveries follow one another.
Status Writer::ReserveDeliveries(std::size_t count) {
  while (!delivery_numbers_.SkipTo(count)) {
    AskForNumbers({.deliveries = static_cast<std::int64_t>(count)});
    HSW_TRY(Flush());
    HSW_TRY(CheckNumbers());
  }
  return Ok();
}

/// All of it in one transaction. Its own row comes first: then nothing of it is done beside another one of its
/// number.
Status Writer::StorePart(Batch& batch, const Part& part, const Need& need) {
  known_.clear();
  config_uses_.clear();
  kept_configs_.clear();
  asked_configs_.clear();
  removed_digests_.clear();
  event_numbers_.clear();
  delivery_numbers_.clear();
  move_to_.reset();
  news_ = {};
  answers_.clear();
  for (Rows* rows : {&event_rows_, &dedup_rows_, &delivery_rows_, &more_rows_}) rows->clear();
  memory_.clear();
  new_configs_.clear();
  recorded_.clear();
  connection_->Begin();
  answers_.resize(Connection::kBeginAnswers);
  // Fails if that number is stored: 23505; or was, and is removed: 23502.
  Ask("INSERT INTO @batch SELECT $1, CASE WHEN count(*) = 0 THEN $2 END, $3 FROM @batch WHERE router = $1 AND "
      "number > $2",
      Params().Add(router_).Add(batch_).Add(token_));
  if (batch_ % kBatchesKept == 0) {
    // Only what has become too old since the last time: while somebody holds a snapshot, rows that are removed stay
    // in the index, and must not be walked again and again.
    for (const auto& [table, kept] : {std::pair("batch", kBatchesKept), std::pair("news", kNewsKept)}) {
      Ask("DELETE FROM @" + std::string(table) + " WHERE router = $1 AND number >= $2 AND number < $3",
          Params().Add(router_).Add(batch_ - kept - kBatchesKept).Add(batch_ - kept));
    }
  }
  if (need.events + need.deliveries != 0) {
    // From here to the commit no partition begins or goes, and no config: retention waits for this lock.
    Ask(kTakesNumbers, {});
    AskForNumbers(need);
    FindKnown(part.appends);
    HSW_TRY(Flush());
    HSW_TRY(CheckNumbers());
    ForgetRemoved();
  }
  HSW_TRY(AppendAll(part.appends));
  SendRows();
  HSW_TRY(RecordAll(batch, part));
  if (part.has_rest) RecordRest(batch);
  for (Command* command : part.commands) HSW_TRY(RunCommand(*command));
  SendRows();
  SendNews();
  if (part.records != 0) {
    // The last of all, so that the lease can be renewed meanwhile.
    lease_->fence().Send(*connection_);
    answers_.emplace_back();
  }
  Ask("COMMIT", {});
  sent_commit_ = true;
  return Flush();
}

/// What this transaction does, for the others; and the question what they have done.
void Writer::SendNews() {
  Ask(News::InsertSql(), news_.InsertParams(router_, batch_));
  if (!others_->exist()) return;
  Ask(Others::kQuestion, others_->QuestionParams(), [this](const Answer& answer) { others_->Answered(answer); });
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
