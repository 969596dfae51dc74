#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "core/base/json.h"
#include "core/cli/commands.h"
#include "core/config/platforms.h"

namespace hookswitch::cli {
namespace {

using testing::HasSubstr;

TEST(SourceCommands, ListNamesEveryPlatform) {
  testing::internal::CaptureStdout();
  EXPECT_EQ(SourceList({}), kFine);
  const std::string table = testing::internal::GetCapturedStdout();
  EXPECT_THAT(table, HasSubstr("bolna"));
  Options options;
  options.format = Format::kJson;
  testing::internal::CaptureStdout();
  EXPECT_EQ(SourceList(options), kFine);
  const auto list = json::parse(testing::internal::GetCapturedStdout()).as_array();
  EXPECT_EQ(list.size(), config::Platforms().size() + 1);
  for (const config::Platform& platform : config::Platforms()) EXPECT_THAT(table, HasSubstr(platform.name));
  for (const auto& one : list) EXPECT_NE(one.at("covers").as_string(), "") << one.at("name");
}

TEST(SourceCommands, ShowPrintsThePage) {
  for (const config::Platform& platform : config::Platforms()) {
    Options options;
    options.name = platform.name;
    testing::internal::CaptureStdout();
    EXPECT_EQ(SourceShow(options), kFine);
    EXPECT_EQ(testing::internal::GetCapturedStdout(), platform.text);
  }
}

TEST(SourceCommands, ShowOfAnotherNameFails) {
  for (const char* name : {"bolna", "json", "retel"}) {
    Options options;
    options.name = name;
    testing::internal::CaptureStderr();
    EXPECT_EQ(SourceShow(options), kProblems);
    EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr(name));
  }
}

}  // namespace
}  // namespace hookswitch::cli
