// Each file of tests/golden/sinks/<sink> is a case: an event with its message and the request they must become, or an
// answer and the outcome it must become; or, for a delivery of several requests, its steps: each an answer, with the
// request before it and the outcome behind it. With HSW_GOLDEN_UPDATE set, what came out is written into the files, to
// be read as a diff.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/base/json.h"
#include "core/base/time_text.h"
#include "tests/message/event_from_json.h"
#include "tests/sinks/golden_text.h"
#include "tests/sinks/load_sink.h"

namespace hookswitch {
namespace {

namespace fs = std::filesystem;

const fs::path kFolder = std::string(HSW_SOURCE_DIR) + "/tests/golden/sinks";

/// A body or header value of a case; what is JSON in the file is a JSON text.
std::string BodyOf(const json::object& object) {
  const auto* body = object.if_contains("body");
  if (!body || body->is_null()) return "";
  const bool is_text = body->is_string() || (body->is_object() && body->as_object().contains("repeat"));
  return is_text ? golden::TextOf(*body) : ToText(*body);
}

json::object ToObject(const HttpRequest& request) {
  json::object headers;
  for (const auto& [name, value] : request.headers) headers[name] = value;
  boost::system::error_code not_json;
  json::value body = json::parse(request.body, not_json);
  if (not_json) body = json::string(request.body);
  json::object object{{"method", request.method}, {"url", request.url}, {"headers", headers}, {"body", body}};
  if (request.pace) object["pace"] = request.pace->key;
  return object;
}

/// {"request": …}, or {"outcome": …} of a delivery that became none.
json::object Rendered(Sink& sink, const SinkDelivery& delivery) {
  auto made = sink.Render(delivery);
  if (const auto* request = std::get_if<HttpRequest>(&made)) return {{"request", ToObject(*request)}};
  return {{"outcome", golden::ToObject(std::get<Outcome>(made))}};
}

Outcome Interpreted(Sink& sink, const SinkDelivery& delivery, const json::object& answer) {
  HttpResponse response;
  response.status = static_cast<int>(answer.at("status").as_int64());
  response.body = BodyOf(answer);
  if (const auto* headers = answer.if_contains("headers")) {
    for (const auto& [name, value] : headers->as_object()) response.headers.emplace_back(name, golden::TextOf(value));
  }
  std::optional<std::chrono::milliseconds> retry_after;
  if (const auto* ms = answer.if_contains("retry_after_ms")) retry_after = std::chrono::milliseconds(ms->as_int64());
  return sink.Interpret(delivery, response, retry_after);
}

class SinkGolden : public testing::TestWithParam<std::string> {};

TEST_P(SinkGolden, SaysWhatTheFileSays) {
  const fs::path file = kFolder / (GetParam() + ".json");
  std::stringstream text;
  text << std::ifstream(file).rdbuf();
  json::object root = json::parse(text.str()).as_object();
  auto sink = test::LoadSink(fs::path(GetParam()).parent_path(), json::serialize(root.at("config")));
  ASSERT_TRUE(sink) << sink.error().message;

  json::object shown{{"id", "01JD0000000000000000000000"}, {"source", "bolna"}, {"status", "completed"}};
  if (const auto* given = root.if_contains("event")) {
    for (const auto& [key, value] : given->as_object()) shown[key] = value;
  }
  const CallEvent event = test::EventFromJson(shown);
  Message message;
  message.title = "Bolna call ended: completed";
  if (const auto* given = root.if_contains("message")) message = golden::MessageOf(given->as_object());
  std::string state = golden::Member(root, "state"), memory = golden::Member(root, "memory");
  std::uint32_t step = state.empty() ? 0 : 1;
  const auto delivery = [&] {
    SinkDelivery given{event, message, "d-7f", "ops", "failed-billing", 1, step, state, memory};
    if (root.contains("raw")) given.raw_body = [&root] { return golden::Member(root, "raw"); };
    if (const auto now = golden::Member(root, "now"); !now.empty()) given.now = ParseTime(now).value();
    return given;
  };

  json::object came_out;
  if (const auto* steps = root.if_contains("steps")) {
    json::array all;
    for (const auto& given : steps->as_array()) {
      json::object one = Rendered(**sink, delivery());
      one["answer"] = given.at("answer");
      const Outcome outcome = Interpreted(**sink, delivery(), given.at("answer").as_object());
      one["outcome"] = golden::ToObject(outcome);
      all.push_back(std::move(one));
      state = outcome.state;
      if (outcome.has_memory) memory = outcome.memory;
      ++step;
      if (outcome.kind != Outcome::Kind::kNext) break;
    }
    came_out["steps"] = std::move(all);
  } else {
    if (root.contains("message")) came_out = Rendered(**sink, delivery());
    if (const auto* answer = root.if_contains("answer")) {
      came_out["outcome"] = golden::ToObject(Interpreted(**sink, delivery(), answer->as_object()));
    }
  }
  ASSERT_FALSE(came_out.empty()) << "the case has no message, no answer and no steps";
  if (std::getenv("HSW_GOLDEN_UPDATE")) {
    for (const auto& [key, value] : came_out) root[key] = value;
    std::ofstream(file) << ToText(root, 2) << "\n";
  }
  for (const auto& [key, value] : came_out) {
    ASSERT_TRUE(root.contains(key)) << "the case does not say which " << key << " it wants";
    EXPECT_EQ(ToText(value, 2), ToText(root[key], 2));
  }
}

std::vector<std::string> Cases() {
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(kFolder)) {
    if (entry.path().extension() == ".json") {
      names.push_back(fs::relative(entry.path(), kFolder).replace_extension().string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

INSTANTIATE_TEST_SUITE_P(Cases, SinkGolden, testing::ValuesIn(Cases()), [](const auto& info) {
  std::string name = info.param;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == '-' || c == '/'; }, '_');
  return name;
});

}  // namespace
}  // namespace hookswitch
