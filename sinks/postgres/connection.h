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

/// What came of connecting or of a statement.
struct Answer {
  bool ok = false;
  std::string sqlstate;            ///< "23505"; "" where the server gave none
  std::string message;             ///< one line, for people
  std::string constraint, column;  ///< what an error is about; "" where the server gave none
  std::string value;               ///< the first column of the first row, "" if there is none or it is null
  bool lost = false;               ///< the connection is gone; a statement may have been done
  bool timed_out = false, canceled = false;
};

/// One connection, driven by its caller and never longer than the caller wants to wait.
class Connection {
 public:
  /// When to give up.
  struct Patience {
    Clock::time_point deadline;
    std::function<bool()> canceled;
  };

  /// `conninfo` as libpq takes it: "host=… dbname=…" or "postgresql://…"; of several servers the one that takes writes,
  /// unless it says otherwise. Ask Open() and, if not, `answer`.
  Connection(const std::string& conninfo, const Patience& patience, Answer& answer);
  bool Open() const { return open_; }
  Answer Execute(const std::string& statement, const std::vector<std::string>& parameters, const Patience& patience);

 private:
  struct Finish {
    void operator()(PGconn* connection) const { PQfinish(connection); }
  };
  /// Waits until the socket can be read, or written. False and why in `answer` if it does not come to that.
  bool Await(bool write, const Patience& patience, Answer& answer) const;

  std::unique_ptr<PGconn, Finish> connection_;
  bool open_ = false;
};

}  // namespace postgres
