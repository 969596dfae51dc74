// Each file of tests/golden/sinks/<sink> is a case (core/conformance/cases.h). With HSW_GOLDEN_UPDATE set, what came
// out is written into the files, to be read as a diff.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "core/conformance/cases.h"
#include "tests/sinks/load_sink.h"

namespace hookswitch {
namespace {

namespace fs = std::filesystem;

const fs::path kFolder = std::string(HSW_SOURCE_DIR) + "/tests/golden/sinks";

class SinkGolden : public testing::TestWithParam<std::string> {};

TEST_P(SinkGolden, SaysWhatTheFileSays) {
  const bool update = std::getenv("HSW_GOLDEN_UPDATE") != nullptr;
  const auto verdict = conformance::CheckCase(kFolder / (GetParam() + ".json"), update, [](const json::object* config) {
    return test::LoadSink(fs::path(GetParam()).parent_path(), config ? json::serialize(*config) : "{}");
  });
  EXPECT_EQ(verdict.problem, "");
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
