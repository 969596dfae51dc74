#include "core/journal/search_sql.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "core/base/text.h"
#include "core/journal/rows.h"
#include "core/journal/search_names.h"
#include "core/journal/search_reader.h"
#include "core/journal/search_words.h"

namespace hookswitch {
namespace {

using Numbers = std::vector<std::int64_t>;

std::string SetOf(const Numbers& numbers) {
  std::string set = "(";
  for (const std::int64_t number : numbers) {
    if (set.size() > 1) set += ',';
    set += std::to_string(number);
  }
  return set + ")";
}

// With enough digits that SQLite reads the same double.
std::string Literal(double number) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, number, std::chars_format::scientific);
  return {text, end.ptr};
}

bool MatchesAny(const std::vector<std::string>& globs, const std::string& text) {
  return std::ranges::any_of(globs, [&](const auto& glob) { return GlobMatch(glob, text); });
}

/// Collects conditions that must all hold.
class Where {
 public:
  void Add(bool negated, const std::string& condition) {
    if (!text_.empty()) text_ += " AND ";
    // A condition on a missing number is NULL, which is no match; nor is NOT NULL.
    text_ += negated ? "NOT ifnull(" + condition + ", 0)" : "(" + condition + ")";
  }
  std::string Take() { return std::move(text_); }

 private:
  std::string text_;
};

struct SetOfDeliveries {
  std::int64_t number = 0;
  std::vector<CodedDelivery> deliveries;
};

/// Translates one filter; the tables of names and outcomes are read when a condition needs them.
class Translation {
 public:
  Translation(Database& db, const SearchFilter& filter) : db_(db), filter_(filter) {}

  Result<SearchSql> Make() {
    HSW_TRY(AddNames());
    AddCalls();
    AddRanges();
    AddTimes();
    if (!filter_.deliveries.empty() || !filter_.flags.empty()) {
      HSW_TRY(ReadOutcomes());
      HSW_TRY(AddDeliveries());
      AddFlags();
    }
    AddTexts();
    AddFields();
    sql_.where = where_.Take();
    return std::move(sql_);
  }

 private:
  Result<std::map<std::int64_t, std::string>> NamesOf(NameKind kind) {
    auto select = db_.Prepare("SELECT id, text FROM value WHERE kind = ?");
    if (!select) return select.error();
    select->Bind(static_cast<int>(kind));
    std::map<std::int64_t, std::string> names;
    for (;;) {
      const auto row = select->Next();
      if (!row) return row.error();
      if (!*row) return names;
      names.emplace(select->Int(0), select->Bytes(1));
    }
  }

  Status AddNames() {
    using Of = SearchFilter::Names::Of;
    static const std::map<Of, std::pair<NameKind, const char*>> kColumns = {
        {Of::kSource, {NameKind::kSource, "source"}},
        {Of::kAgent, {NameKind::kAgent, "agent"}},
        {Of::kStatus, {NameKind::kStatus, "status"}},
        {Of::kDirection, {NameKind::kDirection, "direction"}}};
    for (const auto& wanted : filter_.names) {
      const auto& [kind, column] = kColumns.at(wanted.of);
      const auto names = NamesOf(kind);
      if (!names) return names.error();
      Numbers numbers;
      for (const auto& [number, text] : *names) {
        if (Fits(wanted, text)) numbers.push_back(number);
      }
      if (numbers.empty() && !wanted.negated) sql_.is_never = true;
      if (!numbers.empty()) where_.Add(wanted.negated, std::string(column) + " IN " + SetOf(numbers));
    }
    return Ok();
  }

  void AddCalls() {
    for (const auto& wanted : filter_.calls) {
      // Calls may share a key. A negated condition is left to the caller: by the key it would also exclude events of
      // other calls.
      if (wanted.negated) continue;
      Numbers keys;
      for (const std::string& id : wanted.ids) keys.push_back(SearchKeyOfCall(id));
      where_.Add(false, "call_key IN " + SetOf(keys));
      sql_.by_call = true;
    }
  }

  void AddRanges() {
    for (const auto& wanted : filter_.ranges) {
      const std::string column = wanted.of == SearchFilter::Ranges::Of::kDuration ? "duration" : "cost";
      std::string any;
      for (const auto& range : wanted.any) {
        std::string one = column + " NOT NULL";
        if (range.least) one += " AND " + column + (range.above ? " > " : " >= ") + Literal(*range.least);
        if (range.most) one += " AND " + column + (range.below ? " < " : " <= ") + Literal(*range.most);
        any += (any.empty() ? "" : " OR ") + one;
      }
      where_.Add(wanted.negated, any);
    }
  }

  void AddTimes() {
    if (filter_.since) where_.Add(false, "received_ms >= " + std::to_string(Ms(*filter_.since)));
    if (filter_.until) where_.Add(false, "received_ms < " + std::to_string(Ms(*filter_.until)));
  }

  Status ReadOutcomes() {
    auto select = db_.Prepare("SELECT id, code FROM outcome");
    if (!select) return select.error();
    for (;;) {
      const auto row = select->Next();
      if (!row) return row.error();
      if (!*row) return Ok();
      outcomes_.push_back({select->Int(0), DeliveriesIn(select->Bytes(1))});
    }
  }

  static bool IsOne(const Numbers& numbers, std::int64_t number) { return std::ranges::binary_search(numbers, number); }

  /// A condition with the numbers of the names that it wants.
  struct Wanted {
    const SearchFilter::Deliveries* condition;
    Numbers sinks, rules;
    bool Fits(const CodedDelivery& delivery) const {
      if (!condition->sinks.empty()) return IsOne(sinks, delivery.sink);
      if (!condition->rules.empty()) return IsOne(rules, delivery.rule);
      // The index has "pending" for what a blocked lane holds: open deliveries fit, and the caller compares their
      // states.
      return std::ranges::any_of(condition->states, [&](DeliveryState state) {
        return state == delivery.state || (IsOpen(state) && IsOpen(delivery.state));
      });
    }
  };

  Status AddDeliveries() {
    const auto sinks = NamesOf(NameKind::kSink);
    if (!sinks) return sinks.error();
    const auto rules = NamesOf(NameKind::kRule);
    if (!rules) return rules.error();
    std::vector<Wanted> all;
    for (const auto& condition : filter_.deliveries) {
      // An open delivery may be in either of the two open states: no event can be left out here.
      if (condition.negated && std::ranges::any_of(condition.states, IsOpen)) continue;
      Wanted& wanted = all.emplace_back(Wanted{&condition, {}, {}});
      for (const auto& [number, text] : *sinks) {
        if (MatchesAny(condition.sinks, text)) wanted.sinks.push_back(number);
      }
      for (const auto& [number, text] : *rules) {
        if (MatchesAny(condition.rules, text)) wanted.rules.push_back(number);
      }
    }
    if (all.empty()) return Ok();
    const bool wants_one = std::ranges::any_of(all, [](const Wanted& one) { return !one.condition->negated; });
    Numbers fitting;
    for (const SetOfDeliveries& outcome : outcomes_) {
      const auto is_excluded = [&](const CodedDelivery& delivery) {
        return std::ranges::any_of(all,
                                   [&](const Wanted& one) { return one.condition->negated && one.Fits(delivery); });
      };
      const auto is_wanted = [&](const CodedDelivery& delivery) {
        return std::ranges::all_of(all,
                                   [&](const Wanted& one) { return one.condition->negated || one.Fits(delivery); });
      };
      if (std::ranges::any_of(outcome.deliveries, is_excluded)) continue;
      if (wants_one && std::ranges::none_of(outcome.deliveries, is_wanted)) continue;
      fitting.push_back(outcome.number);
    }
    if (fitting.empty()) sql_.is_never = true;
    where_.Add(false, "outcomes IN " + SetOf(fitting));
    return Ok();
  }

  void AddFlags() {
    for (const auto& wanted : filter_.flags) {
      std::string any = "(flags & " + std::to_string(wanted.any & ~std::uint32_t{kWasReplayed}) + ") <> 0";
      if ((wanted.any & kWasReplayed) != 0) {
        Numbers replayed;
        for (const SetOfDeliveries& outcome : outcomes_) {
          if (std::ranges::any_of(outcome.deliveries, &CodedDelivery::was_replayed)) replayed.push_back(outcome.number);
        }
        any += " OR outcomes IN " + SetOf(replayed);
      }
      where_.Add(wanted.negated, any);
    }
  }

  // Words and marks have no character that FTS5's syntax knows.
  static std::string Word(const std::string& word, bool is_prefix) { return '"' + word + (is_prefix ? "\"*" : "\""); }

  void Must(const std::string& any) {
    if (!sql_.must.empty()) sql_.must += " AND ";
    sql_.must += '(' + any + ')';
  }

  void AddTexts() {
    for (const auto& wanted : filter_.texts) {
      std::string any;
      for (const auto& phrase : wanted.any) {
        // Where its words stand is not indexed, so an event that has them may still lack the phrase.
        if (wanted.negated && phrase.words.size() > 1) continue;
        std::string all;
        for (std::size_t i = 0; i < phrase.words.size(); ++i) {
          const bool is_last = i + 1 == phrase.words.size();
          all += (i == 0 ? "" : " AND ") + Word(phrase.words[i], is_last && phrase.is_prefix);
        }
        any += (any.empty() ? "(" : " OR (") + all + ')';
      }
      if (any.empty()) continue;
      if (wanted.negated) {
        sql_.must_not += (sql_.must_not.empty() ? "" : " OR ") + any;
      } else {
        Must(any);
      }
    }
  }

  // A revised event keeps the marks that it had before: a negated condition leaves out none by them.
  void AddFields() {
    WordSplitter splitter;
    for (const auto& wanted : filter_.fields) {
      if (wanted.negated) continue;
      std::string any;
      for (const auto& value : wanted.any) {
        const std::string mark = value.is_prefix ? MarkStartOf(splitter, wanted.name, value.text)
                                                 : MarkOf(splitter, wanted.name, value.text);
        any += (any.empty() ? "" : " OR ") + Word(mark, value.is_prefix);
      }
      Must(any);
    }
  }

  Database& db_;
  const SearchFilter& filter_;
  std::vector<SetOfDeliveries> outcomes_;
  Where where_;
  SearchSql sql_;
};

}  // namespace

Result<SearchSql> MakeSearchSql(Database& db, const SearchFilter& filter) {
  return Translation(db, filter).Make();
}

}  // namespace hookswitch
