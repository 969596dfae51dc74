#include "connection.h"

#include <poll.h>

#include <algorithm>
#include <new>

namespace postgres {
namespace {

// Longest wait for the socket, and so for a cancellation.
constexpr std::chrono::milliseconds kLook{100};
constexpr std::size_t kMaxMessage = 400;

bool IsSqlState(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); });
}

std::string OneLine(std::string_view text) {
  std::string line;
  for (const char c : text.substr(0, text.find("\nLOCATION"))) {
    if (line.size() >= kMaxMessage) break;
    line += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c;
  }
  while (line.ends_with(' ')) line.pop_back();
  return line;
}

/// For a failed connection libpq only has a text: "FATAL:  28P01: password authentication failed for user …".
void ReadMessage(std::string_view text, Answer& answer) {
  for (auto colon = text.find(":  "); colon != std::string_view::npos; colon = text.find(":  ", colon + 1)) {
    const auto rest = text.substr(colon + 3);
    if (rest.size() < 7 || rest.substr(5, 2) != ": " || !IsSqlState(rest.substr(0, 5))) continue;
    answer.sqlstate = rest.substr(0, 5);
    answer.message = OneLine(rest.substr(7, rest.find('\n') - 7));
    return;
  }
  answer.message = OneLine(text);
}

}  // namespace

Connection::Connection(const std::string& conninfo, const Patience& patience, Answer& answer) {
  // Parameters before dbname are overridden by those in it.
  const char* const names[] = {"target_session_attrs", "dbname", "fallback_application_name", "client_encoding",
                               nullptr};
  const char* const values[] = {"read-write", conninfo.c_str(), "hookswitch", "UTF8", nullptr};
  connection_.reset(PQconnectStartParams(names, values, 1));
  if (!connection_) throw std::bad_alloc();
  PQsetErrorVerbosity(connection_.get(), PQERRORS_VERBOSE);  // otherwise a failed connection has no SQLSTATE
  PQsetNoticeProcessor(
      connection_.get(), [](void*, const char*) {}, nullptr);
  auto state = PQstatus(connection_.get()) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
  while (state == PGRES_POLLING_WRITING || state == PGRES_POLLING_READING) {
    if (!Await(state == PGRES_POLLING_WRITING, patience, answer)) return;
    state = PQconnectPoll(connection_.get());
  }
  open_ = state == PGRES_POLLING_OK;
  answer.ok = open_;
  if (!open_) ReadMessage(PQerrorMessage(connection_.get()), answer);
}

bool Connection::Await(bool write, const Patience& patience, Answer& answer) const {
  for (;;) {
    const auto now = Clock::now();
    answer.timed_out = now >= patience.deadline;
    answer.canceled = patience.canceled();
    if (answer.timed_out || answer.canceled) return false;
    pollfd polled{PQsocket(connection_.get()), static_cast<short>(write ? POLLOUT : POLLIN), 0};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(patience.deadline - now);
    if (::poll(&polled, 1, static_cast<int>(std::min(left, kLook).count())) > 0) return true;
  }
}

Answer Connection::Execute(const std::string& statement, const std::vector<std::string>& parameters,
                           const Patience& patience) {
  PGconn* const connection = connection_.get();
  Answer answer;
  const auto lost = [&] {
    open_ = false;
    answer.ok = false;
    answer.lost = true;
    if (answer.message.empty()) ReadMessage(PQerrorMessage(connection), answer);
    return answer;
  };
  std::vector<const char*> values;
  for (const std::string& parameter : parameters) values.push_back(parameter.c_str());
  if (!PQsendQueryParams(connection, statement.c_str(), static_cast<int>(values.size()), nullptr, values.data(),
                         nullptr, nullptr, 0)) {
    return lost();
  }
  bool got = false;
  for (;;) {
    while (PQisBusy(connection)) {
      // A pending result would be taken for the next statement's: drop the connection.
      if (!Await(false, patience, answer) || !PQconsumeInput(connection)) return lost();
    }
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQgetResult(connection), &PQclear);
    if (!result) break;
    if (got) continue;
    got = true;
    const auto status = PQresultStatus(result.get());
    answer.ok = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
    if (answer.ok) {
      if (PQntuples(result.get()) > 0) answer.value = PQgetvalue(result.get(), 0, 0);
    } else {
      const char* sqlstate = PQresultErrorField(result.get(), PG_DIAG_SQLSTATE);
      const char* message = PQresultErrorField(result.get(), PG_DIAG_MESSAGE_PRIMARY);
      answer.sqlstate = sqlstate ? sqlstate : "";
      const auto field = [&result](int code) {
        const char* text = PQresultErrorField(result.get(), code);
        return std::string(text ? text : "");
      };
      answer.constraint = field(PG_DIAG_CONSTRAINT_NAME);
      answer.column = field(PG_DIAG_COLUMN_NAME);
      answer.message = OneLine(message ? message : PQresultErrorMessage(result.get()));
    }
  }
  if (PQstatus(connection) != CONNECTION_OK) return lost();
  return answer;
}

}  // namespace postgres
