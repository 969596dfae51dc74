#include "tests/sources/mapped.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

#include "core/config/loader.h"
#include "core/config/platforms.h"
#include "core/sources/mapping/mapped_source.h"
#include "tests/config/memory_environment.h"

namespace hookswitch::test {
namespace {

namespace fs = std::filesystem;

const fs::path kTop = HSW_SOURCE_DIR;

std::string Indented(const std::string& text, const std::string& by) {
  std::istringstream lines(text);
  std::string out;
  for (std::string line; std::getline(lines, line);) out += by + line + '\n';
  return out;
}

std::shared_ptr<const Source> Mapped(std::shared_ptr<const config::Mapping> mapping, const std::string& type) {
  auto agents = std::make_shared<AgentMap>();
  (*agents)["agent-known"] = {"billing-eu", {"billing"}};
  return std::make_shared<MappedSource>(MappedSource::Names{type, "Title", type, "USD"}, std::move(mapping), agents);
}

GoldenCase ReadCase(const fs::path& body) {
  GoldenCase one;
  one.folder = body.parent_path();
  one.type = one.folder.filename();
  one.name = body.stem();
  one.body = ReadFile(body);
  if (fs::exists(one.File(".headers"))) one.headers = ParseHeaderLines(ReadFile(one.File(".headers")));
  // An editor ends a file with a line break, which no form has.
  while (body.extension() == ".form" && one.body.ends_with('\n') && !one.body.starts_with("--")) one.body.pop_back();
  return one;
}

}  // namespace

std::string ReadFile(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

std::shared_ptr<const config::Mapping> MappingFrom(const std::string& map) {
  config::MemoryEnvironment memory;
  memory.files["router.yaml"] = "sources:\n  x:\n    type: json\n    path: /x\n    allow_ips: [192.0.2.1]\n    map:\n" +
                                Indented(map, "      ") + "sinks: {ops: {plugin: slack}}\n";
  const auto loaded = config::Load("router.yaml", memory.Get());
  EXPECT_TRUE(loaded.config) << config::AllText(loaded.problems) << map;
  if (!loaded.config) return std::make_shared<config::Mapping>();
  return loaded.config->sources.at(0).map;
}

std::shared_ptr<const Source> SourceFrom(const std::string& map, const std::string& type) {
  return Mapped(MappingFrom(map), type);
}

std::vector<GoldenCase> GoldenCases() {
  std::vector<GoldenCase> cases;
  for (const auto& folder : fs::directory_iterator(kTop / "tests/golden/sources")) {
    if (folder.path().filename() == "bolna") continue;
    for (const auto& entry : fs::directory_iterator(folder)) {
      const fs::path& path = entry.path();
      const bool is_body =
          path.extension() == ".form" || (path.extension() == ".json" && path.stem().extension().empty());
      if (is_body) cases.push_back(ReadCase(path));
    }
  }
  std::ranges::sort(cases, {}, [](const GoldenCase& one) { return one.type + '/' + one.name; });
  return cases;
}

std::shared_ptr<const config::Mapping> MappingOf(const GoldenCase& one) {
  if (one.type == "json") return MappingFrom(ReadFile(one.File(".map.yaml")));
  static std::map<std::string, std::shared_ptr<const config::Mapping>> pages;
  auto& known = pages[one.type];
  if (known) return known;
  config::Problems problems;
  const auto page =
      config::ReadPlatform(one.type, ReadFile(kTop / "core/sources/platforms" / (one.type + ".yaml")), problems);
  EXPECT_TRUE(page) << config::AllText(problems);
  return known = page ? page->map : std::make_shared<const config::Mapping>();
}

std::shared_ptr<const Source> SourceOf(const GoldenCase& one) {
  return Mapped(MappingOf(one), one.type);
}

std::pair<std::string, json::object> Says(const Source& source, const RawRequest& request) {
  const auto result = source.Normalize(request);
  if (const auto* refusal = std::get_if<Refusal>(&result)) {
    return {"refusal", {{"status", refusal->http_status}, {"error", refusal->error}, {"detail", refusal->detail}}};
  }
  const auto& normalized = std::get<Normalized>(result);
  if (const auto* aside = std::get_if<NotACall>(&normalized.what)) {
    return {"aside", {{"dedup_key", normalized.dedup_key}, {"why", aside->why}}};
  }
  const json::value event = json::parse(ToJson(std::get<CallEvent>(normalized.what)));
  return {"event", {{"dedup_key", normalized.dedup_key}, {"event", event}}};
}

}  // namespace hookswitch::test
