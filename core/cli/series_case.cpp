#include "core/cli/series_case.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <utility>

#include "core/app/simulation.h"
#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/base/time_text.h"
#include "core/cli/printing.h"
#include "core/config/problem.h"

namespace hookswitch::cli {
namespace {

using std::chrono::milliseconds;
using Expected = RoutingCase::Expected;

// Code points of a message in a story.
constexpr std::size_t kShownText = 300;

/// "ops (failed-calls) at 30s"
std::string Named(const SimulatedMessage& message) {
  return message.sink + " (" + message.rule + ") at " + FormatDuration(message.at);
}

/// "ops by the rule failed-calls at 30s, containing "completed""
std::string Named(const Expected& one) {
  std::string text = one.sink;
  if (!one.rule.empty()) text += " by the rule " + one.rule;
  if (one.at) text += " at " + FormatDuration(*one.at);
  if (!one.contains.empty()) text += ", containing \"" + one.contains + '"';
  return text;
}

bool Fits(const Expected& one, const SimulatedMessage& message) {
  return one.sink == message.sink && (one.rule.empty() || one.rule == message.rule) &&
         (!one.at || *one.at == message.at) && message.text.find(one.contains) != std::string::npos;
}

/// Which of `messages`, all of one time, each of `wanted` stands for; as many as can have one do (augmenting paths).
std::vector<std::optional<std::size_t>> Paired(std::span<const Expected> wanted,
                                               std::span<const SimulatedMessage> messages) {
  std::vector<std::optional<std::size_t>> of_message(messages.size()), of_wanted(wanted.size());
  std::vector<bool> seen;
  const std::function<bool(std::size_t)> place = [&](std::size_t i) {
    for (std::size_t m = 0; m < messages.size(); ++m) {
      if (seen[m] || !Fits(wanted[i], messages[m])) continue;
      seen[m] = true;
      if (of_message[m] && !place(*of_message[m])) continue;
      of_message[m] = i;
      return true;
    }
    return false;
  };
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    seen.assign(messages.size(), false);
    (void)place(i);
  }
  for (std::size_t m = 0; m < messages.size(); ++m) {
    if (of_message[m]) of_wanted[*of_message[m]] = m;
  }
  return of_wanted;
}

/// Compares `wanted` with what was sent, up to the first time at which they differ.
std::vector<std::string> Differences(std::span<const Expected> wanted, std::span<const SimulatedMessage> messages,
                                     const config::Mark& where) {
  std::vector<std::string> failures;
  while (failures.empty() && !(wanted.empty() && messages.empty())) {
    const auto later = [&](const SimulatedMessage& message) { return message.at != messages.front().at; };
    const auto end = std::ranges::find_if(messages, later);
    const auto now = messages.first(static_cast<std::size_t>(end - messages.begin()));
    const auto next = wanted.first(std::min(std::max<std::size_t>(now.size(), 1), wanted.size()));
    const auto pairs = Paired(next, now);
    std::vector<std::string> instead;
    for (std::size_t m = 0; m < now.size(); ++m) {
      if (std::ranges::find(pairs, std::optional(m)) == pairs.end()) instead.push_back(Named(now[m]));
    }
    for (std::size_t i = 0; i < next.size(); ++i) {
      if (pairs[i]) continue;
      const std::string came = now.empty()       ? "nothing more came"
                               : instead.empty() ? "it did not come"
                                                 : "instead came " + Joined(instead);
      failures.push_back(config::ToText(next[i].where) + ": expected " + Named(next[i]) + "; " + came);
    }
    if (failures.empty() && !instead.empty())
      failures.push_back(config::ToText(where) + ": not expected: " + Joined(instead));
    wanted = wanted.subspan(next.size());
    messages = messages.subspan(now.size());
  }
  return failures;
}

/// What the router did with an event, from its answer to the sender.
std::string EventLine(const SimulatedAnswer& answer, const json::object& body) {
  if (answer.status >= 300) return "is refused: " + Text(body, "error") + ": " + Text(body, "detail");
  if (body.contains("revised")) return "came before, with other content";
  if (body.contains("duplicate")) return "came before";
  if (body.contains("skipped")) return "goes to nobody";
  return "makes " + Text(body, "deliveries") + (Text(body, "deliveries") == "1" ? " delivery" : " deliveries");
}

std::string MessageLine(const SimulatedMessage& message) {
  if (!message.not_sent.empty()) return Named(message) + " sends nothing: " + message.not_sent;
  const std::string text = ToUtf8(message.text);
  const auto shown = CutCodePoints(text, kShownText);
  return Named(message) + " sends " + std::string(shown) + (shown.size() < text.size() ? "…" : "");
}

}  // namespace

CaseResult RunSeries(const RoutingCase& wanted, const Generation& generation, const std::string& source) {
  CaseResult result;
  std::vector<SimulatedEvent> events;
  for (const auto& step : wanted.series) events.push_back({step.at, source, step.body});
  milliseconds last = events.back().at;
  for (const auto& one : wanted.expect) {
    last = std::max(last, one.at.value_or(last));
    const auto sink = generation.sinks.find(one.sink);
    if (sink == generation.sinks.end()) {
      result.failures.push_back(config::ToText(one.where) + ": the config has no sink \"" + one.sink + '"');
    } else if (!sink->second.sink) {
      result.failures.push_back(one.sink + " is unavailable: " + sink->second.unavailable_reason);
    }
  }
  auto ran = Simulate(generation, wanted.at.value_or(SystemClock().Wall()), events, last);
  if (!ran) {
    result.failures.push_back("cannot be run: " + ran.error().message);
    return result;
  }
  std::multimap<milliseconds, std::string> story;
  for (std::size_t i = 0; i < ran->answers.size(); ++i) {
    const SimulatedAnswer& answer = ran->answers[i];
    const RoutingCase::Step& step = wanted.series[i];
    json::error_code ignored;
    json::value body = json::parse(answer.body, ignored);
    if (!body.is_object()) body.emplace_object();
    const std::string told = step.name + " at " + FormatDuration(step.at) + ' ' + EventLine(answer, body.as_object());
    if (answer.status >= 300) result.failures.push_back(config::ToText(step.where) + ": " + told);
    story.emplace(step.at, told);
    result.events.push_back(json::object{
        {"at", FormatDuration(step.at)}, {"event", step.name}, {"status", answer.status}, {"answer", std::move(body)}});
  }
  std::vector<SimulatedMessage> sent;
  for (SimulatedMessage& message : ran->messages) {
    story.emplace(message.at, MessageLine(message));
    json::object shown{{"at", FormatDuration(message.at)}, {"sink", message.sink}, {"rule", message.rule}};
    if (message.not_sent.empty()) {
      shown.emplace("text", ToUtf8(message.text));
      sent.push_back(std::move(message));
    } else {
      shown.emplace("not_sent", message.not_sent);
    }
    result.got.push_back(std::move(shown));
  }
  for (auto& failure : Differences(wanted.expect, sent, wanted.where)) result.failures.push_back(std::move(failure));
  for (auto& [at, line] : story) result.story.push_back(std::move(line));
  return result;
}

}  // namespace hookswitch::cli
