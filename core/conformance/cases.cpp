#include "core/conformance/cases.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <sstream>

#include "core/base/check.h"
#include "core/base/encoding.h"
#include "core/base/query_string.h"
#include "core/base/text.h"
#include "core/base/time_text.h"
#include "core/conformance/case_words.h"
#include "core/conformance/difference.h"
#include "core/event/event_from_json.h"
#include "core/http/request_check.h"
#include "core/http/retry_after.h"
#include "core/message/text_template.h"

namespace hookswitch::conformance {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kCallTimeout = std::chrono::seconds(10);
constexpr std::size_t kMostDifferences = 10;

// Typed access to parts of a case; throws what is wrong at `at` ("steps/0/answer").

const json::value& Needed(const json::object& object, const char* key, const std::string& at) {
  const auto* value = object.if_contains(key);
  if (!value) throw std::runtime_error(at + '/' + key + " is missing");
  return *value;
}

const json::object& Map(const json::value& value, const std::string& at) {
  if (!value.is_object()) throw std::runtime_error(at + " is not a map");
  return value.get_object();
}

const json::array& List(const json::value& value, const std::string& at) {
  if (!value.is_array()) throw std::runtime_error(at + " is not a list");
  return value.get_array();
}

std::int64_t Integer(const json::value& value, const std::string& at, std::int64_t least) {
  if (!value.is_int64()) throw std::runtime_error(at + " is not a whole number");
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  if (value.get_int64() < least) throw std::runtime_error(at + " is less than " + std::to_string(least));
  if (value.get_int64() > kMost) throw std::runtime_error(at + " is more than " + std::to_string(kMost));
  return value.get_int64();
}

/// A string, or {"repeat": "text", "times": n}, or {"base64": "…"}, or a list of these, joined.
std::string TextOf(const json::value& value, const std::string& at) {
  if (const auto* text = value.if_string()) return std::string(std::string_view(*text));
  std::string out;
  if (const auto* list = value.if_array()) {
    for (const auto& part : *list) out += TextOf(part, at);
    return out;
  }
  const auto* object = value.if_object();
  if (!object) throw std::runtime_error(at + " is not a text");
  if (const auto* coded = object->if_contains("base64")) {
    const std::string text = TextOf(*coded, at + "/base64");
    auto bytes = FromBase64(text);
    if (!bytes) throw std::runtime_error(at + ": not base64: " + text);
    return std::move(*bytes);
  }
  const std::string unit = TextOf(Needed(*object, "repeat", at), at + "/repeat");
  const std::int64_t times = Integer(Needed(*object, "times", at), at + "/times", 0);
  for (std::int64_t i = 0; i < times; ++i) out += unit;
  return out;
}

std::string MemberAt(const json::object& object, std::string_view key, const std::string& at,
                     std::string_view otherwise = {}) {
  const auto* value = object.if_contains(key);
  return value && !value->is_null() ? TextOf(*value, at) : std::string(otherwise);
}

WallTime TimeOf(const std::string& text, const std::string& at) {
  const auto time = ParseTime(text);
  if (!time) throw std::runtime_error(at + ": not a time: " + text);
  return *time;
}

Severity SeverityOf(std::string_view name) {
  if (name == "success") return Severity::kSuccess;
  if (name == "warning") return Severity::kWarning;
  if (name == "error") return Severity::kError;
  if (name == "info" || name.empty()) return Severity::kInfo;
  throw std::runtime_error("message/severity: " + std::string(name) + " is none of info, success, warning, error");
}

bool IsText(const json::value& value) {
  if (value.is_string()) return true;
  const auto* object = value.if_object();
  return object && object->size() <= 2 && (object->contains("repeat") || object->contains("base64"));
}

/// The body of a response; JSON in the file becomes a JSON text.
std::string BodyOf(const json::object& answer, const std::string& at) {
  const auto* body = answer.if_contains("body");
  if (!body || body->is_null()) return "";
  return IsText(*body) ? TextOf(*body, at + "/body") : ToText(*body);
}

/// Adds a value; those of a repeated name become a list.
void Put(json::object& headers, const std::string& name, const json::value& value) {
  if (auto* before = headers.if_contains(name)) {
    if (!before->is_array()) *before = json::array{std::move(*before)};
    before->get_array().push_back(value);
  } else {
    headers[name] = value;
  }
}

bool IsForm(const json::object& request) {
  const auto* headers = request.if_contains("headers");
  if (!headers || !headers->is_object()) return false;
  return std::any_of(headers->get_object().begin(), headers->get_object().end(), [](const auto& header) {
    return EqualsIgnoreCase(header.key(), "Content-Type") && header.value().is_string() &&
           std::string_view(header.value().get_string()).starts_with("application/x-www-form-urlencoded");
  });
}

/// The fields of a form; those of a repeated name become a list.
json::object FormObject(std::string_view body) {
  json::object fields;
  for (const auto& [name, value] : FormFields(body)) Put(fields, name, json::value(value));
  return fields;
}

json::object RequestObject(const HttpRequest& request) {
  json::object headers;
  for (const auto& [name, value] : request.headers) Put(headers, name, json::value(value));
  boost::system::error_code not_json;
  json::value body = json::parse(request.body, not_json);
  if (not_json) body = json::string(request.body);
  if (not_json && !IsUtf8(request.body)) body = json::object{{"base64", Base64(request.body)}};
  json::object object{{"method", request.method}, {"url", request.url}, {"headers", headers}, {"body", body}};
  if (request.pace) object["pace"] = request.pace->key;
  if (!request.order.empty()) object["order"] = request.order;
  return object;
}

/// {"request": …}, or {"outcome": …} if the delivery has no request.
json::object Rendered(Sink& sink, const SinkDelivery& delivery) {
  auto made = sink.Render(delivery);
  if (const auto* request = std::get_if<HttpRequest>(&made)) {
    if (const auto problem = CheckRequest(*request)) throw std::runtime_error("it cannot be sent: " + problem->detail);
    return {{"request", RequestObject(*request)}};
  }
  return {{"outcome", conformance::ToObject(std::get<Outcome>(made))}};
}

Outcome Interpreted(Sink& sink, const SinkDelivery& delivery, const json::object& answer, const std::string& at) {
  HttpResponse response;
  response.status = static_cast<int>(Integer(Needed(answer, "status", at), at + "/status", 0));
  response.body = BodyOf(answer, at);
  if (const auto* headers = answer.if_contains("headers")) {
    for (const auto& [name, value] : Map(*headers, at + "/headers")) {
      const std::string of = at + "/headers/" + std::string(name);
      if (const auto* several = value.if_array()) {
        for (const auto& one : *several) response.headers.emplace_back(name, TextOf(one, of));
      } else {
        response.headers.emplace_back(name, TextOf(value, of));
      }
    }
  }
  auto retry_after = RetryAfterOf(response, delivery.now);
  if (const auto* ms = answer.if_contains("retry_after_ms")) {
    retry_after = std::chrono::milliseconds(Integer(*ms, at + "/retry_after_ms", 0));
  }
  Outcome outcome = sink.Interpret(delivery, response, retry_after);
  HonourRetryAfter(outcome, retry_after);
  return outcome;
}

json::object Run(Sink& sink, const json::object& given) {
  json::object shown{{"id", "01JD0000000000000000000000"}, {"source", "bolna"}, {"status", "completed"}};
  if (const auto* event = given.if_contains("event")) {
    for (const auto& [key, value] : Map(*event, "event")) shown[key] = value;
  }
  const auto event = EventFromJson(shown);
  if (!event) throw std::runtime_error("event: " + event.error().message);
  Message message;
  message.title = "Bolna call ended: completed";
  if (const auto* in = given.if_contains("message")) message = MessageOf(Map(*in, "message"));
  std::string state = Member(given, "state"), memory = Member(given, "memory");
  const std::string rule = Member(given, "rule", "failed-billing"), raw = Member(given, "raw");
  const auto number = [&given](const char* key, std::int64_t otherwise) {
    const auto* value = given.if_contains(key);
    return value ? Integer(*value, key, 1) : otherwise;
  };
  const auto attempt = static_cast<std::uint32_t>(number("attempt", 1));
  const std::string now_text = Member(given, "now");
  const WallTime now = now_text.empty() ? WallTime() : TimeOf(now_text, "now");
  std::uint32_t step = state.empty() ? 0 : 1;
  const auto delivery = [&] {
    SinkDelivery made{*event, message, "d-7f", "ops", rule, attempt, step, state, memory, now};
    if (given.contains("raw")) made.raw_body = [&raw] { return raw; };
    made.expand = message::Expand;
    return made;
  };

  json::object came_out;
  if (sink.kind() == Sink::Kind::kCall) {
    const std::chrono::milliseconds timeout(number("timeout_ms", kCallTimeout.count()));
    came_out["outcome"] = ToObject(sink.Deliver(delivery(), timeout, [] { return false; }));
  } else if (const auto* steps = given.if_contains("steps")) {
    json::array all;
    for (const auto& one : List(*steps, "steps")) {
      if (all.size() == kMostSteps) break;
      const std::string at = "steps/" + std::to_string(all.size());
      const json::value& answer = Needed(Map(one, at), "answer", at);
      json::object step_out = Rendered(sink, delivery());
      step_out["answer"] = answer;
      const Outcome outcome = Interpreted(sink, delivery(), Map(answer, at + "/answer"), at + "/answer");
      step_out["outcome"] = ToObject(outcome);
      all.push_back(std::move(step_out));
      state = outcome.state;
      if (outcome.has_memory) memory = outcome.memory;
      ++step;
      if (outcome.kind != Outcome::Kind::kNext) break;
    }
    came_out["steps"] = std::move(all);
  } else {
    if (given.contains("message")) came_out = Rendered(sink, delivery());
    if (const auto* answer = given.if_contains("answer")) {
      came_out["outcome"] = ToObject(Interpreted(sink, delivery(), Map(*answer, "answer"), "answer"));
    }
  }
  if (came_out.empty()) throw std::runtime_error("it has no message, no answer and no steps");
  return came_out;
}

std::string_view ScopeName(Outcome::Scope scope) {
  switch (scope) {
    case Outcome::Scope::kUnknown: return "unknown";
    case Outcome::Scope::kPlace: return "place";
    case Outcome::Scope::kSink: return "sink";
  }
  Unreachable();
}

/// Removes what came with ABI 1.2 and the case does not name: any value is right.
void LeaveOutWhatIsNotAskedFor(const json::value& wanted, json::value& got) {
  if (auto* list = got.if_array(); list && wanted.is_array()) {
    const std::size_t both = std::min(list->size(), wanted.get_array().size());
    for (std::size_t i = 0; i < both; ++i) LeaveOutWhatIsNotAskedFor(wanted.get_array()[i], (*list)[i]);
    return;
  }
  auto* object = got.if_object();
  const auto* asked = wanted.if_object();
  if (!object || !asked) return;
  for (const char* part : {"request", "outcome"}) {  // of a step
    if (object->contains(part) && asked->contains(part)) {
      LeaveOutWhatIsNotAskedFor(asked->at(part), object->at(part));
    }
  }
  for (const char* key : {"scope", "place", "order"}) {
    if (!asked->contains(key)) object->erase(key);
  }
}

/// Converts forms to fields: they are compared by field, however a case writes them.
void SpellForms(json::value& wanted, json::value& got) {
  if (auto* list = got.if_array(); list && wanted.is_array()) {
    const std::size_t both = std::min(list->size(), wanted.get_array().size());
    for (std::size_t i = 0; i < both; ++i) SpellForms(wanted.get_array()[i], (*list)[i]);
    return;
  }
  auto *asked = wanted.if_object(), *object = got.if_object();
  if (!asked || !object) return;
  if (asked->contains("request") && object->contains("request"))
    SpellForms(asked->at("request"), object->at("request"));
  if (!IsForm(*object)) return;
  for (json::object* one : {asked, object}) {
    auto* body = one->if_contains("body");
    if (body && body->is_string()) *body = FormObject(std::string_view(body->get_string()));
  }
}

/// Expands the texts that a case writes as {"repeat": …}.
void SpellTexts(json::value& value, const std::string& at) {
  if (auto* list = value.if_array()) {
    for (std::size_t i = 0; i < list->size(); ++i) SpellTexts((*list)[i], at + '/' + std::to_string(i));
  } else if (auto* object = value.if_object();
             object && object->size() == 2 && object->contains("repeat") && object->contains("times")) {
    value = json::string(TextOf(value, at));
  } else if (object) {
    for (auto& [key, one] : *object) SpellTexts(one, at + '/' + PointerPart(key));
  }
}

std::vector<Difference> Compare(json::value wanted, json::value got, const std::string& at) {
  LeaveOutWhatIsNotAskedFor(wanted, got);
  SpellTexts(wanted, at);
  SpellForms(wanted, got);
  return Differences(wanted, got, kMostDifferences);
}

}  // namespace

std::string Member(const json::object& object, std::string_view key, std::string_view otherwise) {
  return MemberAt(object, key, std::string(key), otherwise);
}

Message MessageOf(const json::object& object) {
  const auto text = [&](const std::string& key) { return MemberAt(object, key, "message/" + key); };
  const auto pairs = [&](const std::string& key) {
    std::vector<std::pair<std::string, std::string>> list;
    const auto* given = object.if_contains(key);
    if (!given) return list;
    for (const auto& pair : List(*given, "message/" + key)) {
      const std::string at = "message/" + key + '/' + std::to_string(list.size());
      const json::array& both = List(pair, at);
      if (both.size() != 2) throw std::runtime_error(at + " is not a list of two texts");
      list.emplace_back(TextOf(both[0], at + "/0"), TextOf(both[1], at + "/1"));
    }
    return list;
  };
  Message message;
  message.title = text("title");
  message.severity = SeverityOf(text("severity"));
  message.text = text("text");
  message.transcript = text("transcript");
  for (auto& [name, value] : pairs("fields")) message.fields.push_back({std::move(name), std::move(value)});
  for (auto& [name, value] : pairs("links")) message.links.push_back({std::move(name), std::move(value)});
  if (const auto at = text("at"); !at.empty()) message.at = TimeOf(at, "message/at");
  return message;
}

json::object ToObject(const Outcome& outcome) {
  json::object object{{"kind", ToString(outcome.kind)}};
  const auto put = [&](const char* key, const std::string& text) {
    if (!text.empty()) object[key] = text;
  };
  put("code", outcome.code);
  put("reason", outcome.reason);
  put("action", outcome.action);
  put("remote_id", outcome.remote_id);
  put("state", outcome.state);
  put("memory", outcome.memory);
  if (outcome.retry_after) object["retry_after_ms"] = outcome.retry_after->count();
  if (outcome.may_have_been_delivered) object["may_have_been_delivered"] = true;
  if (outcome.kind == Outcome::Kind::kMisconfigured) {
    object["scope"] = ScopeName(outcome.scope);
    put("place", outcome.place);
  }
  return object;
}

namespace {

// null, with the reason in `why`, if it is not JSON.
json::value ReadCase(const fs::path& file, std::string& why) {
  std::stringstream text;
  text << std::ifstream(file).rdbuf();
  boost::system::error_code not_json;
  json::value read = json::parse(text.str(), not_json);
  why = not_json ? not_json.message() : "it is something else";
  return read;
}

CaseVerdict Checked(const fs::path& file, bool update, const MakeSink& make) {
  CaseVerdict verdict{file.stem(), ""};
  const auto failed = [&](std::string problem) {
    verdict.problem = std::move(problem);
    return verdict;
  };
  std::string why;
  json::value read = ReadCase(file, why);
  auto* root = read.if_object();
  if (!root) return failed("it is not a JSON object: " + why);
  if (auto problem = NotOfACase(*root); !problem.empty()) return failed(std::move(problem));
  const auto* config = root->if_contains("config");
  auto sink = make(config ? &Map(*config, "config") : nullptr);
  if (!sink) return failed(sink.error().message);
  const json::object came_out = Run(**sink, *root);
  std::string differs;
  for (const char* key : {"request", "outcome", "steps"}) {
    const auto *wanted = root->if_contains(key), *got = came_out.if_contains(key);
    if (!wanted && !got) continue;
    if (wanted && got && Compare(*wanted, *got, key).empty()) continue;
    const auto line = [&](const std::string& at, const std::string& was, const std::string& is) {
      differs += (differs.empty() ? "" : "\n        ") + at +
                 (update ? ": was " + was + ", is " + is : ": should be " + was + "\n          and is " + is);
    };
    if (!wanted || !got) {
      line(key, wanted ? ToText(*wanted) : "nothing", got ? ToText(*got) : "nothing");
    } else {
      for (const auto& one : Compare(*wanted, *got, key)) line(key + one.at, one.wanted, one.got);
    }
    if (!update) continue;
    if (got) {
      (*root)[key] = *got;
    } else {
      root->erase(key);
    }
  }
  if (!update || differs.empty()) return failed(std::move(differs));
  if (!(std::ofstream(file) << ToText(*root, 2) << "\n")) return failed("it cannot be written");
  verdict.changed = std::move(differs);
  return verdict;
}

Result<std::vector<fs::path>> FilesIn(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    if (entry->path().extension() == ".json") files.push_back(entry->path());
  }
  if (error) return Error{ErrorCode::kNotFound, folder.string() + " cannot be read: " + error.message()};
  if (files.empty()) return Error{ErrorCode::kNotFound, folder.string() + " holds no *.json"};
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

CaseVerdict CheckCase(const fs::path& file, bool update, const MakeSink& make) {
  try {
    return Checked(file, update, make);
  } catch (const std::exception& failed) {
    return {file.stem(), failed.what()};
  }
}

Result<std::vector<CaseVerdict>> CheckCases(const fs::path& folder, bool update, const MakeSink& make) {
  const auto files = FilesIn(folder);
  if (!files) return files.error();
  std::vector<CaseVerdict> verdicts;
  for (const fs::path& file : *files) verdicts.push_back(CheckCase(file, update, make));
  return verdicts;
}

std::string FirstConfigIn(const fs::path& folder) {
  const auto files = FilesIn(folder);
  if (!files) return "";
  for (const fs::path& file : *files) {
    std::string ignored;
    const json::value read = ReadCase(file, ignored);
    const auto* config = read.is_object() ? read.get_object().if_contains("config") : nullptr;
    if (config) return ToText(*config, 2);
  }
  return "";
}

}  // namespace hookswitch::conformance
