// Where a source says that a field of the event is from, it is.
#include "core/sources/field_paths.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <vector>

#include "core/base/json.h"
#include "core/sources/source.h"

namespace hookswitch {
namespace {

namespace fs = std::filesystem;

const fs::path kFolder = fs::path(HSW_SOURCE_DIR) / "tests/golden/sources/bolna";

std::string ReadFile(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::shared_ptr<const Source> Bolna() {
  config::Source config;
  config.name = "bolna";
  config.type = "bolna";
  auto agents = std::make_shared<AgentMap>();
  (*agents)["9b1d2a60-7c3e-4a0e-8d5b-6f1a2c3d4e5f"] = {"billing-eu", {"billing"}};
  return MakeSource(config, agents);
}

struct ReadCall {
  json::object event;
  FieldPaths paths;
};

// Empty if the body is not a call.
std::optional<ReadCall> Read(const std::string& body) {
  ReadCall read;
  const auto result = Bolna()->Normalize({body, {}, WallTime{}, &read.paths});
  const auto* normalized = std::get_if<Normalized>(&result);
  const auto* event = normalized ? std::get_if<CallEvent>(&normalized->what) : nullptr;
  if (!event) return {};
  read.event = ToObject(*event);
  return read;
}

// "agent.id", "data.General.Outcome" in the normalized event; null if it is absent.
json::value Value(const json::object& event, const std::string& field) {
  const auto dot = field.find('.');
  const json::value* top = event.if_contains(field.substr(0, dot));
  if (!top || dot == std::string::npos) return top ? *top : json::value();
  const auto* object = top->if_object();
  const json::value* inner = object ? object->if_contains(field.substr(dot + 1)) : nullptr;
  return inner ? *inner : json::value();
}

// The fields that have a value.
std::set<std::string> Fields(const json::object& event) {
  std::set<std::string> fields;
  for (const auto& [key, value] : event) {
    const auto* object = value.if_object();
    if (!object && !value.is_null()) fields.emplace(key);
    if (!object) continue;
    for (const auto& [inner, leaf] : *object) {
      if (!leaf.is_null()) fields.insert(std::string(key) + '.' + std::string(inner));
    }
  }
  return fields;
}

// a.b, "a.b".c: the keys.
std::vector<std::string> KeysOf(std::string_view path) {
  std::vector<std::string> keys;
  while (!path.empty()) {
    auto end = path.find('.');
    if (path.front() == '"') {
      end = 1;
      while (path[end] != '"') end += path[end] == '\\' ? 2 : 1;
      ++end;
      keys.emplace_back(json::parse(path.substr(0, end)).as_string());
    } else {
      end = std::min(end, path.size());
      keys.emplace_back(path.substr(0, end));
    }
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return keys;
}

// False if nothing is there.
bool Remove(json::value& body, std::string_view path) {
  json::value* at = &body;
  std::vector<std::string> keys = KeysOf(path);
  const std::string last = keys.back();
  keys.pop_back();
  for (const std::string& key : keys) {
    auto* object = at->if_object();
    at = object ? object->if_contains(key) : nullptr;
    if (!at) return false;
  }
  return at->is_object() && at->get_object().erase(last) == 1;
}

std::vector<fs::path> Bodies() {
  std::vector<fs::path> bodies;
  for (const auto& entry : fs::directory_iterator(kFolder)) {
    const fs::path& path = entry.path();
    if (path.extension() == ".json" && path.stem().extension().empty() && path.stem() != "config") {
      bodies.push_back(path);
    }
  }
  return bodies;
}

TEST(FieldPaths, WithoutTheMemberThatItNamesAFieldIsAnotherOrFromElsewhere) {
  int checked = 0;
  for (const fs::path& file : Bodies()) {
    const std::string text = ReadFile(file);
    json::error_code error;
    const json::value body = json::parse(text, error);
    const auto read = Read(text);
    if (error || !read) continue;
    for (const auto& [field, path] : read->paths.all()) {
      SCOPED_TRACE(file.stem().string() + ": " + field + " from " + path);
      json::value less = body;
      if (!Remove(less, path)) {
        ADD_FAILURE() << "nothing is there";
        continue;
      }
      ++checked;
      const auto without = Read(json::serialize(less));
      EXPECT_TRUE(!without || Value(without->event, field) != Value(read->event, field) ||
                  without->paths.Of(field) != path);
    }
  }
  EXPECT_GT(checked, 500);
}

TEST(FieldPaths, EveryFieldThatThePayloadGaveHasOneAndNoOther) {
  const std::set<std::string> ours = {"source", "received_at", "agent.name", "agent.tags", "cost.currency"};
  for (const fs::path& file : Bodies()) {
    const auto read = Read(ReadFile(file));
    if (!read) continue;
    std::set<std::string> wanted = Fields(read->event), named;
    for (const std::string& field : ours) wanted.erase(field);
    for (const auto& [field, path] : read->paths.all()) named.insert(field);
    EXPECT_EQ(named, wanted) << file.stem();
  }
}

TEST(FieldPaths, AreWrittenAsInMappings) {
  const auto read = Read(R"({"execution": {"id": "c-1", "agent_id": "a", "telephony_data": {"from_number": "+1"},
    "extracted_data": {"Sco.re": {"objective": 7}, "Plain": "x"}, "agent_extraction": "{\"intent\": \"buy\"}",
    "my key": {"in ner": 1}}, "status": "completed"})");
  ASSERT_TRUE(read);
  const std::map<std::string, std::string, std::less<>> wanted = {
      {"call_id", "execution.id"},
      {"agent.id", "execution.agent_id"},
      {"status", "status"},
      {"raw_status", "status"},
      {"stage", "status"},
      {"from", "execution.telephony_data.from_number"},
      {"data.Sco.re", R"(execution.extracted_data."Sco.re".objective)"},
      {"data.Plain", "execution.extracted_data.Plain"},
      {"data.intent", "execution.agent_extraction"},
      {"meta.my key.in ner", R"(execution."my key"."in ner")"}};
  EXPECT_EQ(read->paths.all(), wanted);
  EXPECT_EQ(read->paths.Of("agent.name"), "");
}

TEST(FieldPaths, TheOneOfSeveralThatCountedIsNamed) {
  const auto path = [](const std::string& members, const std::string& field) {
    const auto read = Read(R"({"id": "c-1", "agent_id": "a", "status": "failed", )" + members + "}");
    return read ? std::string(read->paths.Of(field)) : "not read";
  };
  EXPECT_EQ(path(R"("conversation_duration": 0, "telephony_data": {"duration": "28"})", "duration"),
            "telephony_data.duration");
  EXPECT_EQ(path(R"("conversation_duration": 0, "conversation_time": 0)", "duration"), "conversation_duration");
  EXPECT_EQ(path(R"("error_message": "no credit")", "error"), "error_message");
  EXPECT_EQ(path(R"("telephony_data": {"hangup_reason": "busy line"})", "error"), "telephony_data.hangup_reason");
  EXPECT_EQ(path(R"("user_number": "+1")", "to"), "user_number");
  EXPECT_EQ(path(R"("user_number": "+1", "telephony_data": {"call_type": "inbound"})", "from"), "user_number");
  EXPECT_EQ(path(R"("created_at": "2026-03-04T08:48:27")", "started_at"), "created_at");
  EXPECT_EQ(path(R"("provider": "web-call")", "direction"), "provider");
}

}  // namespace
}  // namespace hookswitch
