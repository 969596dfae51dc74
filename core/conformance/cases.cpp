#include "core/conformance/cases.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "core/base/check.h"
#include "core/base/encoding.h"
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

constexpr int kMostSteps = 20;

constexpr std::chrono::milliseconds kCallTimeout = std::chrono::seconds(10);
constexpr std::size_t kMostDifferences = 10;

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

/// The body of an answer; what is JSON in the file is a JSON text.
std::string BodyOf(const json::object& object) {
  const auto* body = object.if_contains("body");
  if (!body || body->is_null()) return "";
  return IsText(*body) ? TextOf(*body) : ToText(*body);
}

/// The value of a header; of one that comes several times a list of them.
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

/// The fields of a form, those that come several times as lists.
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

/// {"request": …}, or {"outcome": …} of a delivery that became none.
json::object Rendered(Sink& sink, const SinkDelivery& delivery) {
  auto made = sink.Render(delivery);
  if (const auto* request = std::get_if<HttpRequest>(&made)) {
    if (const auto problem = CheckRequest(*request)) throw std::runtime_error("it cannot be sent: " + problem->detail);
    return {{"request", RequestObject(*request)}};
  }
  return {{"outcome", conformance::ToObject(std::get<Outcome>(made))}};
}

Outcome Interpreted(Sink& sink, const SinkDelivery& delivery, const json::object& answer) {
  HttpResponse response;
  response.status = static_cast<int>(answer.at("status").as_int64());
  response.body = BodyOf(answer);
  if (const auto* headers = answer.if_contains("headers")) {
    for (const auto& [name, value] : headers->as_object()) {
      if (const auto* several = value.if_array()) {
        for (const auto& one : *several) response.headers.emplace_back(name, TextOf(one));
      } else {
        response.headers.emplace_back(name, TextOf(value));
      }
    }
  }
  auto retry_after = RetryAfterOf(response, delivery.now);
  if (const auto* ms = answer.if_contains("retry_after_ms")) retry_after = std::chrono::milliseconds(ms->as_int64());
  Outcome outcome = sink.Interpret(delivery, response, retry_after);
  HonourRetryAfter(outcome, retry_after);
  return outcome;
}

// Boost.JSON throws where a case has a value of another type.
json::object Run(Sink& sink, const json::object& given) {
  json::object shown{{"id", "01JD0000000000000000000000"}, {"source", "bolna"}, {"status", "completed"}};
  if (const auto* event = given.if_contains("event")) {
    for (const auto& [key, value] : event->as_object()) shown[key] = value;
  }
  const auto event = EventFromJson(shown);
  if (!event) throw std::runtime_error("event: " + event.error().message);
  Message message;
  message.title = "Bolna call ended: completed";
  if (const auto* in = given.if_contains("message")) message = MessageOf(in->as_object());
  std::string state = Member(given, "state"), memory = Member(given, "memory");
  const std::string rule = Member(given, "rule", "failed-billing");
  const auto number = [&given](const char* key, std::int64_t otherwise) {
    const auto* value = given.if_contains(key);
    return value ? value->as_int64() : otherwise;
  };
  const auto attempt = static_cast<std::uint32_t>(number("attempt", 1));
  const std::string now = Member(given, "now");
  if (!now.empty() && !ParseTime(now)) throw std::runtime_error("now: not a time: " + now);
  std::uint32_t step = state.empty() ? 0 : 1;
  const auto delivery = [&] {
    SinkDelivery made{*event, message, "d-7f", "ops", rule, attempt, step, state, memory};
    if (given.contains("raw")) made.raw_body = [&given] { return Member(given, "raw"); };
    made.expand = message::Expand;
    if (!now.empty()) made.now = *ParseTime(now);
    return made;
  };

  json::object came_out;
  if (sink.kind() == Sink::Kind::kCall) {
    const std::chrono::milliseconds timeout(number("timeout_ms", kCallTimeout.count()));
    came_out["outcome"] = ToObject(sink.Deliver(delivery(), timeout, [] { return false; }));
  } else if (const auto* steps = given.if_contains("steps")) {
    json::array all;
    for (const auto& one : steps->as_array()) {
      if (all.size() == kMostSteps) break;
      json::object step_out = Rendered(sink, delivery());
      step_out["answer"] = one.at("answer");
      const Outcome outcome = Interpreted(sink, delivery(), one.at("answer").as_object());
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
      came_out["outcome"] = ToObject(Interpreted(sink, delivery(), answer->as_object()));
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

/// What came with ABI 1.2: where a case does not name it, any is right.
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

/// Forms are compared by field, however a case writes them.
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

/// A text that a case writes as {"repeat": …} is compared as what it stands for.
void SpellTexts(json::value& value) {
  if (auto* list = value.if_array()) {
    for (auto& one : *list) SpellTexts(one);
  } else if (auto* object = value.if_object();
             object && object->size() == 2 && object->contains("repeat") && object->contains("times")) {
    value = json::string(TextOf(value));
  } else if (object) {
    for (auto& [key, one] : *object) SpellTexts(one);
  }
}

std::vector<Difference> Compare(json::value wanted, json::value got) {
  LeaveOutWhatIsNotAskedFor(wanted, got);
  SpellTexts(wanted);
  SpellForms(wanted, got);
  return Differences(wanted, got, kMostDifferences);
}

}  // namespace

std::string TextOf(const json::value& value) {
  if (const auto* text = value.if_string()) return std::string(std::string_view(*text));
  std::string out;
  if (const auto* list = value.if_array()) {
    for (const auto& part : *list) out += TextOf(part);
  } else if (const auto* coded = value.is_object() ? value.get_object().if_contains("base64") : nullptr) {
    const auto bytes = FromBase64(coded->as_string());
    if (!bytes) throw std::runtime_error("not base64: " + std::string(std::string_view(coded->get_string())));
    out = *bytes;
  } else if (const auto* object = value.if_object()) {
    const std::string unit(std::string_view(object->at("repeat").as_string()));
    for (std::int64_t i = 0; i < object->at("times").as_int64(); ++i) out += unit;
  }
  return out;
}

std::string Member(const json::object& object, std::string_view key, std::string_view otherwise) {
  const auto* value = object.if_contains(key);
  return value && !value->is_null() ? TextOf(*value) : std::string(otherwise);
}

Message MessageOf(const json::object& object) {
  const auto pairs = [&](const char* key) {
    std::vector<std::pair<std::string, std::string>> list;
    if (const auto* given = object.if_contains(key)) {
      for (const auto& pair : given->as_array()) {
        list.emplace_back(TextOf(pair.as_array().at(0)), TextOf(pair.as_array().at(1)));
      }
    }
    return list;
  };
  Message message;
  message.title = Member(object, "title");
  message.severity = SeverityOf(Member(object, "severity"));
  message.text = Member(object, "text");
  message.transcript = Member(object, "transcript");
  for (auto& [name, value] : pairs("fields")) message.fields.push_back({std::move(name), std::move(value)});
  for (auto& [name, value] : pairs("links")) message.links.push_back({std::move(name), std::move(value)});
  if (const auto at = Member(object, "at"); !at.empty()) message.at = ParseTime(at);
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

Result<json::object> RunCase(Sink& sink, const json::object& given) {
  try {
    if (auto problem = NotOfACase(given); !problem.empty()) return Error{ErrorCode::kInvalid, std::move(problem)};
    return Run(sink, given);
  } catch (const std::exception& failed) {
    return Error{ErrorCode::kInvalid, failed.what()};
  }
}

namespace {

// null, and why, if it is not JSON.
json::value ReadCase(const fs::path& file, std::string& why) {
  std::stringstream text;
  text << std::ifstream(file).rdbuf();
  boost::system::error_code not_json;
  json::value read = json::parse(text.str(), not_json);
  why = not_json ? not_json.message() : "it is something else";
  return read;
}

}  // namespace

CaseVerdict CheckCase(const fs::path& file, bool update, const MakeSink& make) {
  CaseVerdict verdict{file.stem(), ""};
  const auto failed = [&](std::string problem) {
    verdict.problem = std::move(problem);
    return verdict;
  };
  std::string why;
  json::value read = ReadCase(file, why);
  auto* root = read.if_object();
  if (!root) return failed("it is not a JSON object: " + why);
  const auto* config = root->if_contains("config");
  auto sink = make(config ? config->if_object() : nullptr);
  if (!sink) return failed(sink.error().message);
  auto came_out = RunCase(**sink, *root);
  if (!came_out) return failed(came_out.error().message);
  std::string differs;
  for (const char* key : {"request", "outcome", "steps"}) {
    const auto *wanted = root->if_contains(key), *got = came_out->if_contains(key);
    if (!wanted && !got) continue;
    if (wanted && got && Compare(*wanted, *got).empty()) continue;
    const auto line = [&](const std::string& at, const std::string& was, const std::string& is) {
      differs += (differs.empty() ? "" : "\n        ") + at +
                 (update ? ": was " + was + ", is " + is : ": should be " + was + "\n          and is " + is);
    };
    if (!wanted || !got) {
      line(key, wanted ? ToText(*wanted) : "nothing", got ? ToText(*got) : "nothing");
    } else {
      for (const auto& one : Compare(*wanted, *got)) line(key + one.at, one.wanted, one.got);
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

namespace {

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
