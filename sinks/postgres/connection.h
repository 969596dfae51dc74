#pragma once
#include <libpq-fe.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace postgres {

using Clock = std::chrono::steady_clock;

/// Result of connecting or of a statement.
struct Answer {
  bool ok = false;
  std::string sqlstate;            ///< "23505"; "" if the server sent none
  std::string message;             ///< one line, for people
  std::string constraint, column;  ///< subject of an error; "" if the server sent none
  std::string value;               ///< first column of the first row; "" if none or null
  bool lost = false;               ///< the connection is lost; a statement may have been executed
  bool timed_out = false, canceled = false;
};

/// One connection, driven by its caller; no call blocks longer than its limit.
class Connection {
 public:
  /// Limits of a call.
  struct Patience {
    Clock::time_point deadline;
    std::function<bool()> canceled;
  };

  /// `conninfo` in libpq's form: "host=… dbname=…" or "postgresql://…"; of several servers the writable one, unless it
  /// says otherwise. Then check Open() and, on failure, `answer`.
  Connection(const std::string& conninfo, const Patience& patience, Answer& answer);
  bool Open() const { return open_; }
  Answer Execute(const std::string& statement, const std::vector<std::string>& parameters, const Patience& patience);

 private:
  struct Finish {
    void operator()(PGconn* connection) const { PQfinish(connection); }
  };
  /// Waits until the socket is readable, or writable. False on failure, with the reason in `answer`.
  bool Await(bool write, const Patience& patience, Answer& answer) const;

  std::unique_ptr<PGconn, Finish> connection_;
  bool open_ = false;
};

}  // namespace postgres
