#include "core/config/when.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <optional>

#include "core/base/text.h"
#include "core/base/time_text.h"
#include "core/config/map_reader.h"
#include "core/config/scalars.h"

namespace hookswitch::config {
namespace {

using Kind = Condition::Kind;

struct NamedKind {
  std::string_view name;
  Kind kind;
};
constexpr std::array kPatternKeys = {
    NamedKind{"source", Kind::kSource},
    NamedKind{"agent", Kind::kAgent},
    NamedKind{"tags", Kind::kTags},
    NamedKind{"from", Kind::kFrom},
    NamedKind{"to", Kind::kTo},
    NamedKind{"hangup_by", Kind::kHangupBy},
    NamedKind{"hangup_reason", Kind::kHangupReason},
    NamedKind{"transcript", Kind::kTranscript},
    NamedKind{"summary", Kind::kSummary},
};
constexpr std::array kNameKeys = {NamedKind{"during", Kind::kDuring}, NamedKind{"has", Kind::kHas}};
constexpr std::array kDurationKeys = {NamedKind{"min_duration", Kind::kMinDuration},
                                      NamedKind{"max_duration", Kind::kMaxDuration}};
constexpr std::array kCostKeys = {NamedKind{"min_cost", Kind::kMinCost}, NamedKind{"max_cost", Kind::kMaxCost}};
constexpr std::string_view kDataPrefix = "data.";

template <std::size_t N>
std::optional<Kind> FindKey(const std::array<NamedKind, N>& keys, std::string_view name) {
  const auto it = std::find_if(keys.begin(), keys.end(), [&](const NamedKind& key) { return key.name == name; });
  return it == keys.end() ? std::nullopt : std::optional(it->kind);
}

std::optional<Direction> ParseDirection(std::string_view name) {
  for (const Direction direction : {Direction::kInbound, Direction::kOutbound, Direction::kWeb}) {
    if (ToString(direction) == name) return direction;
  }
  return {};
}

class Maker {
 public:
  explicit Maker(Problems& problems) : problems_(problems) {}

  Condition Make(const Node& when, const Mark& where) {
    Condition all;
    all.where = where;
    for (const Node::Entry& entry : when.map) {
      if (auto child = MakeOne(entry)) all.children.push_back(std::move(*child));
    }
    CheckBounds(when);
    return all;
  }

 private:
  std::optional<Condition> MakeOne(const Node::Entry& entry) {
    const auto& [key, key_where, value] = entry;
    Condition condition;
    condition.where = key_where;
    if (key == "all" || key == "any") {
      condition.kind = key == "all" ? Kind::kAll : Kind::kAny;
      for (const Node& item : value.list) condition.children.push_back(Make(item, item.where));
    } else if (key == "not") {
      condition.kind = Kind::kNot;
      condition.children.push_back(Make(value, key_where));
    } else if (const auto patterns = FindKey(kPatternKeys, key)) {
      condition.kind = *patterns;
      AddPatterns(value, condition.patterns);
    } else if (key == "sentiment") {
      condition.kind = Kind::kSentiment;
      AddPatterns(value, condition.patterns);
      for (Pattern& pattern : condition.patterns) pattern.ignore_case = true;
    } else if (key.starts_with(kDataPrefix)) {
      condition.path = key.substr(kDataPrefix.size());
      MakeData(entry, condition);
    } else if (const auto names = FindKey(kNameKeys, key)) {
      condition.kind = *names;
      for (const Node* name : OneOrMany(&value)) {
        condition.patterns.push_back({name->where, Pattern::Mode::kExact, name->scalar});
      }
    } else if (key == "status") {
      condition.kind = Kind::kStatus;
      condition.statuses = MakeStatuses(&value);
    } else if (key == "stage") {
      condition.kind = Kind::kStage;
      for (const Node* name : OneOrMany(&value)) {
        if (const auto stage = ParseStage(name->scalar)) condition.stages |= Bit(*stage);
      }
    } else if (key == "direction") {
      condition.kind = Kind::kDirection;
      for (const Node* name : OneOrMany(&value)) {
        if (const auto direction = ParseDirection(name->scalar)) condition.directions.push_back(*direction);
      }
    } else if (const auto bound = FindKey(kDurationKeys, key)) {
      condition.kind = *bound;
      const MapReader reader(nullptr, "rules[].when", problems_);
      if (value.kind != Node::Kind::kScalar) return {};
      const auto duration = reader.DurationOf(value, reader.Name(key), MapReader::Zero::kAllowed);
      if (duration) condition.number = std::chrono::duration<double>(*duration).count();
    } else if (const auto cost = FindKey(kCostKeys, key)) {
      condition.kind = *cost;
      if (const auto money = ParseMoney(value.scalar)) {
        condition.number = money->amount;
        condition.currency = money->currency;
      } else {
        MapReader(nullptr, "rules[].when", problems_)
            .Error(value, "rules[].when." + key + ": expected an amount such as 2.50 USD");
      }
    } else if (key == "voicemail" || key == "success") {
      condition.kind = key == "success" ? Kind::kSuccess : Kind::kVoicemail;
      condition.flag = value.scalar == "true";
    } else {
      return {};
    }
    return condition;
  }

  void MakeData(const Node::Entry& entry, Condition& condition) {
    const Node& value = entry.value;
    for (const Node& item : value.list) CheckForm(item, item.where, 1, entry.key);
    CheckForm(value, entry.key_where, KeyWidth(entry), entry.key);
    const Node* least = value.Find("min");
    const Node* most = value.Find("max");
    if (!least && !most) {
      condition.kind = Kind::kData;
      return AddPatterns(value, condition.patterns);
    }
    condition.kind = Kind::kDataRange;
    if (least) condition.least = ParseNumber(least->scalar);
    if (most) condition.most = ParseNumber(most->scalar);
    if (condition.least && condition.most && *condition.least > *condition.most) {
      problems_.Error(most->where, Width(*most), "max is below min (" + least->scalar + "), so nothing matches");
    }
  }

  /// The schema allows any of the keys; only some go together.
  void CheckForm(const Node& value, const Mark& where, int width, const std::string& key) {
    if (value.kind != Node::Kind::kMap) return;
    const bool has_bounds = value.Find("min") || value.Find("max");
    const int forms = (value.Find("is") ? 1 : 0) + (value.Find("contains") ? 1 : 0) + (value.Find("regex") ? 1 : 0) +
                      (has_bounds ? 1 : 0);
    if (forms > 1) {
      problems_.Error(where, width,
                      "rules[].when." + key + ": expected one of {is: }, {contains: }, {regex: } and {min: , max: }");
    } else if (value.Find("ignore_case") && !value.Find("is")) {
      problems_.Error(where, width, "rules[].when." + key + ": ignore_case goes with {is: }",
                      "a regex ignores case with (?i)");
    }
  }

  static void AddText(const Node& text, bool ignore_case, std::vector<Pattern>& patterns) {
    const bool glob = text.scalar.find_first_of("*?") != std::string::npos;
    patterns.push_back({text.where, glob ? Pattern::Mode::kGlob : Pattern::Mode::kExact, text.scalar, ignore_case});
  }

  void AddPatterns(const Node& value, std::vector<Pattern>& patterns) {
    if (value.kind == Node::Kind::kScalar) AddText(value, false, patterns);
    for (const Node& item : value.list) AddPatterns(item, patterns);
    const Node* ignore_case = value.Find("ignore_case");
    for (const Node* text : OneOrMany(value.Find("is"))) {
      AddText(*text, ignore_case && ignore_case->scalar == "true", patterns);
    }
    for (const Node* text : OneOrMany(value.Find("contains"))) {
      patterns.push_back({text->where, Pattern::Mode::kContains, text->scalar});
    }
    for (const Node* text : OneOrMany(value.Find("regex"))) {
      patterns.push_back({text->where, Pattern::Mode::kRegex, text->scalar});
      CheckRegex(*text);
    }
  }

  void CheckRegex(const Node& text) {
    RE2::Options options;
    options.set_log_errors(false);
    const RE2 expression(text.scalar, options);
    if (expression.ok()) {
      if (RE2::PartialMatch("", expression)) {
        problems_.Warning(text.where, Width(text), "this regex matches any text, the empty one too");
      }
      return;
    }
    problems_.Error(text.where, Width(text), "not an RE2 regex: " + expression.error());
  }

  void CheckBounds(const Node& when) {
    const auto* least = when.FindEntry("min_duration");
    const auto* most = when.FindEntry("max_duration");
    if (least && most) {
      const auto from = ParseDuration(least->value.scalar);
      const auto to = ParseDuration(most->value.scalar);
      if (from && to && *from > *to) BoundsCross(*most, "min_duration", least->value.scalar);
    }
    least = when.FindEntry("min_cost");
    most = when.FindEntry("max_cost");
    if (least && most) {
      const auto from = ParseMoney(least->value.scalar);
      const auto to = ParseMoney(most->value.scalar);
      if (from && to && from->currency != to->currency) {
        problems_.Error(most->value.where, Width(most->value),
                        "min_cost and max_cost are in different currencies, so nothing matches");
      } else if (from && to && from->amount > to->amount) {
        BoundsCross(*most, "min_cost", least->value.scalar);
      }
    }
  }

  void BoundsCross(const Node::Entry& most, std::string_view least_name, std::string_view least) {
    problems_.Error(
        most.value.where, Width(most.value),
        most.key + " is below " + std::string(least_name) + " (" + std::string(least) + "), so nothing matches");
  }

  Problems& problems_;
};

}  // namespace

Condition MakeCondition(const Node* when, const Mark& where, Problems& problems) {
  if (!when) {
    Condition everything;
    everything.where = where;
    return everything;
  }
  return Maker(problems).Make(*when, where);
}

bool NamesStatusOrStage(const Condition& condition) {
  return condition.kind == Condition::Kind::kStatus || condition.kind == Condition::Kind::kStage ||
         std::any_of(condition.children.begin(), condition.children.end(), NamesStatusOrStage);
}

void LetEndedSettle(Condition& condition, bool negated) {
  using Kind = Condition::Kind;
  if (condition.kind == Kind::kStage && !negated) condition.settles = (condition.stages & Bit(Stage::kFinal)) != 0;
  for (Condition& child : condition.children) LetEndedSettle(child, negated != (condition.kind == Kind::kNot));
}

StatusSet MakeStatuses(const Node* node) {
  StatusSet set = 0;
  for (const Node* name : OneOrMany(node)) {
    if (const auto status = ParseStatus(name->scalar)) set |= Bit(*status);
    if (const auto group = ParseStatusGroup(name->scalar)) set |= *group;
  }
  return set;
}

}  // namespace hookswitch::config
