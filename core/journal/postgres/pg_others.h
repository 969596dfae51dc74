#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/journal/journal.h"
#include "core/journal/postgres/pg_connection.h"

namespace hookswitch::pg {

/// What a transaction has done that other routers must know: its last row, in the table `news`.
struct News {
  std::vector<EventSeq> events;               ///< new ones
  std::vector<DeliverySeq> opened, canceled;  ///< as in OthersChanges
  std::vector<DeliverySeq> recorded;          ///< had an attempt, or ended
  std::vector<EventSeq> revised;
  std::vector<std::pair<std::uint64_t, EventSeq>> ended_calls;
  bool has_memory = false;
  bool has_refused = false;  ///< rejected requests

  /// It was paused or resumed.
  void AddSink(std::string_view sink);
  /// A row for the transaction `number` of `router`.
  static std::string_view InsertSql();
  Params InsertParams(std::int64_t router, std::int64_t number) const;

 private:
  std::string sinks_;
};

/// Follows what other routers store. Each of them numbers its transactions one by one, and commits them in that order:
/// so a cursor for each misses nothing. Not thread-safe.
class Others {
 public:
  /// What was heard, in the order in which it was stored.
  struct Heard {
    OthersChanges changes;
    std::vector<EventSeq> events;  ///< new ones
    struct Touched {
      DeliverySeq seq = 0;
      std::string sink;
      bool is_open = false;
    };
    std::vector<Touched> deliveries;  ///< as they are now; without those that are gone
    std::int64_t newest_refused = 0;
    bool has_memory = false;
  };

  explicit Others(std::int64_t router) : router_(router) {}
  /// From now on what is stored is heard. Returns whether another router is at work.
  Result<bool> Begin(Connection& connection);
  /// Whether there is any other router.
  bool exist() const { return !cursors_.empty(); }

  // The question for news, and its answer, which is used by the next Read.
  static constexpr int kMostRows = 500;
  static constexpr std::string_view kQuestion =
      "SELECT n.router, n.number, n.stored, n.events, n.opened, n.canceled, n.recorded, n.revised, n.ended, n.sinks, "
      "n.newest_refused, n.has_memory FROM unnest($1, $2) c(router, number) JOIN @news n ON n.router = c.router AND "
      "n.number > c.number ORDER BY n.router, n.number LIMIT 500";
  static_assert(kQuestion.ends_with("LIMIT 500") && kMostRows == 500);
  Params QuestionParams() const;
  void Answered(const Answer& answer);
  bool has_news() const { return !news_.empty(); }
  /// Whether the last answer was full: ask again before Read, or the order among the routers is lost.
  bool has_more() const { return has_more_; }
  /// Whether some were gone before they were heard, as they are kept for a while only.
  bool has_missed() const { return has_missed_; }

  /// Reads what the news are about. On an error the same is read again later.
  Result<Heard> Read(Connection& connection);

  /// Asks for routers that are new, and for news of all.
  Status Ask(Connection& connection);
  /// Hears the transaction `number` of this router itself.
  Status HearOwn(Connection& connection, std::int64_t number);

 private:
  struct Item {
    std::int64_t stored = 0, router = 0, number = 0;
    Answer answer;
    int row = 0;
  };

  const std::int64_t router_;
  std::map<std::int64_t, std::int64_t> cursors_;  ///< by router: the last transaction that was heard of
  std::vector<Item> news_;                        ///< not read yet
  bool has_more_ = false, has_missed_ = false;
};

}  // namespace hookswitch::pg
