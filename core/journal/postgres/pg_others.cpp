#include "core/journal/postgres/pg_others.h"

#include <algorithm>
#include <set>
#include <utility>

#include "core/journal/postgres/pg_rows.h"

namespace hookswitch::pg {
namespace {

// Columns of the question.
enum Column {
  kRouter,
  kNumber,
  kStored,
  kEvents,
  kOpened,
  kCanceled,
  kRecorded,
  kRevised,
  kEnded,
  kSinks,
  kRefused,
  kMemory
};

void Append(std::vector<std::int64_t>& to, const std::vector<std::int64_t>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

}  // namespace

void News::AddSink(std::string_view sink) {
  sinks_ += std::string(sink) + '\n';
}

std::string_view News::InsertSql() {
  return "INSERT INTO @news(router, number, events, opened, canceled, recorded, revised, ended, sinks, has_memory, "
         "newest_refused) SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, "
         "CASE WHEN $11 = 0 THEN 0 ELSE (SELECT coalesce(max(number), 0) FROM @refused) END";
}

Params News::InsertParams(std::int64_t router, std::int64_t number) const {
  std::vector<std::int64_t> ended;
  for (const auto& [call_key, event] : ended_calls) {
    ended.push_back(static_cast<std::int64_t>(call_key));
    ended.push_back(event);
  }
  return Params()
      .Add(router)
      .Add(number)
      .Add(events)
      .Add(opened)
      .Add(canceled)
      .Add(recorded)
      .Add(revised)
      .Add(ended)
      .Add(std::string_view(sinks_))
      .Add(std::int64_t{has_memory})
      .Add(std::int64_t{has_refused});
}

Result<bool> Others::Begin(Connection& connection) {
  cursors_.clear();
  news_.clear();
  const auto found = connection.Run(
      "SELECT r.number, coalesce((SELECT max(n.number) FROM @news n WHERE n.router = r.number), 0), "
      "r.seen > clock_timestamp() - interval '1 minute' FROM @router r "
      "WHERE r.number <> $1",
      Params().Add(router_));
  if (!found) return found.error();
  bool is_any_at_work = false;
  for (int row = 0; row < found->rows(); ++row) {
    cursors_[found->Int(row, 0)] = found->Int(row, 1);
    is_any_at_work = is_any_at_work || found->Int(row, 2) != 0;
  }
  return is_any_at_work;
}

Params Others::QuestionParams() const {
  std::vector<std::int64_t> routers, numbers;
  for (const auto& [router, number] : cursors_) {
    routers.push_back(router);
    numbers.push_back(number);
  }
  return Params().Add(routers).Add(numbers);
}

Status Others::Ask(Connection& connection) {
  connection.Send("SELECT number FROM @router WHERE number <> $1", Params().Add(router_));
  if (exist()) connection.Send(kQuestion, QuestionParams());
  auto answers = connection.Receive();
  if (!answers) return std::move(answers).error();
  // All that a new router has stored is new: its first transaction comes after its row.
  for (int row = 0; row < answers->front().rows(); ++row) cursors_.try_emplace(answers->front().Int(row, 0), 0);
  if (answers->size() > 1) Answered(answers->back());
  return Ok();
}

Status Others::HearOwn(Connection& connection, std::int64_t number) {
  const std::string_view columns = kQuestion.substr(0, kQuestion.find(" FROM "));
  const auto found = connection.Run(std::string(columns) + " FROM @news n WHERE n.router = $1 AND n.number = $2",
                                    Params().Add(router_).Add(number));
  if (!found) return found.error();
  if (found->rows() != 0) news_.push_back({found->Int(kFirstRow, kStored), router_, number, *found, kFirstRow});
  return Ok();
}

void Others::Answered(const Answer& answer) {
  has_more_ = answer.rows() == kMostRows;
  for (int row = 0; row < answer.rows(); ++row) {
    const std::int64_t router = answer.Int(row, kRouter), number = answer.Int(row, kNumber);
    std::int64_t& cursor = cursors_[router];
    if (number <= cursor) continue;
    has_missed_ = has_missed_ || number != cursor + 1;
    cursor = number;
    news_.push_back({answer.Int(row, kStored), router, number, answer, row});
  }
}

Result<Others::Heard> Others::Read(Connection& connection) {
  Heard heard;
  std::ranges::stable_sort(news_, {}, &Item::stored);
  std::vector<std::int64_t> touched;
  std::set<std::int64_t> opened;
  std::string sinks;
  for (const Item& item : news_) {
    const Answer& answer = item.answer;
    const int row = item.row;
    for (const DeliverySeq seq : answer.Ints(row, kOpened)) opened.insert(seq);
    Append(heard.changes.canceled, answer.Ints(row, kCanceled));
    Append(touched, answer.Ints(row, kRecorded));
    Append(heard.events, answer.Ints(row, kEvents));
    Append(heard.changes.revised, answer.Ints(row, kRevised));
    const auto ended = answer.Ints(row, kEnded);
    for (std::size_t i = 0; i + 1 < ended.size(); i += 2) {
      heard.changes.ended_calls.emplace_back(static_cast<std::uint64_t>(ended[i]), ended[i + 1]);
    }
    sinks += answer.Bytes(row, kSinks);
    heard.newest_refused = std::max(heard.newest_refused, answer.Int(row, kRefused));
    heard.has_memory = heard.has_memory || answer.Int(row, kMemory) != 0;
  }
  Append(touched, heard.changes.canceled);
  const std::vector<std::int64_t> open(opened.begin(), opened.end());
  connection.Send("SELECT " + std::string(kDeliveryColumns) + " FROM @delivery WHERE seq = ANY($1) ORDER BY seq",
                  Params().Add(open));
  connection.Send("SELECT seq, sink, state FROM @delivery WHERE seq = ANY($1)", Params().Add(touched));
  connection.Send("SELECT sink, due_ms, paused, until_ms, because FROM @lane WHERE sink = ANY($1)",
                  Params().Add(NamesIn(sinks)));
  const auto answers = connection.Receive();
  if (!answers) return answers.error();
  const Answer &rows = (*answers)[0], &states = (*answers)[1], &lanes = (*answers)[2];
  for (int row = 0; row < rows.rows(); ++row) {
    PendingDelivery delivery = PendingOf(rows, row);
    const bool is_open = IsOpen(static_cast<DeliveryState>(rows.Int(row, 6)));
    heard.deliveries.push_back({delivery.seq, delivery.sink, is_open});
    if (is_open) heard.changes.opened.push_back(std::move(delivery));
  }
  for (int row = 0; row < states.rows(); ++row) {
    heard.deliveries.push_back(
        {states.Int(row, 0), Text(states, row, 1), IsOpen(static_cast<DeliveryState>(states.Int(row, 2)))});
  }
  for (int row = 0; row < lanes.rows(); ++row) {
    LaneDue& lane = heard.changes.lanes.emplace_back();
    lane = {.sink = Text(lanes, row, 0), .due = Time(lanes.Int(row, 1)), .pause = {}};
    if (lanes.Int(row, 2) != 0) lane.pause = Pause{Time(lanes.Int(row, 3)), Text(lanes, row, 4)};
  }
  news_.clear();
  return heard;
}

}  // namespace hookswitch::pg
