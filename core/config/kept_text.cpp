#include "core/config/kept_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <optional>
#include <set>
#include <vector>

#include "core/base/check.h"
#include "core/base/json.h"
#include "core/base/text.h"
#include "core/base/time_text.h"
#include "core/config/flow_yaml.h"
#include "core/config/kept_mapping.h"
#include "core/config/loader.h"
#include "core/config/platforms.h"
#include "core/config/scalars.h"
#include "core/config/yaml_parser.h"

// Structured bindings name every member of what is written, so that a new one breaks the build where it must be decided
// whether it is kept.
namespace hookswitch::config {
namespace {

using flow::Key;
using flow::List;
using flow::Map;
using flow::Quoted;
using flow::Texts;

constexpr std::string_view kPlaces = "\nx-places: ";
constexpr std::array<std::string_view, 7> kDays = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

std::string StatusList(StatusSet statuses) {
  if (statuses == *ParseStatusGroup("any")) return Quoted("any");
  std::vector<std::string> names;
  for (std::size_t i = 0; i < kCallStatusCount; ++i) {
    const auto status = static_cast<CallStatus>(i);
    if ((statuses & Bit(status)) != 0) names.emplace_back(ToString(status));
  }
  return Texts(names);
}

std::string StageList(StageSet stages) {
  std::vector<std::string> names;
  for (const Stage stage : {Stage::kLive, Stage::kEnded, Stage::kFinal}) {
    if ((stages & Bit(stage)) != 0) names.emplace_back(ToString(stage));
  }
  return Texts(names);
}

std::string DirectionList(const std::vector<Direction>& directions) {
  std::vector<std::string> names;
  for (const Direction direction : directions) names.emplace_back(ToString(direction));
  return Texts(names);
}

std::string PatternList(const std::vector<Pattern>& patterns) {
  std::vector<std::string> items;
  for (const auto& [where, mode, text, ignore_case] : patterns) {
    if (ignore_case) {
      items.push_back(Map().Add("is", Quoted(text)).Add("ignore_case", "true").Text());
      continue;
    }
    switch (mode) {
      case Pattern::Mode::kExact:
      case Pattern::Mode::kGlob: items.push_back(Quoted(text)); break;
      case Pattern::Mode::kContains: items.push_back(Map().Add("contains", Quoted(text)).Text()); break;
      case Pattern::Mode::kRegex: items.push_back(Map().Add("regex", Quoted(text)).Text()); break;
    }
  }
  return List(items);
}

std::string NameList(const std::vector<Pattern>& patterns) {
  std::vector<std::string> names;
  for (const Pattern& pattern : patterns) names.push_back(pattern.text);
  return Texts(names);
}

std::string Range(const std::optional<double>& least, const std::optional<double>& most) {
  Map map;
  const auto add = [&](std::string_view name, double bound) {
    std::array<char, 400> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), bound, std::chars_format::fixed).ptr;
    map.Add(name, std::string(digits.data(), end));
  };
  if (least) add("min", *least);
  if (most) add("max", *most);
  return map.Text();
}

std::string Duration(double seconds) {
  return Quoted(FormatDuration(milliseconds(std::llround(seconds * 1000))));
}

std::string Amount(double amount, const std::string& currency) {
  char digits[64];
  std::snprintf(digits, sizeof digits, "%.6f", amount);
  return Quoted(std::string(digits) + " " + currency);
}

void AddCondition(Map& map, const Condition& condition);

std::string When(const Condition& condition) {
  Map map;
  if (condition.kind == Condition::Kind::kAll) {
    for (const Condition& child : condition.children) AddCondition(map, child);
  } else {
    AddCondition(map, condition);
  }
  return map.Text();
}

std::string WhenList(const std::vector<Condition>& conditions) {
  std::vector<std::string> items;
  for (const Condition& condition : conditions) items.push_back(When(condition));
  return List(items);
}

void AddCondition(Map& map, const Condition& condition) {
  using Kind = Condition::Kind;
  const auto& [kind, where, children, patterns, path, statuses, directions, number, currency, flag, stages, settles,
               least, most] = condition;
  switch (kind) {
    case Kind::kAll: map.Add("all", WhenList(children)); return;
    case Kind::kAny: map.Add("any", WhenList(children)); return;
    case Kind::kNot: map.Add("not", When(children.at(0))); return;
    case Kind::kSource: map.Add("source", PatternList(patterns)); return;
    case Kind::kAgent: map.Add("agent", PatternList(patterns)); return;
    case Kind::kTags: map.Add("tags", PatternList(patterns)); return;
    case Kind::kFrom: map.Add("from", PatternList(patterns)); return;
    case Kind::kTo: map.Add("to", PatternList(patterns)); return;
    case Kind::kHangupBy: map.Add("hangup_by", PatternList(patterns)); return;
    case Kind::kHangupReason: map.Add("hangup_reason", PatternList(patterns)); return;
    case Kind::kTranscript: map.Add("transcript", PatternList(patterns)); return;
    case Kind::kSummary: map.Add("summary", PatternList(patterns)); return;
    case Kind::kSentiment: map.Add("sentiment", NameList(patterns)); return;
    case Kind::kData: map.Add("data." + path, PatternList(patterns)); return;
    case Kind::kDataRange: map.Add("data." + path, Range(least, most)); return;
    case Kind::kStatus: map.Add("status", StatusList(statuses)); return;
    case Kind::kStage: map.Add("stage", StageList(stages)); return;
    case Kind::kDirection: map.Add("direction", DirectionList(directions)); return;
    case Kind::kMinDuration: map.Add("min_duration", Duration(number)); return;
    case Kind::kMaxDuration: map.Add("max_duration", Duration(number)); return;
    case Kind::kMinCost: map.Add("min_cost", Amount(number, currency)); return;
    case Kind::kMaxCost: map.Add("max_cost", Amount(number, currency)); return;
    case Kind::kVoicemail: map.Add("voicemail", flag ? "true" : "false"); return;
    case Kind::kSuccess: map.Add("success", flag ? "true" : "false"); return;
    case Kind::kDuring: map.Add("during", PatternList(patterns)); return;
    case Kind::kHas: map.Add("has", PatternList(patterns)); return;
  }
  Unreachable();
}

/// Writes the sections, one line for each thing in them.
class Writer {
 public:
  std::string Write(const Config& config) {
    const auto& [file, files, server, admin, journal, cluster, bodies, log_level, plugin_paths, sources, agents,
                 timezone, notify_problems_to, timezone_where, sinks, schedules, rules, templates, unmatched] = config;
    text_ = "version: 1\n";
    for (const Source& source : sources) AddSource(source);
    Section("sources", Order::kMeansNothing);
    for (const auto& [id, agent] : agents) AddAgent(id, agent);
    Section("agents", Order::kMeansNothing);
    for (const Schedule& schedule : schedules) AddSchedule(schedule);
    Section("schedules", Order::kMeansNothing);
    for (const Rule& rule : rules) AddRule(rule);
    Section("rules", Order::kMatters);
    text_ += "unmatched: " + (unmatched.empty() ? "drop" : Map().Add("send", Targets(unmatched)).Text()) + "\n";
    // What a config must have of the names in `send`.
    for (const std::string& name : sinks_) Add(name, Map().Add("plugin", Quoted("any")));
    Section("sinks", Order::kMeansNothing);
    for (const std::string& name : templates_) Add(name, Map().Add("fields", "true"));
    Section("templates", Order::kMeansNothing);
    return std::move(text_);
  }

 private:
  enum class Order { kMatters, kMeansNothing };

  void Add(std::string_view name, const Map& value) {
    lines_.push_back("  " + Key(name, "\n  ") + value.Text() + "\n");
  }

  void Section(std::string_view name, Order order) {
    if (order == Order::kMeansNothing) std::sort(lines_.begin(), lines_.end());
    if (!lines_.empty()) text_ += std::string(name) + ":\n";
    for (const std::string& line : lines_) text_ += line;
    lines_.clear();
  }

  void AddSource(const Source& source) {
    const auto& [where, name, type, title, path, allow_ips, auth, verify, public_url, rate_limit, currency, methods,
                 max_body, mapping, oversized, handshake] = source;
    Map map;
    // Required, but decides nothing once an event is accepted. The real one is left out, though the admin API shows it:
    // somebody may have made it hard to guess, and this is kept, and backed up, as long as events name it.
    map.Add("type", Quoted(type)).Add("path", Quoted("/" + name)).Add("currency", Quoted(currency));
    // What a platform's page says may change with the next version.
    const Platform* platform = FindPlatform(type);
    const std::string& shown = title.empty() && platform ? platform->title : title;
    if (!shown.empty()) map.Add("title", Quoted(shown));
    if (mapping) map.Add("map", MappingText(*mapping));
    Add(name, map);
  }

  void AddAgent(std::string_view id, const Agent& agent) {
    const auto& [name, tags] = agent;
    Map map;
    if (!name.empty()) map.Add("name", Quoted(name));
    if (!tags.empty()) map.Add("tags", Texts(tags));
    Add(id, map);
  }

  void AddSchedule(const Schedule& schedule) {
    const auto& [where, name, timezone, windows] = schedule;
    std::vector<std::string> items;
    for (const auto& [days, from_minute, to_minute] : windows) {
      std::vector<std::string> names;
      for (std::size_t day = 0; day < kDays.size(); ++day) {
        if ((days >> day & 1) != 0) names.emplace_back(kDays[day]);
      }
      char hours[64];
      std::snprintf(hours, sizeof hours, "%02d:%02d-%02d:%02d", from_minute / 60, from_minute % 60, to_minute / 60,
                    to_minute % 60);
      items.push_back(Map().Add("days", Texts(names)).Add("hours", Quoted(hours)).Text());
    }
    Add(name, Map().Add("timezone", Quoted(timezone)).Add("windows", List(items)));
  }

  void AddRule(const Rule& rule) {
    const auto& [where, name, when, send, stop, drop, leaves_status, newest_only, settle] = rule;
    Map map;
    map.Add("name", Quoted(name)).Add("when", When(when));
    if (!send.empty()) map.Add("send", Targets(send));
    if (stop) map.Add("stop", "true");
    if (drop) map.Add("drop", "true");
    if (newest_only) map.Add("per_call", Quoted("latest"));
    if (settle.count() != 0) map.Add("settle", Quoted(FormatDuration(settle)));
    lines_.push_back("  - " + map.Text() + "\n");
  }

  std::string Targets(const std::vector<SendTarget>& targets) {
    std::vector<std::string> items;
    for (const auto& [where, sink, template_name, template_where] : targets) {
      sinks_.insert(sink);
      if (!template_name.empty()) templates_.insert(template_name);
      Map map;
      map.Add("sink", Quoted(sink));
      if (!template_name.empty()) map.Add("template", Quoted(template_name));
      items.push_back(map.Text());
    }
    return List(items);
  }

  std::string text_;
  std::vector<std::string> lines_;  // of the section that is being written
  std::set<std::string> sinks_, templates_;
};

std::string PlacesOf(const std::vector<Rule>& rules) {
  std::vector<std::string> places;
  for (const Rule& rule : rules) {
    places.push_back((rule.where.file ? rule.where.file->path : "") + ":" + std::to_string(rule.where.line));
  }
  return Texts(places);
}

// Leaves the rules without places if the line is not one that PlacesOf wrote.
void SetPlaces(std::string_view line, std::vector<Rule>& rules) {
  json::error_code error;
  const json::value places = json::parse(json::string_view(line.data(), line.size()), error);
  if (error || !places.is_array() || places.get_array().size() != rules.size()) return;
  std::shared_ptr<const SourceFile> file;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    rules[i].where = {};
    const json::string* text = places.get_array()[i].if_string();
    if (!text) continue;
    const std::string_view place = *text;
    const auto colon = place.rfind(':');
    const auto number = colon == std::string_view::npos ? std::nullopt : ParseInteger(place.substr(colon + 1));
    if (!number || colon == 0) continue;
    const std::string_view path = place.substr(0, colon);
    if (!file || file->path != path) file = std::make_shared<const SourceFile>(std::string(path), std::string());
    rules[i].where = {file, static_cast<int>(*number), 0};
  }
}

}  // namespace

KeptText MakeKeptText(const Config& config) {
  KeptText kept;
  kept.text = Writer().Write(config);
  kept.hash = DigestOf(kept.text);
  kept.text.pop_back();
  kept.text += std::string(kPlaces) + PlacesOf(config.rules) + "\n";
  if (kept.text.size() > kMaxFileBytes) kept.text.clear();
  return kept;
}

Result<Config> ReadKeptText(const KeptText& kept) {
  const std::string& text = kept.text;
  const auto places = text.rfind(kPlaces);
  if (places == std::string::npos || DigestOf(std::string_view(text).substr(0, places + 1)) != kept.hash) {
    return Error{ErrorCode::kInvalid, "it is damaged"};
  }
  Environment environment;
  environment.read_file = [&text](const std::string&, std::string&) { return std::optional(text); };
  environment.secrets_optional = true;
  environment.is_kept = true;
  Loaded loaded = Load("kept", environment);
  if (!loaded.config) {
    const auto problems = loaded.problems.All();
    const auto error = std::ranges::find(problems, Problem::Severity::kError, &Problem::severity);
    HSW_CHECK(error != problems.end(), "without a config there is an error that says why");
    return Error{ErrorCode::kInvalid, error->message};
  }
  SetPlaces(std::string_view(text).substr(places + kPlaces.size()), loaded.config->rules);
  return std::move(*loaded.config);
}

}  // namespace hookswitch::config
