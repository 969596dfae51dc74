#include "core/admin/search_suggest.h"

#include <algorithm>

#include "core/admin/answers.h"
#include "core/admin/filter_values.h"
#include "core/admin/search_query.h"
#include "core/admin/search_terms.h"
#include "core/base/check.h"
#include "core/base/text.h"
#include "core/base/time_text.h"
#include "core/event/call_event.h"

namespace hookswitch {
namespace {

constexpr std::size_t kMostSuggested = 20;
// Values of all keys are suggested for a word from this length on.
constexpr std::size_t kEnoughOfAWord = 2;

struct Choice {
  std::string label;
  std::string about{};
  std::optional<std::int64_t> events{};
};

const char* AboutState(DeliveryState state) {
  switch (state) {
    case DeliveryState::kPending: return "waits to be sent";
    case DeliveryState::kHeld: return "something holds it";
    case DeliveryState::kDelivered: return "";
    case DeliveryState::kDead: return "given up";
    case DeliveryState::kCanceled: return "superseded, or purged";
    case DeliveryState::kFellBack: return "another sink took over";
  }
  Unreachable();
}

/// Collects what a key's value may be.
class Choices {
 public:
  /// `part`: what there is of the value.
  Choices(std::string_view part, WallTime now, const config::Config& config, SearchIndex* index)
      : part_(ToLower(part)), now_(now), config_(config), index_(index) {}

  std::vector<Choice> Of(const std::string& key) {
    all_.clear();
    if (key == "agent") {
      Stored(NameKind::kAgent);
      for (const auto& [id, agent] : config_.agents) Add({agent.name.empty() ? id : agent.name});
    } else if (key == "status") {
      Stored(NameKind::kStatus);
      for (const std::string& name : StatusNames()) Add({name, ParseStatusGroup(name) ? "a group of statuses" : ""});
    } else if (key == "source") {
      Stored(NameKind::kSource);
      for (const auto& source : config_.sources) Add({source.name});
    } else if (key == "direction") {
      Stored(NameKind::kDirection);
      for (const auto direction : {Direction::kInbound, Direction::kOutbound, Direction::kWeb}) {
        Add({std::string(ToString(direction))});
      }
    } else if (key == "sink") {
      Stored(NameKind::kSink);
      for (const auto& sink : config_.sinks) Add({sink.name});
    } else if (key == "rule") {
      Stored(NameKind::kRule);
      for (const auto& rule : config_.rules) Add({rule.name});
    } else if (key == "state") {
      States();
    } else if (key == "is") {
      for (Choice one : {Choice{"unmatched", "no rule wanted it"}, Choice{"skipped", "it is not a call"},
                         Choice{"revised", "the same step came again with other content"},
                         Choice{"replayed", "an operator sent it again"}}) {
        Add(std::move(one));
      }
    } else if (key == "after" || key == "since" || key == "before" || key == "until") {
      for (Choice one : {Choice{"1h", "an hour ago"}, Choice{"24h", "a day ago"}, Choice{"7d", "a week ago"},
                         Choice{ToRfc3339(now_).substr(0, 10), "since midnight, UTC"}}) {
        Add(std::move(one));
      }
    } else if (key == "duration") {
      for (Choice one : {Choice{">2m", "longer than two minutes"}, Choice{"<10s", "shorter than ten seconds"},
                         Choice{"1m..5m", "from one to five minutes"}}) {
        Add(std::move(one));
      }
    } else if (key == "cost") {
      for (Choice one : {Choice{">0.5", "more than that"}, Choice{"0.1..0.5", "from the one to the other"}}) {
        Add(std::move(one));
      }
    }
    return std::move(all_);
  }

  /// Paths of data, as keys.
  std::vector<Choice> Paths() {
    all_.clear();
    Stored(NameKind::kPath);
    return std::move(all_);
  }

 private:
  void Add(Choice choice) {
    const bool is_there = std::ranges::any_of(all_, [&](const Choice& one) { return one.label == choice.label; });
    if (!is_there && ToLower(choice.label).find(part_) != std::string::npos) all_.push_back(std::move(choice));
  }

  void Stored(NameKind kind) {
    if (!index_) return;
    // Without the index's counts there are those of the config.
    const auto names = index_->reader().Names(kind, part_, kMostSuggested);
    if (!names) return;
    for (const NameCount& name : *names) Add({name.text, "", name.events});
  }

  void States() {
    std::vector<NameCount> counts;
    if (index_) {
      if (auto stored = index_->reader().States()) counts = std::move(*stored);
    }
    for (const DeliveryState state : kDeliveryStates) {
      Choice choice{std::string(ToString(state)), AboutState(state)};
      const auto count = std::ranges::find(counts, choice.label, &NameCount::text);
      if (count != counts.end()) choice.events = count->events;
      Add(std::move(choice));
    }
  }

  const std::string part_;
  const WallTime now_;
  const config::Config& config_;
  SearchIndex* const index_;
  std::vector<Choice> all_;
};

/// `value` as it is written in a search.
std::string Written(const std::string& value) {
  if (!value.empty() && value.find_first_of(" \t\r\n,\"") == std::string::npos) return value;
  std::string text = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + '"';
}

/// `path` as a key: its blanks, which a key cannot have, and what else ends one are as good as "_".
std::string WrittenPath(std::string path) {
  std::ranges::replace_if(
      path, [](char c) { return std::string_view(" \t\r\n\":").find(c) != std::string_view::npos; }, '_');
  return "data." + path;
}

/// Makes the suggestions for one place of one search.
class Suggester {
 public:
  Suggester(std::string_view text, std::size_t at, WallTime now, const config::Config& config, SearchIndex* index,
            bool with_paths)
      : text_(text),
        at_(CutCodePoints(text, at).size()),
        now_(now),
        config_(config),
        index_(index),
        with_paths_(with_paths) {}

  Suggestions Make() {
    SearchTerm term;
    term.at = term.end = at_;
    term.values.push_back({"", at_, at_, false});
    for (SearchTerm& one : SplitSearch(text_)) {
      if (one.at <= at_ && at_ <= one.end) term = std::move(one);
    }
    made_.from = CodePoints(text_.substr(0, term.at));
    made_.to = CodePoints(text_.substr(0, term.end));
    if (term.key && at_ > term.key_at + term.key->size()) {
      SuggestValues(term);
    } else {
      SuggestKeys(term);
    }
    if (made_.all.size() > kMostSuggested) made_.all.resize(kMostSuggested);
    return std::move(made_);
  }

 private:
  void SuggestValues(const SearchTerm& term) {
    const SearchTerm::Value* value = &term.values.front();
    for (const SearchTerm::Value& one : term.values) {
      if (one.at <= at_) value = &one;
    }
    const std::string before(text_.substr(term.at, value->at - term.at));
    const std::string after(text_.substr(value->end, term.end - value->end));
    for (Choice& choice : Choices(value->text, now_, config_, index_).Of(ToLower(*term.key))) {
      std::string text = before + Written(choice.label) + after;
      made_.all.push_back({std::move(text), false, std::move(choice.label), std::move(choice.about), choice.events});
    }
  }

  /// `term` is a word, or the beginning of a key.
  void SuggestKeys(const SearchTerm& term) {
    if (!term.key && term.values.front().is_quoted) return;
    const std::string word = term.key ? *term.key : term.values.front().text;
    const std::string minus = term.negated ? "-" : "";
    const std::string rest = term.key ? std::string(text_.substr(term.key_at + term.key->size() + 1,
                                                                 term.end - term.key_at - term.key->size() - 1))
                                      : "";
    const std::string part = ToLower(word);
    for (const SearchKey& key : SearchKeys()) {
      const bool is_data = key.name == "data";
      if (is_data ? !std::string("data.").starts_with(part) : !key.name.starts_with(part)) continue;
      const std::string name(key.name);
      made_.all.push_back({minus + name + (is_data ? "." : ":" + rest), true, name, std::string(key.about), {}});
    }
    if (with_paths_ && part.starts_with("data.")) {
      for (Choice& path : Choices(word.substr(5), now_, config_, index_).Paths()) {
        const std::string key = WrittenPath(path.label);
        made_.all.push_back({minus + key + ':' + rest, true, key, "", path.events});
      }
    }
    if (term.key || word.size() < kEnoughOfAWord) return;
    Choices choices(word, now_, config_, index_);
    for (const std::string key : {"agent", "status", "sink", "rule", "source", "state", "is"}) {
      // The middle of a word that hookswitch has chosen says nothing.
      const bool is_fixed = key == "status" || key == "state" || key == "is";
      for (Choice& choice : choices.Of(key)) {
        if (is_fixed && !choice.label.starts_with(part)) continue;
        std::string text = minus + key + ':' + Written(choice.label);
        made_.all.push_back({std::move(text), false, std::move(choice.label), std::move(choice.about), choice.events});
      }
    }
  }

  const std::string_view text_;
  const std::size_t at_;  ///< in bytes
  const WallTime now_;
  const config::Config& config_;
  SearchIndex* const index_;
  const bool with_paths_;
  Suggestions made_;
};

}  // namespace

Suggestions Suggest(std::string_view text, std::size_t at, WallTime now, const config::Config& config,
                    SearchIndex* index, bool with_paths) {
  return Suggester(text, at, now, config, index, with_paths).Make();
}

json::object ToObject(const Suggestions& suggestions) {
  json::array all;
  for (const Suggestion& one : suggestions.all) {
    all.push_back(json::object{{"text", one.text},
                               {"kind", one.is_key ? "key" : "value"},
                               {"label", one.label},
                               {"about", OrNull(one.about)},
                               {"events", one.events ? json::value(*one.events) : json::value(nullptr)}});
  }
  return {{"from", suggestions.from}, {"to", suggestions.to}, {"suggestions", std::move(all)}};
}

}  // namespace hookswitch
