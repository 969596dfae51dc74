#include "core/admin/search_query.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/admin/filter_values.h"
#include "core/admin/search_terms.h"
#include "core/base/text.h"
#include "core/base/time_text.h"
#include "core/journal/search_words.h"

namespace hookswitch {
namespace {

constexpr std::size_t kMostCodePoints = 2000, kMostTerms = 50, kMostValues = 100;
constexpr std::string_view kData = "data.";

constexpr SearchKey kKeys[] = {
    {"agent", "the agent's id or name; * is anything"},
    {"status", "a status of a call, or ended, terminal, unsuccessful"},
    {"source", "where it came from"},
    {"call", "the id of the call"},
    {"direction", "inbound, outbound or web"},
    {"duration", "how long the call was: >2m, 30s..5m"},
    {"cost", "what the call cost: >0.5"},
    {"sink", "a sink that it went to"},
    {"rule", "a rule that sent it there"},
    {"state", "what became of a delivery"},
    {"is", "unmatched, skipped (no call), revised, replayed"},
    {"after", "received since then: 2h ago, or 2026-03-04"},
    {"since", "the same as after"},
    {"before", "received before then"},
    {"until", "the same as before"},
    {"text", "words of the payload"},
    {"from", "the caller's number"},
    {"to", "the number called"},
    {"data", "data.PATH: a value extracted from the call"},
};

struct FlagName {
  std::string_view name;
  EventFlag flag;
};
constexpr FlagName kFlags[] = {
    {"unmatched", kUnmatched}, {"skipped", kSkipped}, {"revised", kRevised}, {"replayed", kWasReplayed}};

std::string InQuotes(std::string_view text) {
  return '"' + std::string(text) + '"';
}

/// Reads the terms of one search; ends at the first error.
class QueryReader {
 public:
  QueryReader(std::string_view text, WallTime now, const KnownNames& names) : text_(text), now_(now), names_(names) {}

  SearchQuery Read() {
    if (CodePoints(text_) > kMostCodePoints) Fail(0, text_.size(), "a search has at most 2000 characters");
    const auto terms = SplitSearch(text_);
    if (terms.size() > kMostTerms) Fail(terms[kMostTerms].at, text_.size(), "a search has at most 50 terms");
    for (const SearchTerm& term : terms) {
      if (query_.error) break;
      ReadTerm(term);
    }
    const auto &since = query_.filter.since, &until = query_.filter.until;
    if (!query_.error && since && until && *until <= *since) {
      Fail(0, text_.size(), "nothing is both after the one time and before the other");
    }
    return std::move(query_);
  }

 private:
  using Value = SearchTerm::Value;

  void Fail(std::size_t at, std::size_t end, std::string detail) {
    if (query_.error) return;
    query_.error =
        SearchError{std::move(detail), CodePoints(text_.substr(0, at)), CodePoints(text_.substr(at, end - at))};
  }
  void Fail(const Value& value, const std::string& detail) {
    Fail(value.at, value.end, ToLower(*term_->key) + ": " + detail);
  }

  void ReadTerm(const SearchTerm& term) {
    term_ = &term;
    if (term.open_quote) return Fail(*term.open_quote, text_.size(), "the quote is not closed");
    if (term.values.size() > kMostValues) return Fail(term.at, term.end, "a term has at most 100 values");
    if (!term.key) return ReadText(term);
    const std::string key = ToLower(*term.key);
    for (const Value& value : term.values) {
      if (value.text.empty()) return Fail(term.at, term.end, key + ": it has no value; write " + key + ":VALUE");
    }
    using Names = SearchFilter::Names;
    using Of = SearchQuery::Name::Of;
    if (key == "agent") return ReadAgent(term);
    if (key == "status") return ReadStatus(term);
    if (key == "source") return ReadNames(term, Names::Of::kSource, Of::kSource);
    if (key == "direction") return ReadDirection(term);
    if (key == "call") return ReadCall(term);
    if (key == "duration") return ReadRanges(term, SearchFilter::Ranges::Of::kDuration);
    if (key == "cost") return ReadRanges(term, SearchFilter::Ranges::Of::kCost);
    if (key == "sink" || key == "rule") return ReadDelivery(term, key == "sink");
    if (key == "state") return ReadState(term);
    if (key == "is") return ReadFlags(term);
    if (key == "after" || key == "since") return ReadTime(term, !term.negated);
    if (key == "before" || key == "until") return ReadTime(term, term.negated);
    if (key == "text") return ReadText(term);
    if (key == "from" || key == "to") return ReadField(term, key);
    if (key.starts_with(kData) && key.size() > kData.size()) {
      return ReadField(term, "data." + term.key->substr(kData.size()));
    }
    FailKey(term, key);
  }

  void FailKey(const SearchTerm& term, const std::string& key) {
    const std::size_t end = term.key_at + term.key->size();
    if (key == "data" || key == kData) {
      return Fail(term.key_at, end, "data: it needs a path, as in data.General.Outcome:confirmed");
    }
    std::vector<std::string> known;
    for (const SearchKey& one : kKeys) known.emplace_back(one.name);
    Fail(term.key_at, end,
         InQuotes(*term.key) + " is no key of a search; " + DidYouMean(key, known) +
             "; a text with a colon is written in quotes");
  }

  void NoteName(SearchQuery::Name::Of of, const Value& value) {
    if (value.text.find_first_of("*?") != std::string::npos) return;
    query_.names.push_back({of, value.text, CodePoints(text_.substr(0, value.at)),
                            CodePoints(text_.substr(value.at, value.end - value.at))});
  }

  void ReadAgent(const SearchTerm& term) {
    SearchFilter::Names wanted{SearchFilter::Names::Of::kAgent, {}, {}, term.negated};
    for (const Value& value : term.values) {
      AgentFilter agent{value.text};
      names_.Resolve(agent);
      wanted.globs.push_back(value.text);
      wanted.labels.insert(wanted.labels.end(), agent.labels.begin(), agent.labels.end());
    }
    query_.filter.names.push_back(std::move(wanted));
  }

  void ReadStatus(const SearchTerm& term) {
    StatusSet set = 0;
    for (const Value& value : term.values) {
      const auto statuses = ParseStatuses(value.text);
      if (!statuses) return Fail(value, statuses.error().message);
      set |= *statuses;
    }
    SearchFilter::Names wanted{SearchFilter::Names::Of::kStatus, {}, {}, term.negated};
    for (std::size_t i = 0; i < kCallStatusCount; ++i) {
      const auto status = static_cast<CallStatus>(i);
      if ((set & Bit(status)) != 0) wanted.labels.emplace_back(ToString(status));
    }
    query_.filter.names.push_back(std::move(wanted));
  }

  void ReadNames(const SearchTerm& term, SearchFilter::Names::Of of, SearchQuery::Name::Of noted) {
    SearchFilter::Names wanted{of, {}, {}, term.negated};
    for (const Value& value : term.values) {
      wanted.globs.push_back(value.text);
      NoteName(noted, value);
    }
    query_.filter.names.push_back(std::move(wanted));
  }

  void ReadDirection(const SearchTerm& term) {
    static const std::vector<std::string> kKnown = {"inbound", "outbound", "web"};
    SearchFilter::Names wanted{SearchFilter::Names::Of::kDirection, {}, {}, term.negated};
    for (const Value& value : term.values) {
      const std::string name = ToLower(value.text);
      if (std::ranges::find(kKnown, name) == kKnown.end()) {
        return Fail(value, InQuotes(value.text) + " is no direction; " + DidYouMean(name, kKnown));
      }
      wanted.labels.push_back(name);
    }
    query_.filter.names.push_back(std::move(wanted));
  }

  void ReadCall(const SearchTerm& term) {
    SearchFilter::Calls wanted{{}, term.negated};
    for (const Value& value : term.values) {
      if (value.text.find('*') != std::string::npos) {
        return Fail(value, "it takes a whole id; text:" + value.text.substr(0, value.text.find('*')) +
                               " finds ids that begin so");
      }
      wanted.ids.push_back(value.text);
    }
    query_.filter.calls.push_back(std::move(wanted));
  }

  static std::optional<double> NumberOf(std::string_view text, SearchFilter::Ranges::Of of) {
    if (of == SearchFilter::Ranges::Of::kDuration) {
      if (const auto duration = ParseDuration(text)) return static_cast<double>(duration->count()) / 1000.0;
    }
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number)) return {};
    return number;
  }

  void ReadRanges(const SearchTerm& term, SearchFilter::Ranges::Of of) {
    SearchFilter::Ranges wanted{of, {}, term.negated};
    for (const Value& value : term.values) {
      SearchFilter::Ranges::Range range;
      std::string_view text = value.text;
      std::string_view least = text, most = text;
      if (const auto dots = text.find(".."); dots != std::string_view::npos) {
        least = text.substr(0, dots);
        most = text.substr(dots + 2);
      } else if (text.starts_with('>') || text.starts_with('<')) {
        const bool is_least = text[0] == '>';
        const bool is_equal = text.size() > 1 && text[1] == '=';
        const std::string_view number = text.substr(is_equal ? 2 : 1);
        least = is_least ? number : "";
        most = is_least ? "" : number;
        range.above = is_least && !is_equal;
        range.below = !is_least && !is_equal;
      }
      range.least = NumberOf(least, of);
      range.most = NumberOf(most, of);
      const bool is_wrong =
          (!least.empty() && !range.least) || (!most.empty() && !range.most) || (!range.least && !range.most);
      if (is_wrong) return FailRange(value, of);
      if (range.least && range.most && *range.most < *range.least) {
        return Fail(value, "the second number is below the first");
      }
      wanted.any.push_back(range);
    }
    query_.filter.ranges.push_back(std::move(wanted));
  }

  void FailRange(const Value& value, SearchFilter::Ranges::Of of) {
    const bool is_time = of == SearchFilter::Ranges::Of::kDuration;
    Fail(value, InQuotes(value.text) + (is_time ? " is no duration: write >2m, >=90s, <30s, 2m..5m or 90s"
                                                : " is no number: write >0.5, >=1, <2, 0.5..1 or 1"));
  }

  void ReadDelivery(const SearchTerm& term, bool is_sink) {
    SearchFilter::Deliveries wanted{{}, {}, {}, term.negated};
    for (const Value& value : term.values) {
      (is_sink ? wanted.sinks : wanted.rules).push_back(value.text);
      NoteName(is_sink ? SearchQuery::Name::Of::kSink : SearchQuery::Name::Of::kRule, value);
    }
    query_.filter.deliveries.push_back(std::move(wanted));
  }

  void ReadState(const SearchTerm& term) {
    SearchFilter::Deliveries wanted{{}, {}, {}, term.negated};
    for (const Value& value : term.values) {
      const auto state = ParseDeliveryState(value.text);
      if (!state) return Fail(value, state.error().message);
      wanted.states.push_back(*state);
    }
    query_.filter.deliveries.push_back(std::move(wanted));
  }

  void ReadFlags(const SearchTerm& term) {
    SearchFilter::Flags wanted{0, term.negated};
    for (const Value& value : term.values) {
      const std::string name = ToLower(value.text);
      if (name == "refused") {
        return Fail(value, "refused requests are no events: GET /api/v1/refused lists them");
      }
      const auto* flag = std::ranges::find(kFlags, name, &FlagName::name);
      if (flag == std::end(kFlags)) {
        std::vector<std::string> known;
        for (const FlagName& one : kFlags) known.emplace_back(one.name);
        return Fail(value, InQuotes(value.text) + " is nothing that an event can be; " + DidYouMean(name, known));
      }
      wanted.any |= flag->flag;
    }
    query_.filter.flags.push_back(wanted);
  }

  void ReadTime(const SearchTerm& term, bool is_since) {
    if (term.values.size() > 1) return Fail(term.values[1], "it takes one time");
    const Value& value = term.values.front();
    const auto time = ParseTimeOrAge(value.text, now_);
    if (!time) return Fail(value, time.error().message);
    auto& bound = is_since ? query_.filter.since : query_.filter.until;
    if (!bound || (is_since ? *time > *bound : *time < *bound)) bound = *time;
  }

  void ReadText(const SearchTerm& term) {
    SearchFilter::Texts wanted{{}, term.negated};
    for (const Value& value : term.values) {
      // Whole words in quotes; without them each word may go on, as it does while it is being typed.
      SearchFilter::Phrase phrase{splitter_.Split(value.text), !value.is_quoted};
      if (phrase.words.empty()) {
        return Fail(value.at, value.end, "text: " + InQuotes(value.text) + " has neither a letter nor a digit");
      }
      wanted.any.push_back(std::move(phrase));
    }
    query_.filter.texts.push_back(std::move(wanted));
  }

  void ReadField(const SearchTerm& term, const std::string& name) {
    SearchFilter::Fields wanted{name, {}, term.negated};
    for (const Value& value : term.values) {
      const auto star = value.is_quoted ? std::string::npos : value.text.find('*');
      if (star != std::string::npos && star + 1 != value.text.size()) {
        return Fail(value, "* is known at the end only; text:WORD finds words anywhere");
      }
      if (!value.is_quoted && (value.text[0] == '>' || value.text[0] == '<')) {
        return Fail(value, "only duration and cost are compared by > and <");
      }
      SearchFilter::Fields::Value field{value.text.substr(0, star), star != std::string::npos};
      if (splitter_.Split(field.text).empty()) {
        return Fail(value, InQuotes(value.text) + " has neither a letter nor a digit");
      }
      wanted.any.push_back(std::move(field));
    }
    query_.filter.fields.push_back(std::move(wanted));
  }

  const std::string_view text_;
  const WallTime now_;
  const KnownNames& names_;
  WordSplitter splitter_;
  const SearchTerm* term_ = nullptr;
  SearchQuery query_;
};

}  // namespace

std::span<const SearchKey> SearchKeys() {
  return kKeys;
}

SearchQuery ParseSearch(std::string_view text, WallTime now, const KnownNames& names) {
  const std::string clean = ToUtf8(text);
  return QueryReader(clean, now, names).Read();
}

std::optional<SearchError> FindUnknown(const SearchQuery& query, const KnownNames& names) {
  for (const SearchQuery::Name& name : query.names) {
    DeliveryFilter filter;
    switch (name.of) {
      case SearchQuery::Name::Of::kSink: filter.sink = name.text; break;
      case SearchQuery::Name::Of::kRule: filter.rule = name.text; break;
      case SearchQuery::Name::Of::kSource: filter.source = name.text; break;
    }
    if (std::string unknown = names.WhatIsUnknown(filter); !unknown.empty()) {
      return SearchError{std::move(unknown), name.at, name.length};
    }
  }
  return {};
}

}  // namespace hookswitch
