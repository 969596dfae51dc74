#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/journal/postgres/pg_params.h"

struct pg_conn;
struct pg_result;

namespace hookswitch::pg {

/// What a statement gave, in binary format.
class Answer {
 public:
  explicit Answer(pg_result* result);

  int rows() const;
  /// An integer of any width, or a boolean. 0 for NULL.
  std::int64_t Int(int row, int column) const;
  /// An array of int8 without NULLs. Empty for NULL.
  std::vector<std::int64_t> Ints(int row, int column) const;
  /// A bytea or a text; valid as long as the answer. "" for NULL.
  std::string_view Bytes(int row, int column) const;
  /// Rows that an INSERT, UPDATE or DELETE has changed.
  std::int64_t Changed() const;

 private:
  std::shared_ptr<pg_result> result_;
};

/// Where a journal is.
struct Place {
  std::string url;     ///< a conninfo string or postgres:// URL; may hold a password
  std::string schema;  ///< name of the schema
  std::chrono::milliseconds patience = std::chrono::seconds(10);  ///< the longest wait for an answer
};

/// A connection to PostgreSQL in pipeline mode: what is sent with Send goes out with the next Receive, at once. Uses
/// only what a pooler in transaction mode leaves: no prepared statement, no setting and no lock that outlives a
/// transaction.
///
/// Errors: kTooLarge and kInvalid (it will not take this value), kUnavailable (anything else: the server is away, full,
/// read-only, or not ours to use). Messages hold no secret, whatever the URL is. Not thread-safe.
class Connection {
 public:
  static Result<std::unique_ptr<Connection>> Open(const Place& place);

  /// Queues a statement. In `sql` "@" stands for the schema: "SELECT … FROM @event".
  void Send(std::string_view sql, const Params& params = {});
  /// Sends what is queued and waits for all of it; the first error skips the rest. A transaction that was begun stays
  /// open, failed: call Rollback. After a lost connection or a timeout IsLost, and whether it was done is unknown.
  Result<std::vector<Answer>> Receive();
  /// Send and Receive of one statement.
  Result<Answer> Run(std::string_view sql, const Params& params = {});
  /// Queues BEGIN, and limits that end with the transaction: what waits longer than `patience`, for a lock or for us,
  /// is given up by the server too. Gives kBeginAnswers answers.
  void Begin();
  static constexpr std::size_t kBeginAnswers = 2;
  /// Ends a failed transaction; sqlstate and constraint stay. Does nothing outside one.
  void Rollback();

  bool IsLost() const { return lost_; }
  /// Of the last error: five characters (Appendix A of PostgreSQL's manual); "" if it has none.
  const std::string& sqlstate() const { return sqlstate_; }
  /// That the last error is about; "" if it is about none.
  const std::string& constraint() const { return constraint_; }
  /// 150004 for 15.4.
  int ServerVersion() const;
  const std::string& schema() const { return name_; }
  std::string quoted_schema() const { return schema_.substr(0, schema_.size() - 1); }
  /// "db.example.com:5432/calls, schema hookswitch".
  std::string Description() const;

 private:
  Connection(pg_conn* connection, const Place& place);
  std::string Qualified(std::string_view sql) const;
  Error Failed(pg_result* result);
  Error Lost(std::string why);
  /// Until `deadline`; false after it, or if the connection is lost.
  bool AwaitResult(std::chrono::steady_clock::time_point deadline);
  Result<std::vector<Answer>> ReceiveUntil(std::chrono::steady_clock::time_point deadline);

  const std::unique_ptr<pg_conn, void (*)(pg_conn*)> connection_;
  const std::string schema_;  ///< quoted, with "."
  const std::string name_;    ///< as given
  const std::chrono::milliseconds patience_;
  std::size_t queued_ = 0;
  bool lost_ = false;
  std::string sqlstate_, constraint_;
};

}  // namespace hookswitch::pg
