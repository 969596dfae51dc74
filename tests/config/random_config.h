#pragma once
#include <initializer_list>
#include <random>
#include <string>
#include <vector>

/// Configs at random, as YAML, for properties that must hold for every one: all conditions, nested; schedules, agents,
/// templates, settings of sinks, and a secret in each place that takes one. Few words, so that rules and calls meet.
namespace hookswitch::test {

class RandomConfig {
 public:
  explicit RandomConfig(unsigned seed) : engine_(seed) {}

  int Below(int n) { return static_cast<int>(engine_() % static_cast<unsigned>(n)); }
  bool OneIn(int n) { return Below(n) == 0; }
  std::string Pick(std::initializer_list<const char*> of) { return *(of.begin() + Below(static_cast<int>(of.size()))); }

  /// The next config. `sinks`: YAML of its sinks, with secrets of the test's.
  std::string Text(const std::string& sinks = "  s1: {plugin: slack}\n  s2: {plugin: slack}\n  s3: {plugin: slack}\n") {
    std::string text = "version: 1\nsinks:\n" + sinks + "sources:\n";
    for (const std::string source : {"bolna", "other"}) {
      text +=
          "  " + source + ": {type: bolna, path: /" + source + "/" + Secret() + ", currency: " + Pick({"USD", "EUR"});
      if (OneIn(2)) text += ", title: " + Word();
      text += ", auth: {" + Pick({"bearer: true", "header: X-Key", "query: key"}) + ", secret: " + Secret() + "}}\n";
    }
    text += "admin: {token: " + Secret() + "}\nagents:\n";
    for (const char* id : {"a1", "a2", "a3"}) {
      text += std::string("  ") + id + ": {" + (OneIn(2) ? "name: " + Word() + ", " : "") + "tags: [" + Word() + "]}\n";
    }
    text += "defaults: {timezone: " + Pick({"UTC", "Asia/Kolkata", "America/New_York"});
    if (OneIn(2)) text += ", status: " + Statuses();
    text += "}\nschedules:\n  day: [{days: mon-fri, hours: \"0" + std::to_string(Below(9)) + ":30-18:00\"}]\n";
    text +=
        "  night: {timezone: Europe/Berlin, windows: [{days: [sat, sun], hours: \"22:00-24:00\"}, "
        "{days: mon, hours: \"20:00-04:00\"}]}\n";
    text += "templates: {short: {text: \"{{status}}\"}}\nrules:\n";
    for (int i = 1 + Below(7); i > 0; --i) text += "  - " + Rule() + "\n";
    text += "unmatched: " + Pick({"drop", "{send: [s3]}", "{send: [s1, {sink: s2, template: short}]}"}) + "\n";
    return text;
  }

  /// Every secret in the texts so far.
  const std::vector<std::string>& secrets() const { return secrets_; }
  /// A new one.
  std::string Secret() {
    return secrets_.emplace_back("secret-" + std::to_string(secrets_.size()) + "-" + std::to_string(engine_()));
  }

  std::string Word() { return Pick({"a1", "a2", "red", "blue", "redblue", "7"}); }

 private:
  std::string List(std::string (RandomConfig::*one)()) {
    std::string list = "[" + (this->*one)();
    while (OneIn(2)) list += ", " + (this->*one)();
    return list + "]";
  }
  std::string Name() { return Pick({"a1", "\"a*\"", "\"*e\"", "\"re?\"", "red", "\"blue\"", "'7'", "redblue"}); }
  std::string Names() { return OneIn(2) ? Name() : List(&RandomConfig::Name); }
  std::string Search() {
    return OneIn(2) ? "{contains: " + Word() + "}" : "{regex: " + Pick({"'^red'", "\"e$\"", "'b.u'", "'\\d'"}) + "}";
  }
  std::string Value() { return OneIn(2) ? Name() : Search(); }
  std::string Status() {
    return Pick({"completed", "failed", "no-answer", "ringing", "call-disconnected", "unknown", "any", "ended",
                 "terminal", "unsuccessful"});
  }
  std::string Statuses() { return OneIn(2) ? Status() : List(&RandomConfig::Status); }
  std::string StageName() { return Pick({"live", "ended", "final"}); }
  std::string DirectionName() { return Pick({"inbound", "outbound", "web"}); }
  std::string Field() {
    return Pick({"sentiment", "success", "stage", "agent", "duration", "transcript", "data.x", "meta.batch_id", "tags",
                 "cost"});
  }

  std::string Condition(int depth) {
    switch (Below(depth > 0 ? 26 : 22)) {
      case 0: return "source: " + Pick({"bolna", "[bolna, other]", "\"b*\""});
      case 1: return "agent: " + Names();
      case 2: return "tags: " + Names();
      case 3: return "from: " + Pick({"\"+1*\"", "\"+12025550188\""});
      case 4: return "to: " + Pick({"\"+1*\"", "\"+12025550123\""});
      case 5: return "hangup_by: " + Names();
      case 6: return "hangup_reason: " + (OneIn(2) ? Value() : List(&RandomConfig::Value));
      case 7: return "transcript: " + (OneIn(2) ? Search() : List(&RandomConfig::Search));
      case 8: return "summary: " + Search();
      case 9: return "data.x: " + (OneIn(2) ? Value() : List(&RandomConfig::Value));
      case 10: return "status: " + Statuses();
      case 11: return "direction: " + (OneIn(2) ? DirectionName() : List(&RandomConfig::DirectionName));
      case 12: return "min_duration: " + Pick({"0s", "1500ms", "1m"});
      case 13: return "max_duration: " + Pick({"2m", "1m30s", "1h"});
      case 14: return "min_cost: " + Pick({"0 USD", "0.1 USD"});
      case 15: return "max_cost: " + Pick({"0.123456 USD", "12 USD"});
      case 16: return OneIn(2) ? "voicemail: true" : "during: " + Pick({"day", "night", "[day, night]"});
      case 17: return "has: " + (OneIn(2) ? Field() : List(&RandomConfig::Field));
      case 18: return "stage: " + (OneIn(2) ? StageName() : List(&RandomConfig::StageName));
      case 19: return "sentiment: " + Names();
      case 20: return OneIn(2) ? "success: true" : "success: false";
      case 21:
        return "data.x: " +
               Pick({"{min: 5}", "{max: 7.25}", "{min: -1, max: 0.0000001}", "{is: RED, ignore_case: true}",
                     "{is: 'R*', ignore_case: true}", "{is: red}", "[{is: [red, Blue], ignore_case: true}, a1]", "7"});
      case 22: return "not: " + When(depth - 1);
      default: return Pick({"any: [", "all: ["}) + When(depth - 1) + ", " + When(depth - 1) + "]";
    }
  }

  std::string When(int depth) {
    std::string when;
    std::vector<std::string> keys;
    for (int i = Below(3); i >= 0; --i) {
      const std::string condition = Condition(depth);
      const std::string key = condition.substr(0, condition.find(':') + 1);
      if (when.find(key) != std::string::npos) continue;
      when += (when.empty() ? "" : ", ") + condition;
    }
    return "{" + when + "}";
  }

  std::string Rule() {
    std::string rule = "{when: " + (OneIn(5) ? "{}" : When(2));
    if (OneIn(8)) return rule + ", drop: true}";
    rule += ", send: " + Pick({"[s1]", "[s2]", "[s1, s2]", "[s3, {sink: s1, template: short}]"});
    if (OneIn(5)) rule += ", stop: true";
    if (OneIn(4)) rule += ", per_call: latest";
    if (OneIn(4)) rule += ", settle: " + Pick({"1m", "1500ms"});
    return rule + "}";
  }

  std::mt19937 engine_;
  std::vector<std::string> secrets_;
};

}  // namespace hookswitch::test
