// core/admin/openapi.json against the code: its operations, what they take, who may use them, and every status.
#include "tests/admin/api_document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <set>
#include <sstream>

#include "core/admin/live_stream.h"
#include "tests/admin/admin_fixture.h"
#include "tests/admin/schema_rules.h"

namespace hookswitch {
namespace {

using testing::IsEmpty;

// Statuses that no test of this program can see, each with the reason.
const std::map<std::string, std::string> kUnseen = {};

/// "/api/v1/sinks/{+name}/pause" as the document writes it.
std::string AsDocumented(std::string_view pattern) {
  std::string path(pattern);
  if (const auto plus = path.find("{+"); plus != std::string::npos) path.erase(plus + 1, 1);
  return path;
}

std::string_view NameOf(Access access) {
  switch (access) {
    case Access::kPublic: return "public";
    case Access::kProbe: return "probe";
    case Access::kAnyRight: return "any";
    case Access::kMetrics: return "metrics";
    case Access::kRead: return "read";
    case Access::kChange: return "change";
  }
  Unreachable();
}

/// Every schema of the document that stands below `value`, with its place.
void ForEachSchema(const json::value& value, const std::string& at,
                   const std::function<void(const std::string&, const json::object&)>& visit) {
  if (const auto* list = value.if_array()) {
    for (std::size_t i = 0; i < list->size(); ++i) ForEachSchema((*list)[i], at + '/' + std::to_string(i), visit);
  } else if (const auto* object = value.if_object()) {
    visit(at, *object);
    for (const auto& [key, inner] : *object) ForEachSchema(inner, at + '/' + std::string(key), visit);
  }
}

class ApiDocumentTest : public AdminApiFixture {
 protected:
  ApiDocumentTest() {
    router_.lanes.resize(1);
    router_.lanes[0].sink = "ops";
    router_.config->sources.emplace_back().name = "bolna";
    rows_.AddDelivery(1, DeliveryState::kDead);
  }
  /// A path of the operation, with names that exist for its placeholders.
  std::string PathOf(const DocumentedOperation& operation) {
    std::string path = operation.path;
    const auto open = path.find('{');
    if (open == std::string::npos) return path;
    const std::string name = path.starts_with("/api/v1/sinks")    ? "ops"
                             : path.starts_with("/api/v1/calls")  ? rows_.events[1].call_id
                             : path.starts_with("/api/v1/events") ? rows_.events[1].id
                             : path.starts_with("/page")          ? "index.html"
                                                                  : "d-1";
    return path.replace(open, path.find('}') - open + 1, name);
  }
  /// A body that the operation can work with.
  std::string MinimalBody(const DocumentedOperation& operation) {
    if (operation.path == "/api/v1/explain") return R"({"event": ")" + rows_.events[1].id + R"("})";
    return BodyOf(operation) ? R"({"all": true})" : "";
  }
  /// What a refusal lists: "… is not known here; there is agent, status".
  static std::set<std::string> NamesIn(const Answer& answer) {
    const std::string detail(Json(answer).at("detail").as_string());
    std::set<std::string> names;
    const auto list = detail.find("there is ");
    EXPECT_NE(list, std::string::npos) << detail;
    if (list == std::string::npos) return names;
    std::istringstream words(detail.substr(list + 9));
    for (std::string word; words >> word;) names.insert(word.ends_with(',') ? word.substr(0, word.size() - 1) : word);
    return names;
  }
  static std::string_view Needs(const DocumentedOperation& operation) {
    return operation.what->at("x-needs").as_string();
  }
};

TEST_F(ApiDocumentTest, NamesEveryOperationAndItsRightAndNoOther) {
  std::set<std::string> documented;
  for (const auto& operation : DocumentedOperations()) {
    documented.insert(operation.method + ' ' + operation.path + ' ' + std::string(Needs(operation)));
  }
  for (const AdminRoute& route : api_.routes().all()) {
    const std::string served =
        std::string(route.method) + ' ' + AsDocumented(route.pattern) + ' ' + std::string(NameOf(route.needs));
    EXPECT_EQ(documented.erase(served), 1u) << served << " is not documented";
  }
  EXPECT_THAT(documented, IsEmpty()) << "is documented, but not served";
}

TEST_F(ApiDocumentTest, IsServed) {
  const Answer answer = Ask("GET", "/api/v1/openapi.json");
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(json::parse(answer.body, {}, DeepEnoughForConfigs()) == ApiDocument());
}

TEST_F(ApiDocumentTest, LeavesNothingOpenAndHasNothingThatIsNotUsed) {
  std::set<std::string> used;
  const SchemaRules rules(ApiDocument());
  ForEachSchema(ApiDocument(), "", [&](const std::string& at, const json::object& schema) {
    if (const auto* reference = schema.if_contains("$ref")) {
      used.emplace(reference->as_string());
      EXPECT_NE(rules.Find(reference->as_string()), nullptr) << at;
    }
    const auto* type = schema.if_contains("type");
    const bool is_object = type && (*type == "object" || *type == json::array{"object", "null"});
    // What is in the document itself, OpenAPI says.
    if (is_object && at.find("/openapi.json/") == std::string::npos) {
      EXPECT_TRUE(schema.contains("additionalProperties")) << at;
    }
    EXPECT_TRUE(!type || *type != "array" || schema.contains("items")) << at;
  });
  for (const char* kind : {"schemas", "parameters", "responses"}) {
    for (const auto& [name, what] : ApiDocument().at("components").at(kind).as_object()) {
      EXPECT_TRUE(used.contains("#/components/" + std::string(kind) + '/' + std::string(name))) << name;
    }
  }
}

TEST_F(ApiDocumentTest, EveryParameterIsTakenAndNoOther) {
  for (const auto& operation : DocumentedOperations()) {
    const auto parameters = QueryOf(operation);
    // Those of the stream are read by LiveStream, which is not asked here.
    if (!operation.path.starts_with("/api/") || operation.path == LiveStream::kPath) continue;
    const Answer refused = Ask(operation.method, PathOf(operation) + "?zzzzqqq=1");
    EXPECT_EQ(refused.status, 400) << operation.path;
    if (parameters.empty()) continue;
    std::set<std::string> documented;
    for (const json::object* parameter : parameters) {
      const std::string name(parameter->at("name").as_string());
      const json::value& example = parameter->at("example");
      documented.insert(name);
      const std::string value = example.is_string() ? std::string(example.as_string()) : ToText(example);
      const Answer answer =
          Ask(operation.method, PathOf(operation) + '?' + name + '=' + value, {}, MinimalBody(operation));
      EXPECT_TRUE(answer.status != 400 || answer.body.find("unknown_name") != std::string::npos)
          << operation.path << ' ' << name << answer.body;
    }
    EXPECT_EQ(NamesIn(refused), documented) << operation.path;
  }
}

TEST_F(ApiDocumentTest, EveryKeyOfABodyIsTakenAndNoOther) {
  for (const auto& operation : DocumentedOperations()) {
    if (!operation.path.starts_with("/api/") || operation.method == "GET") continue;
    const Answer refused = Ask(operation.method, PathOf(operation), {}, R"({"zzzzqqq": 1})");
    EXPECT_EQ(refused.status, 400) << operation.path;
    const json::value* schema = BodyOf(operation);
    if (!schema) continue;
    std::set<std::string> documented;
    for (const auto& [name, what] : Resolved(*schema).at("properties").as_object()) documented.emplace(name);
    EXPECT_EQ(NamesIn(refused), documented) << operation.path;
  }
}

TEST_F(ApiDocumentTest, EveryOperationAsksForItsRight) {
  config::Admin admin;
  admin.tokens = {{"ana", Secret("of-ana"), Caller::Right::kChange},
                  {"page", Secret("of-page"), Caller::Right::kRead},
                  {"prometheus", Secret("of-prometheus"), Caller::Right::kMetrics}};
  guard_.Use(admin);
  for (const auto& operation : DocumentedOperations()) {
    const std::string_view needs = Needs(operation);
    const bool is_open = needs == "public" || needs == "probe";
    EXPECT_EQ(Ask(operation.method, PathOf(operation)).status == 401, !is_open) << operation.path;
    EXPECT_EQ(Ask(operation.method, PathOf(operation), Bearer("a-guess")).status == 401, needs != "public");
    EXPECT_EQ(Ask(operation.method, PathOf(operation), Bearer("of-prometheus")).status == 403,
              needs == "read" || needs == "change")
        << operation.path;
    EXPECT_EQ(Ask(operation.method, PathOf(operation), Bearer("of-page")).status == 403, needs == "change")
        << operation.path;
    EXPECT_NE(Ask(operation.method, PathOf(operation), Bearer("of-ana")).status, 403) << operation.path;
  }
  guard_.Use({});
  for (const auto& operation : DocumentedOperations()) {
    const Headers through_a_proxy{{"X-Forwarded-For", "192.0.2.7"}};
    const std::string_view needs = Needs(operation);
    EXPECT_EQ(Ask(operation.method, PathOf(operation), through_a_proxy).status == 403,
              needs != "public" && needs != "probe")
        << operation.path;
  }
}

TEST_F(ApiDocumentTest, AJournalThatFailsIsSaidByEveryOperationThatReadsIt) {
  for (const auto& [code, status] : {std::pair{ErrorCode::kUnavailable, "503"}, {ErrorCode::kInternal, "500"}}) {
    rows_.on_read = rows_.on_change = [code = code] { return Error{code, "the disk is gone"}; };
    for (const auto& operation : DocumentedOperations()) {
      if (!operation.what->at("responses").as_object().contains(status)) continue;
      if (operation.what->at("tags") != json::array{"history"}) continue;
      const Answer answer = Ask(operation.method, PathOf(operation), {}, MinimalBody(operation));
      EXPECT_EQ(std::to_string(answer.status), status) << operation.path << answer.body;
    }
  }
}

TEST(ApiDocument, EnumsHaveTheValuesOfTheCode) {
  const auto expect = [](const char* name, const json::value& schema, auto last) {
    json::array values;
    using Enum = decltype(last);
    for (int i = 0; i <= static_cast<int>(last); ++i) values.emplace_back(ToString(static_cast<Enum>(i)));
    EXPECT_EQ(schema.at("enum"), json::value(values)) << name;
  };
  const json::value& schemas = ApiDocument().at("components").at("schemas");
  const auto property = [&](const char* schema, const char* name) -> const json::value& {
    return schemas.at(schema).at("properties").at(name);
  };
  expect("CallStatus", schemas.at("CallStatus"), CallStatus::kUnknown);
  expect("DeliveryState", schemas.at("DeliveryState"), DeliveryState::kFellBack);
  expect("Right", schemas.at("Right"), Caller::Right::kChange);
  expect("trigger", property("Attempt", "trigger"), Trigger::kManual);
  expect("outcome", property("Attempt", "outcome"), Outcome::Kind::kNext);
  expect("Sink", property("Sink", "state"), LaneStatus::State::kRemoved);
  expect("role", property("Turn", "role"), Role::kTool);
}

/// At the end of all tests: every documented status was seen by one of them.
class EveryStatusIsSeen final : public testing::Environment {
 public:
  void TearDown() override {
    const auto& all = *testing::UnitTest::GetInstance();
    if (all.test_to_run_count() + all.disabled_test_count() < all.total_test_count()) return;
    const auto seen = SeenStatuses();
    for (const auto& operation : DocumentedOperations()) {
      for (const auto& [status, what] : operation.what->at("responses").as_object()) {
        const std::string one = operation.method + ' ' + operation.path + ' ' + std::string(status);
        EXPECT_NE(seen.contains(one), kUnseen.contains(one)) << one << " is documented, but no test has seen it";
      }
    }
  }
};
[[maybe_unused]] const auto* const kEveryStatusIsSeen = testing::AddGlobalTestEnvironment(new EveryStatusIsSeen);

}  // namespace
}  // namespace hookswitch
