#pragma once
#include <string>
#include <utility>
#include <vector>

#include "core/config/config.h"

/// Short ways to write rules in tests.
namespace hookswitch::test {

using Kind = config::Condition::Kind;
using Mode = config::Pattern::Mode;

inline config::Condition Cond(Kind kind) {
  config::Condition condition;
  condition.kind = kind;
  return condition;
}

inline config::Condition Tree(Kind kind, std::vector<config::Condition> children) {
  config::Condition condition = Cond(kind);
  condition.children = std::move(children);
  return condition;
}

inline config::Pattern Pat(std::string text, Mode mode = Mode::kExact) {
  config::Pattern pattern;
  pattern.mode = mode;
  pattern.text = std::move(text);
  return pattern;
}

/// Globs are seen by their stars, as the loader does.
inline config::Condition Texts(Kind kind, const std::vector<std::string>& texts) {
  config::Condition condition = Cond(kind);
  for (const auto& text : texts) {
    condition.patterns.push_back(Pat(text, text.find_first_of("*?") == std::string::npos ? Mode::kExact : Mode::kGlob));
  }
  return condition;
}

inline config::Condition Text(Kind kind, Mode mode, std::string text) {
  config::Condition condition = Cond(kind);
  condition.patterns.push_back(Pat(std::move(text), mode));
  return condition;
}

inline config::Condition Statuses(StatusSet statuses) {
  config::Condition condition = Cond(Kind::kStatus);
  condition.statuses = statuses;
  return condition;
}

inline config::Condition Number(Kind kind, double number, std::string currency = "") {
  config::Condition condition = Cond(kind);
  condition.number = number;
  condition.currency = std::move(currency);
  return condition;
}

inline config::Rule MakeRule(std::string name, std::vector<config::Condition> when,
                             const std::vector<std::string>& send) {
  config::Rule rule;
  rule.name = std::move(name);
  rule.when = Tree(Kind::kAll, std::move(when));
  for (const auto& sink : send) {
    rule.send.emplace_back();
    rule.send.back().sink = sink;
  }
  return rule;
}

}  // namespace hookswitch::test
