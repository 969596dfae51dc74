#include "core/cli/mcp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "core/cli/mcp_tools.h"

namespace hookswitch::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class McpTest : public testing::Test {
 protected:
  McpServer Server(bool allow_changes = false, bool show_bodies = false) {
    return McpServer({allow_changes, show_bodies},
                     [this](const std::string& method, const std::string& target, std::string body) -> Result<Reply> {
                       asked_.push_back(method + ' ' + target + (body.empty() ? "" : ' ' + body));
                       return reply_;
                     });
  }
  /// The result of a call, or its error's message as a text.
  static json::value Call(McpServer& server, const std::string& tool, const std::string& arguments = "{}") {
    const auto answer = server.Handle(R"({"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":")" + tool +
                                      R"(","arguments":)" + arguments + "}}");
    const json::object told = json::parse(*answer).as_object();
    EXPECT_EQ(told.at("id"), 7);
    return told.contains("error") ? told.at("error").at("message") : told.at("result");
  }
  static std::string TextOf(const json::value& result) {
    return std::string(result.at("content").at(0).at("text").as_string());
  }

  std::vector<std::string> asked_;
  Result<Reply> reply_ = Reply{200, {{"ok", true}}};
};

TEST_F(McpTest, AClientIsGreetedInTheVersionThatItSpeaks) {
  McpServer server = Server();
  const auto version = [&](const std::string& wanted) {
    const auto answer = server.Handle(
        R"({"jsonrpc":"2.0","id":"a","method":"initialize","params":{"protocolVersion":")" + wanted + "\"}}");
    const json::value told = json::parse(*answer);
    EXPECT_EQ(told.at("id"), "a");
    EXPECT_EQ(told.at("result").at("serverInfo").at("name"), "hookswitch");
    EXPECT_TRUE(told.at("result").at("capabilities").as_object().contains("tools"));
    return std::string(told.at("result").at("protocolVersion").as_string());
  };
  EXPECT_EQ(version("2024-11-05"), "2024-11-05");
  EXPECT_EQ(version("2025-06-18"), "2025-06-18");
  EXPECT_EQ(version("2099-01-01"), "2025-06-18") << "the newest that is known here";
  EXPECT_FALSE(server.Handle(R"({"jsonrpc":"2.0","method":"notifications/initialized"})"));
  EXPECT_EQ(*server.Handle(R"({"jsonrpc":"2.0","id":2,"method":"ping"})"), R"({"jsonrpc":"2.0","id":2,"result":{}})");
}

TEST_F(McpTest, WhatIsNoRequestIsToldSo) {
  McpServer server = Server();
  const auto code = [&](std::string_view line) { return json::parse(*server.Handle(line)).at("error").at("code"); };
  EXPECT_EQ(code("{"), -32700);
  EXPECT_EQ(code("\xff"), -32700);
  EXPECT_EQ(code(std::string(200, '[')), -32700);
  EXPECT_EQ(code("[]"), -32600);
  EXPECT_EQ(code(R"({"id":1,"method":5})"), -32600);
  EXPECT_EQ(code(std::string((4 << 20) + 1, ' ')), -32600);
  EXPECT_EQ(code(R"({"jsonrpc":"2.0","id":1,"method":"resources/list"})"), -32601);
  EXPECT_EQ(code(R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":[]})"), -32602);
  EXPECT_FALSE(server.Handle(R"({"jsonrpc":"2.0","id":1,"result":{}})"));
  EXPECT_THAT(asked_, testing::IsEmpty());
}

TEST_F(McpTest, AToolAsksTheRouterForWhatItsArgumentsSay) {
  McpServer server = Server();
  reply_ = Reply{200, {{"events", json::array()}}};
  const json::value result = Call(server, "list_events", R"({"search": "status:failed \"late fee\"", "limit": 5})");
  EXPECT_EQ(result.at("isError"), false);
  EXPECT_EQ(TextOf(result), R"({"events":[]})");
  (void)Call(server, "show_call", R"({"call_id": "a/b"})");
  (void)Call(server, "explain", R"({"body": "{}", "messages": true})");
  EXPECT_THAT(asked_, ElementsAre("GET /api/v1/events?search=status%3Afailed%20%22late%20fee%22&limit=5",
                                  "GET /api/v1/calls/a%2Fb",
                                  R"(POST /api/v1/explain?mask=true {"body":"{}","messages":true})"));
}

TEST_F(McpTest, WrongArgumentsAreNamedAndNothingIsAsked) {
  McpServer server = Server();
  const auto why = [&](const char* tool, const char* arguments) {
    return std::string(Call(server, tool, arguments).as_string());
  };
  EXPECT_THAT(why("list_evnts", "{}"), HasSubstr("list_evnts"));
  EXPECT_THAT(why("show_event", "{}"), HasSubstr("\"id\" is missing"));
  EXPECT_THAT(why("show_event", R"({"id": 5})"), HasSubstr("\"id\" is no string"));
  EXPECT_THAT(why("list_events", R"({"limit": -1})"), HasSubstr("\"limit\" is no integer"));
  EXPECT_THAT(why("list_events", R"({"agnet": "x"})"), HasSubstr("there is search, agent,"));
  EXPECT_THAT(why("status", R"({"x": 1})"), HasSubstr("is not known"));
  EXPECT_THAT(asked_, testing::IsEmpty());
}

TEST_F(McpTest, WhatCallersSaidIsWithheldUnlessAskedFor) {
  McpServer masked = Server();
  (void)Call(masked, "show_event", R"({"id": "01J"})");
  McpServer shown = Server(false, true);
  (void)Call(shown, "show_event", R"({"id": "01J"})");
  EXPECT_THAT(asked_, ElementsAre("GET /api/v1/events/01J?mask=true", "GET /api/v1/events/01J"));
}

TEST_F(McpTest, ChangesAreThereOnlyWhereTheyAreAllowed) {
  McpServer reads = Server();
  const auto tools = [](McpServer& server) {
    std::set<std::string> names;
    const json::value told = json::parse(*server.Handle(R"({"jsonrpc":"2.0","id":1,"method":"tools/list"})"));
    for (const auto& tool : told.at("result").at("tools").as_array()) {
      EXPECT_EQ(tool.at("inputSchema").at("type"), "object");
      names.emplace(tool.at("name").as_string());
    }
    return names;
  };
  EXPECT_FALSE(tools(reads).contains("pause_sink"));
  EXPECT_TRUE(tools(reads).contains("show_event"));
  EXPECT_THAT(std::string(Call(reads, "pause_sink", R"({"name": "ops"})").as_string()), HasSubstr("--allow-changes"));
  EXPECT_THAT(asked_, testing::IsEmpty());
  McpServer changes = Server(true);
  EXPECT_TRUE(tools(changes).contains("pause_sink"));
  (void)Call(changes, "pause_sink", R"({"name": "ops", "until": "2h"})");
  EXPECT_THAT(asked_, ElementsAre(R"(POST /api/v1/sinks/ops/pause {"until":"2h"})"));
}

TEST_F(McpTest, AChangeByFilterIsCountedFirstAndDoneOnlyForThatNumber) {
  McpServer server = Server(true);
  reply_ = Reply{200, {{"ok", true}, {"dry_run", true}, {"matched", 12}}};
  EXPECT_EQ(Call(server, "purge_deliveries", R"({"sink": "ops"})").at("isError"), false);
  const std::string dry = R"(POST /api/v1/deliveries/purge {"sink":"ops","dry_run":true})";
  EXPECT_THAT(asked_, ElementsAre(dry));
  const json::value other = Call(server, "purge_deliveries", R"({"sink": "ops", "confirm": 11})");
  EXPECT_EQ(other.at("isError"), true);
  EXPECT_THAT(TextOf(other), HasSubstr("12 match now"));
  EXPECT_THAT(asked_, ElementsAre(dry, dry));
  (void)Call(server, "purge_deliveries", R"({"sink": "ops", "confirm": 12})");
  EXPECT_THAT(asked_, ElementsAre(dry, dry, dry, R"(POST /api/v1/deliveries/purge {"sink":"ops","dry_run":false})"));
}

TEST_F(McpTest, WhatTheRouterRefusesIsAResultThatSaysWhy) {
  McpServer server = Server();
  reply_ = Reply{404, {{"ok", false}, {"detail", "no event has that id"}}};
  const json::value refused = Call(server, "show_event", R"({"id": "01J"})");
  EXPECT_EQ(refused.at("isError"), true);
  EXPECT_THAT(TextOf(refused), HasSubstr("no event has that id"));
  reply_ = Error{ErrorCode::kUnavailable, "no answer from unix:/x"};
  const json::value gone = Call(server, "status");
  EXPECT_EQ(gone.at("isError"), true);
  EXPECT_EQ(TextOf(gone), "no answer from unix:/x");
}

TEST(McpTools, EachIsAnOperationOfTheDocumentedApiWithItsParameters) {
  std::ifstream file(HSW_SOURCE_DIR "/core/admin/openapi.json");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const json::value api = json::parse(text, {}, DeepEnoughForConfigs());
  const auto resolved = [&](const json::value& value) -> const json::value& {
    const json::value* reference = value.as_object().if_contains("$ref");
    if (!reference) return value;
    return api.at_pointer(std::string_view(reference->as_string()).substr(1));
  };
  for (const McpTool& tool : McpTools()) {
    const json::value* path = api.at("paths").as_object().if_contains(tool.path);
    ASSERT_NE(path, nullptr) << tool.path;
    const char* method = std::string_view(tool.method) == "GET" ? "get" : "post";
    const json::value* operation = path->as_object().if_contains(method);
    ASSERT_NE(operation, nullptr) << tool.path;
    EXPECT_EQ(operation->at("x-needs") == "change", tool.is_change) << tool.name;
    std::set<std::string> known;
    if (const json::value* parameters = operation->as_object().if_contains("parameters")) {
      for (const auto& parameter : parameters->as_array()) known.emplace(resolved(parameter).at("name").as_string());
    }
    if (operation->as_object().contains("requestBody")) {
      const json::value& schema =
          resolved(operation->at("requestBody").at("content").at("application/json").at("schema"));
      for (const auto& [name, what] : schema.at("properties").as_object()) known.emplace(name);
    }
    EXPECT_EQ(known.contains("mask"), tool.has_bodies) << tool.name;
    EXPECT_EQ(known.contains("dry_run"), tool.is_bulk) << tool.name;
    for (const auto& parameter : tool.parameters) {
      EXPECT_TRUE(known.contains(parameter.name) || parameter.name == kConfirm) << tool.name << ' ' << parameter.name;
    }
  }
}

}  // namespace
}  // namespace hookswitch::cli
