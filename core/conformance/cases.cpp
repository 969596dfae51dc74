#include "core/conformance/cases.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "core/base/check.h"
#include "core/base/time_text.h"
#include "core/event/event_from_json.h"

namespace hookswitch::conformance {
namespace {

namespace fs = std::filesystem;

constexpr int kMostSteps = 20;

Severity SeverityOf(std::string_view name) {
  if (name == "success") return Severity::kSuccess;
  if (name == "warning") return Severity::kWarning;
  if (name == "error") return Severity::kError;
  return Severity::kInfo;
}

/// The body of an answer; what is JSON in the file is a JSON text.
std::string BodyOf(const json::object& object) {
  const auto* body = object.if_contains("body");
  if (!body || body->is_null()) return "";
  const bool is_text = body->is_string() || (body->is_object() && body->as_object().contains("repeat"));
  return is_text ? TextOf(*body) : ToText(*body);
}

json::object RequestObject(const HttpRequest& request) {
  json::object headers;
  for (const auto& [name, value] : request.headers) headers[name] = value;
  boost::system::error_code not_json;
  json::value body = json::parse(request.body, not_json);
  if (not_json) body = json::string(request.body);
  json::object object{{"method", request.method}, {"url", request.url}, {"headers", headers}, {"body", body}};
  if (request.pace) object["pace"] = request.pace->key;
  if (!request.order.empty()) object["order"] = request.order;
  return object;
}

/// {"request": …}, or {"outcome": …} of a delivery that became none.
json::object Rendered(Sink& sink, const SinkDelivery& delivery) {
  auto made = sink.Render(delivery);
  if (const auto* request = std::get_if<HttpRequest>(&made)) return {{"request", RequestObject(*request)}};
  return {{"outcome", conformance::ToObject(std::get<Outcome>(made))}};
}

Outcome Interpreted(Sink& sink, const SinkDelivery& delivery, const json::object& answer) {
  HttpResponse response;
  response.status = static_cast<int>(answer.at("status").as_int64());
  response.body = BodyOf(answer);
  if (const auto* headers = answer.if_contains("headers")) {
    for (const auto& [name, value] : headers->as_object()) response.headers.emplace_back(name, TextOf(value));
  }
  std::optional<std::chrono::milliseconds> retry_after;
  if (const auto* ms = answer.if_contains("retry_after_ms")) retry_after = std::chrono::milliseconds(ms->as_int64());
  return sink.Interpret(delivery, response, retry_after);
}

Outcome Delivered(Sink& sink, const SinkDelivery& delivery) {
  return sink.Deliver(delivery, std::chrono::seconds(10), [] { return false; });
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
  std::uint32_t step = state.empty() ? 0 : 1;
  const auto delivery = [&] {
    SinkDelivery made{*event, message, "d-7f", "ops", rule, 1, step, state, memory};
    if (given.contains("raw")) made.raw_body = [&given] { return Member(given, "raw"); };
    if (const auto now = ParseTime(Member(given, "now"))) made.now = *now;
    return made;
  };

  json::object came_out;
  if (sink.kind() == Sink::Kind::kCall) {
    came_out["outcome"] = ToObject(Delivered(sink, delivery()));
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

/// Where two texts of several lines begin to differ.
std::string FirstDifference(const std::string& wanted, const std::string& got) {
  std::istringstream a(wanted), b(got);
  std::string wanted_line, got_line;
  for (int line = 1;; ++line) {
    const bool more_a = static_cast<bool>(std::getline(a, wanted_line));
    const bool more_b = static_cast<bool>(std::getline(b, got_line));
    if (!more_a && !more_b) return "";
    if (more_a && more_b && wanted_line == got_line) continue;
    return "line " + std::to_string(line) + " of it should be\n    " + (more_a ? wanted_line : "(nothing)") +
           "\n  and is\n    " + (more_b ? got_line : "(nothing)");
  }
}

}  // namespace

std::string TextOf(const json::value& value) {
  if (const auto* text = value.if_string()) return std::string(std::string_view(*text));
  std::string out;
  if (const auto* list = value.if_array()) {
    for (const auto& part : *list) out += TextOf(part);
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
    return Run(sink, given);
  } catch (const std::exception& failed) {
    return Error{ErrorCode::kInvalid, failed.what()};
  }
}

CaseVerdict CheckCase(const fs::path& file, bool update, const MakeSink& make) {
  CaseVerdict verdict{file.stem(), ""};
  const auto failed = [&](std::string problem) {
    verdict.problem = std::move(problem);
    return verdict;
  };
  std::stringstream text;
  text << std::ifstream(file).rdbuf();
  boost::system::error_code not_json;
  json::value read = json::parse(text.str(), not_json);
  auto* root = read.if_object();
  if (not_json || !root) return failed("it is not a JSON object: " + not_json.message());
  const auto* config = root->if_contains("config");
  auto sink = make(config ? config->if_object() : nullptr);
  if (!sink) return failed(sink.error().message);
  auto came_out = RunCase(**sink, *root);
  if (!came_out) return failed(came_out.error().message);
  if (update) {
    for (const auto& [key, value] : *came_out) (*root)[key] = value;
    if (!(std::ofstream(file) << ToText(*root, 2) << "\n")) return failed("it cannot be written");
    return verdict;
  }
  for (auto& [key, value] : *came_out) {
    const auto* wanted = root->if_contains(key);
    if (!wanted) return failed("it does not say which " + std::string(key) + " it wants");
    LeaveOutWhatIsNotAskedFor(*wanted, value);
    const auto difference = FirstDifference(ToText(*wanted, 2), ToText(value, 2));
    if (!difference.empty()) return failed(std::string(key) + ": " + difference);
  }
  return verdict;
}

Result<std::vector<CaseVerdict>> CheckCases(const fs::path& folder, bool update, const MakeSink& make) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    if (entry->path().extension() == ".json") files.push_back(entry->path());
  }
  if (error) return Error{ErrorCode::kNotFound, folder.string() + " cannot be read: " + error.message()};
  if (files.empty()) return Error{ErrorCode::kNotFound, folder.string() + " holds no *.json"};
  std::sort(files.begin(), files.end());
  std::vector<CaseVerdict> verdicts;
  for (const fs::path& file : files) verdicts.push_back(CheckCase(file, update, make));
  return verdicts;
}

}  // namespace hookswitch::conformance
