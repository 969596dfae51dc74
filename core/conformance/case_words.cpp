#include "core/conformance/case_words.h"

#include <algorithm>
#include <vector>

#include "core/base/text.h"

namespace hookswitch::conformance {
namespace {

using Words = std::vector<std::string>;

// The keys of an event are checked when it is read.
const Words kCase = {"about",   "answer", "attempt", "config", "event", "memory", "message",   "now",
                     "outcome", "raw",    "request", "rule",   "state", "steps",  "timeout_ms"};
const Words kMessage = {"at", "fields", "links", "severity", "text", "title", "transcript"};
const Words kAnswer = {"body", "headers", "retry_after_ms", "status"};
const Words kRequest = {"body", "headers", "method", "order", "pace", "url"};
const Words kOutcome = {"action",         "code",  "kind",   "may_have_been_delivered",
                        "memory",         "place", "reason", "remote_id",
                        "retry_after_ms", "scope", "state"};
const Words kStep = {"answer", "outcome", "request"};

std::string Unknown(const json::object& given, const Words& known, const std::string& at) {
  for (const auto& [key, value] : given) {
    if (std::find(known.begin(), known.end(), std::string_view(key)) != known.end()) continue;
    return "\"" + std::string(key) + "\" is not a key of " + at + "; " + DidYouMean(key, known);
  }
  return "";
}

std::string UnknownIn(const json::object& given, const char* part, const Words& known, const std::string& of) {
  const auto* value = given.if_contains(part);
  if (!value) return "";
  const auto* object = value->if_object();
  if (!object) return of + part + " is not a map";
  const auto* headers = object->if_contains("headers");
  const bool headers_are_known = std::find(known.begin(), known.end(), "headers") != known.end();
  if (headers && headers_are_known && !headers->is_object()) return of + part + "/headers is not a map";
  return Unknown(*object, known, of + part);
}

}  // namespace

std::string NotOfACase(const json::object& given) {
  if (auto problem = Unknown(given, kCase, "a case"); !problem.empty()) return problem;
  const auto look = [](const json::object& in, const std::string& of) {
    std::string problem = UnknownIn(in, "request", kRequest, of);
    if (problem.empty()) problem = UnknownIn(in, "answer", kAnswer, of);
    return problem.empty() ? UnknownIn(in, "outcome", kOutcome, of) : problem;
  };
  if (auto problem = UnknownIn(given, "message", kMessage, ""); !problem.empty()) return problem;
  if (auto problem = look(given, ""); !problem.empty()) return problem;
  const auto* steps = given.if_contains("steps");
  if (!steps) return "";
  if (!steps->is_array()) return "steps is not a list";
  for (std::size_t i = 0; i < steps->get_array().size(); ++i) {
    const std::string of = "steps/" + std::to_string(i);
    const auto* step = steps->get_array()[i].if_object();
    if (!step) return of + " is not a map";
    if (auto problem = Unknown(*step, kStep, of); !problem.empty()) return problem;
    if (auto problem = look(*step, of + "/"); !problem.empty()) return problem;
  }
  return "";
}

}  // namespace hookswitch::conformance
