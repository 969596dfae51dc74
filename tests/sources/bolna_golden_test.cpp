// Every tests/golden/sources/bolna/<case>.json is a request body. Beside it stands what it must become, as JSON:
//   <case>.event.json       {"dedup_key": …, "event": …}, the event as CONTRACT writes it
//   <case>.aside.json       {"dedup_key": …, "why": …}, for what is no step of a call
//   <case>.refusal.json     {"status": …, "error": …, "detail": …}
// and, if it needs another than config.json, <case>.config.json. With HSW_GOLDEN_OUT=<folder>, what the source says now
// is written there under these names: read it against Bolna's documents before it becomes an expectation.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "core/base/json.h"
#include "core/base/time_text.h"
#include "core/sources/source.h"

namespace hookswitch {
namespace {

namespace fs = std::filesystem;

const fs::path kFolder = fs::path(HSW_SOURCE_DIR) / "tests/golden/sources/bolna";

std::string ReadFile(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string TextOf(const json::value& value) {
  const auto& text = value.as_string();
  return {text.data(), text.size()};
}

std::shared_ptr<const Source> SourceFrom(const json::value& file) {
  config::Source config;
  config.type = "bolna";
  config.name = TextOf(file.at("name"));
  config.title = TextOf(file.at("title"));
  config.currency = TextOf(file.at("currency"));
  auto agents = std::make_shared<AgentMap>();
  for (const auto& [id, agent] : file.at("agents").as_object()) {
    auto& entry = (*agents)[std::string(id.data(), id.size())];
    entry.name = TextOf(agent.at("name"));
    for (const auto& tag : agent.at("tags").as_array()) entry.tags.push_back(TextOf(tag));
  }
  return MakeSource(config, agents);
}

struct Actual {
  std::string extension;  // of the file that must say so
  json::value says;
};

Actual Read(const Source& source, const std::string& body) {
  const RawRequest request{body, {}, *ParseTime("2026-03-04T09:02:03.114Z")};
  auto result = source.Normalize(request);
  if (const auto* refusal = std::get_if<Refusal>(&result)) {
    return {".refusal.json",
            {{"status", refusal->http_status}, {"error", refusal->error}, {"detail", refusal->detail}}};
  }
  const auto& normalized = std::get<Normalized>(result);
  if (const auto* aside = std::get_if<NotACall>(&normalized.what)) {
    return {".aside.json", {{"dedup_key", normalized.dedup_key}, {"why", aside->why}}};
  }
  return {".event.json",
          {{"dedup_key", normalized.dedup_key}, {"event", json::parse(ToJson(std::get<CallEvent>(normalized.what)))}}};
}

bool IsBody(const fs::path& path) {
  return path.extension() == ".json" && path.stem().extension().empty() && path.stem() != "config";
}

TEST(BolnaGolden, EveryPayloadBecomesWhatIsWrittenBesideIt) {
  const char* out = std::getenv("HSW_GOLDEN_OUT");
  std::vector<fs::path> bodies;
  for (const auto& entry : fs::directory_iterator(kFolder)) {
    if (IsBody(entry.path())) bodies.push_back(entry.path());
  }
  std::sort(bodies.begin(), bodies.end());
  ASSERT_FALSE(bodies.empty());
  for (const auto& body : bodies) {
    const std::string name = body.stem().string();
    SCOPED_TRACE(name);
    fs::path config = kFolder / (name + ".config.json");
    if (!fs::exists(config)) config = kFolder / "config.json";
    const Actual actual = Read(*SourceFrom(json::parse(ReadFile(config))), ReadFile(body));
    const std::string shown = ToText(actual.says, 2);
    if (out) std::ofstream(fs::path(out) / (name + actual.extension)) << shown << "\n";
    const fs::path expected = kFolder / (name + actual.extension);
    if (!fs::exists(expected)) {
      ADD_FAILURE() << "no " << expected.filename() << ", but the source says\n" << shown;
      continue;
    }
    EXPECT_TRUE(json::parse(ReadFile(expected)) == actual.says) << "the source says\n" << shown;
  }
}

TEST(BolnaGolden, EveryExpectationHasItsPayload) {
  for (const auto& entry : fs::directory_iterator(kFolder)) {
    const std::string name = entry.path().filename().string();
    if (name == "config.json") continue;
    const fs::path body = kFolder / (name.substr(0, name.find('.')) + ".json");
    EXPECT_TRUE(fs::exists(body)) << name;
  }
}

TEST(BolnaGolden, TheSameBytesGiveTheSameResult) {
  for (const auto& entry : fs::directory_iterator(kFolder)) {
    if (!IsBody(entry.path())) continue;
    const auto source = SourceFrom(json::parse(ReadFile(kFolder / "config.json")));
    const std::string body = ReadFile(entry.path());
    const Actual first = Read(*source, body), second = Read(*source, body);
    EXPECT_EQ(ToText(first.says), ToText(second.says)) << entry.path();
  }
}

}  // namespace
}  // namespace hookswitch
