#include <memory>
#include <string>
#include <string_view>

#include "connection.h"
#include "hookswitch/sink.hpp"
#include "sql.h"

namespace postgres {

/// Writes each event as one row of a table, even if it is delivered several times.
class Sink {
 public:
  Sink(const hsw::Config& config, hsw::Host)
      : conninfo_(config.String("connection")),
        table_(config.String("table", "hookswitch_events")),
        creates_(config.Bool("create_table", true)),
        upsert_(Upsert(table_)) {}

  static void Check(const hsw::Config& config, hsw::Report& report) {
    char* error = nullptr;
    PQconninfoOption* options = PQconninfoParse(config.String("connection").c_str(), &error);
    // libpq's own message would quote the text, including the password.
    if (!options) {
      report("/connection",
             "connection is neither \"host=… dbname=… user=… password=…\" nor postgresql://user:password@host/dbname");
    }
    PQconninfoFree(options);
    PQfreemem(error);
  }

  /// Overwrites the event's row.
  hsw::Options Advise() const { return {.updates = true}; }

  hsw::Outcome Deliver(const hsw::Call& call, const hsw::Delivery& delivery) {
    const Connection::Patience patience{
        Clock::now() + std::chrono::milliseconds(call.TimeoutMs()) - std::chrono::milliseconds(50),
        [&call] { return call.Canceled(); }};
    const std::string event = WithoutNul(delivery.EventJson());
    // The server may have restarted since the last use.
    const bool was_open = connection_ != nullptr;
    Answer answer = Write(event, patience);
    const bool again = was_open && !connection_ && !answer.timed_out && !answer.canceled;
    if (again) answer = Write(event, patience);
    return OutcomeOf(answer);
  }

  void Preview(const hsw::Delivery& delivery, hsw::Request& request) const {
    request.Url("row of " + Quoted(table_));
    request.Body(RowOf(delivery));
  }

 private:
  /// Whether another server may take over: this one has become read-only, is shutting down or starting.
  static bool IsOfServer(std::string_view sqlstate) {
    return sqlstate == "25006" || sqlstate.starts_with("57P") || sqlstate.starts_with("08");
  }

  Answer Write(const std::string& event, const Connection::Patience& patience) {
    if (!connection_) {
      Answer answer;
      auto connection = std::make_unique<Connection>(conninfo_, patience, answer);
      if (!connection->Open()) return answer;
      if (creates_) {
        answer = Create(*connection, patience);
        if (!answer.ok) return answer;
      }
      connection_ = std::move(connection);
    }
    Answer answer = connection_->Execute(upsert_, {event}, patience);
    if (!connection_->Open() || IsOfServer(answer.sqlstate)) connection_.reset();
    return answer;
  }

  /// Checks first, because an account that may write the table may not be allowed to create one.
  Answer Create(Connection& connection, const Connection::Patience& patience) const {
    const auto look = [&] { return connection.Execute("SELECT to_regclass($1)", {Quoted(table_)}, patience); };
    Answer there = look();
    if (!there.ok || !there.value.empty()) return there;
    for (const std::string& statement : CreateTable(table_)) {
      Answer made = connection.Execute(statement, {}, patience);
      if (made.ok) continue;
      // Another client may have created it meanwhile, which PostgreSQL reports as one of several errors.
      there = look();
      return there.ok && !there.value.empty() ? there : made;
    }
    return there;
  }

  const std::string conninfo_, table_;
  const bool creates_;
  const std::string upsert_;
  std::unique_ptr<Connection> connection_;
};

constexpr const char* kSchema = R"({
  "type": "object",
  "additionalProperties": false,
  "required": ["connection"],
  "properties": {
    "connection": {"type": "string", "minLength": 1, "maxLength": 2000, "x-secret": true, "pattern": "^[^\\x00-\\x08\\x0E-\\x1F\\x7F]+$", "examples": ["host=db.example.com dbname=calls"], "description": "Where the database is and who connects: host=… dbname=… user=… password=… sslmode=verify-full, or postgresql://user:password@host/dbname."},
    "table": {"type": "string", "default": "hookswitch_events", "pattern": "^([\\p{L}_][\\p{L}\\p{N}_$]{0,62}|\"[^\"]{1,63}\")(\\.([\\p{L}_][\\p{L}\\p{N}_$]{0,62}|\"[^\"]{1,63}\"))?$", "description": "The table, or schema.table, as it is written: capitals count."},
    "create_table": {"type": "boolean", "default": true, "description": "Make the table if it is not there."}
  }
})";

}  // namespace postgres

HSW_CALL_SINK(postgres::Sink, "postgres", "1.0.0", "PostgreSQL: a row for each event", postgres::kSchema,
              .concurrency = 1)
