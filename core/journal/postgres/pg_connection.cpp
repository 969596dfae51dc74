#include "core/journal/postgres/pg_connection.h"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "core/base/check.h"

namespace hookswitch::pg {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;
using OneResult = std::unique_ptr<PGresult, decltype(&PQclear)>;

constexpr std::size_t kMaxMessage = 400;
constexpr std::string_view kLocked = "55P03";
constexpr int kBinary = 1;

std::string OneLine(std::string_view text) {
  std::string line;
  for (const char c : text.substr(0, kMaxMessage)) line += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  while (line.ends_with(' ')) line.pop_back();
  return line;
}

/// Of any width; 0 of none.
std::int64_t IntOf(std::string_view bytes) {
  if (bytes.empty()) return 0;
  std::uint64_t value = static_cast<unsigned char>(bytes[0]) >= 0x80 ? ~std::uint64_t{0} : 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return static_cast<std::int64_t>(value);
}

/// By the class of a SQLSTATE.
ErrorCode CodeOf(std::string_view sqlstate) {
  const std::string_view kind = sqlstate.substr(0, 2);
  if (kind == "54") return ErrorCode::kTooLarge;                               // program limit exceeded
  if (kind == "22") return ErrorCode::kInvalid;                                // data exception
  if (sqlstate == "XX001" || sqlstate == "XX002") return ErrorCode::kInvalid;  // corrupted table or index
  return ErrorCode::kUnavailable;
}

/// An error if libpq would take a part of the password for something else, and so print it: a URL whose password has
/// special characters as they are, or a string that it cannot read.
Status CheckUrl(const std::string& url) {
  constexpr std::string_view kExpected =
      "want postgres://user:password@host:5432/database, with special characters as %40 (@), %2F (/), %3F (?), %23 "
      "(#), "
      "%25 (%)";
  const bool is_url = url.starts_with("postgres://") || url.starts_with("postgresql://");
  const std::size_t at = url.find('@');
  if (is_url && at != std::string::npos &&
      (url.find('@', at + 1) != std::string::npos || url.find_first_of("/?#", url.find("://") + 3) < at)) {
    return Error{ErrorCode::kUnavailable,
                 "its URL has an \"@\" or \"/\" that is not in its place: " + std::string(kExpected)};
  }
  char* said = nullptr;
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(PQconninfoParse(url.c_str(), &said),
                                                                             &PQconninfoFree);
  PQfreemem(said);
  if (!options) return Error{ErrorCode::kUnavailable, "its URL cannot be read: " + std::string(kExpected)};
  return Ok();
}

}  // namespace

Answer::Answer(pg_result* result) : result_(result, &PQclear) {}

int Answer::rows() const {
  return PQntuples(result_.get());
}

std::int64_t Answer::Int(int row, int column) const {
  return IntOf(Bytes(row, column));
}

// As array_send writes it: dimensions, flags, type; of the one dimension its length and first index; then each element
// after its length.
std::vector<std::int64_t> Answer::Ints(int row, int column) const {
  constexpr std::size_t kHead = 12, kBounds = 8, kElement = 12, kLength = 4;
  std::string_view bytes = Bytes(row, column);
  std::vector<std::int64_t> values;
  if (bytes.size() < kHead + kBounds) return values;
  for (bytes.remove_prefix(kHead + kBounds); bytes.size() >= kElement; bytes.remove_prefix(kElement)) {
    values.push_back(IntOf(bytes.substr(kLength, kElement - kLength)));
  }
  return values;
}

std::string_view Answer::Bytes(int row, int column) const {
  if (PQgetisnull(result_.get(), row, column)) return {};
  return {PQgetvalue(result_.get(), row, column), static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

std::int64_t Answer::Changed() const {
  const std::string_view text = PQcmdTuples(result_.get());
  std::int64_t count = 0;
  std::from_chars(text.data(), text.data() + text.size(), count);
  return count;
}

Connection::Connection(pg_conn* connection, const Place& place)
    : connection_(connection, &PQfinish),
      schema_([&] {
        std::string quoted = "\"";
        for (const char c : place.schema) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
        return quoted + "\".";
      }()),
      name_(place.schema),
      patience_(place.patience) {}

Result<std::unique_ptr<Connection>> Connection::Open(const Place& place) {
  HSW_TRY(CheckUrl(place.url));
  // What stands before dbname is overridden by what the URL says.
  const char* const names[] = {"target_session_attrs",
                               "connect_timeout",
                               "tcp_user_timeout",
                               "dbname",
                               "fallback_application_name",
                               "client_encoding",
                               nullptr};
  const char* const values[] = {"read-write", "5", "10000", place.url.c_str(), "hookswitch", "UTF8", nullptr};
  std::unique_ptr<Connection> connection(new Connection(PQconnectdbParams(names, values, 1), place));
  PGconn* const raw = connection->connection_.get();
  HSW_CHECK(raw, "libpq found no memory");
  if (PQstatus(raw) != CONNECTION_OK) {
    return Error{ErrorCode::kUnavailable, OneLine(PQerrorMessage(raw)) + " (start the server, or correct the URL)"};
  }
  PQsetNoticeProcessor(
      raw, [](void*, const char*) {}, nullptr);
  if (PQserverVersion(raw) < 120000) {
    return Error{ErrorCode::kUnsupported, "PostgreSQL " + std::to_string(PQserverVersion(raw) / 10000) +
                                              " is too old: hookswitch needs 12 or later"};
  }
  PQsetnonblocking(raw, 1);
  HSW_CHECK(PQenterPipelineMode(raw) == 1, "a new connection is idle");
  return connection;
}

std::string Connection::Qualified(std::string_view sql) const {
  std::string text;
  text.reserve(sql.size() + 64);
  for (const char c : sql) {
    if (c == '@') {
      text += schema_;
    } else {
      text += c;
    }
  }
  return text;
}

void Connection::Send(std::string_view sql, const Params& params) {
  if (lost_) return;
  std::vector<const char*> values;
  std::vector<int> lengths;
  for (const std::string& value : params.values()) {
    values.push_back(value.data());
    lengths.push_back(static_cast<int>(value.size()));
  }
  const std::vector<int> formats(params.size(), kBinary);
  if (PQsendQueryParams(connection_.get(), Qualified(sql).c_str(), static_cast<int>(params.size()),
                        params.types().data(), values.data(), lengths.data(), formats.data(), kBinary) == 0) {
    lost_ = true;
    return;
  }
  ++queued_;
}

Result<std::vector<Answer>> Connection::Receive() {
  sqlstate_.clear();
  constraint_.clear();
  if (lost_ || PQpipelineSync(connection_.get()) == 0) return Lost("");
  auto answers = ReceiveUntil(std::chrono::steady_clock::now() + patience_);
  queued_ = 0;
  return answers;
}

Result<std::vector<Answer>> Connection::ReceiveUntil(SteadyTime deadline) {
  std::vector<Answer> answers;
  std::optional<Error> failed;
  // Each statement gives its results and then none; at the end there is one for the sync.
  for (std::size_t statement = 0; statement <= queued_;) {
    if (!AwaitResult(deadline)) {
      const bool was_cut = std::chrono::steady_clock::now() < deadline;
      return Lost(was_cut ? "" : "no answer within " + std::to_string(patience_.count()) + " ms");
    }
    OneResult result(PQgetResult(connection_.get()), &PQclear);
    if (!result) {
      if (PQstatus(connection_.get()) != CONNECTION_OK) return Lost("");
      ++statement;
      continue;
    }
    switch (PQresultStatus(result.get())) {
      case PGRES_PIPELINE_SYNC: statement = queued_ + 1; break;
      case PGRES_PIPELINE_ABORTED: break;
      case PGRES_COMMAND_OK:
      case PGRES_TUPLES_OK: answers.emplace_back(result.release()); break;
      default:
        if (!failed) failed = Failed(result.get());
        if (PQstatus(connection_.get()) != CONNECTION_OK) return Lost("");
    }
  }
  if (failed) return *failed;
  return answers;
}

bool Connection::AwaitResult(SteadyTime deadline) {
  PGconn* const raw = connection_.get();
  for (;;) {
    const int unsent = PQflush(raw);
    if (unsent < 0) return PQisBusy(raw) == 0;  // what has come may say why
    if (unsent == 0 && PQisBusy(raw) == 0) return true;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    pollfd polled{PQsocket(raw), static_cast<short>(POLLIN | (unsent != 0 ? POLLOUT : 0)), 0};
    if (::poll(&polled, 1, static_cast<int>(left.count())) <= 0) continue;
    if ((polled.revents & ~POLLOUT) != 0 && PQconsumeInput(raw) == 0) return PQisBusy(raw) == 0;
  }
}

Error Connection::Failed(pg_result* result) {
  const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char* message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  const char* constraint = PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME);
  constraint_ = constraint != nullptr ? constraint : "";
  sqlstate_ = state != nullptr ? state : "";
  std::string said = OneLine(message != nullptr ? message : PQresultErrorMessage(result));
  if (sqlstate_ == kLocked) said += ": another transaction holds it (pg_locks says which)";
  return {CodeOf(sqlstate_), std::move(said)};
}

/// `why`: if libpq does not know it.
Error Connection::Lost(std::string why) {
  lost_ = true;
  queued_ = 0;
  if (why.empty()) why = OneLine(PQerrorMessage(connection_.get()));
  if (why.empty()) why = "the connection is lost";
  return {ErrorCode::kUnavailable, std::move(why)};
}

Result<Answer> Connection::Run(std::string_view sql, const Params& params) {
  Send(sql, params);
  auto answers = Receive();
  if (!answers) return std::move(answers).error();
  HSW_CHECK(answers->size() == 1, "one statement has one answer");
  return std::move(answers->front());
}

void Connection::Begin() {
  Send("BEGIN");
  // Before our own patience ends: then the connection stays, and what was done is known.
  const auto tenths = [&](int count) { return std::to_string(patience_.count() * count / 10); };
  Send("SELECT set_config('lock_timeout', '" + tenths(6) + "', true), set_config('statement_timeout', '" + tenths(8) +
       "', true), set_config('idle_in_transaction_session_timeout', '" + tenths(10) + "', true)");
}

void Connection::Rollback() {
  if (lost_ || PQtransactionStatus(connection_.get()) == PQTRANS_IDLE) return;
  const std::string sqlstate = sqlstate_, constraint = constraint_;
  (void)Run("ROLLBACK").has_value();
  sqlstate_ = sqlstate;
  constraint_ = constraint;
}

int Connection::ServerVersion() const {
  return PQserverVersion(connection_.get());
}

std::string Connection::Description() const {
  const PGconn* raw = connection_.get();
  const auto text = [](const char* value) { return std::string(value != nullptr ? value : ""); };
  return text(PQhost(raw)) + ":" + text(PQport(raw)) + "/" + text(PQdb(raw)) + ", schema " + name_;
}

}  // namespace hookswitch::pg
