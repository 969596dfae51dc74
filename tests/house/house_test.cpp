#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/house/house_rules.h"

namespace hookswitch::house {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// "file:line what", as an editor reads it.
std::vector<std::string> Told(const std::vector<Finding>& findings) {
  std::vector<std::string> told;
  for (const Finding& finding : findings) {
    told.push_back(finding.file + ":" + std::to_string(finding.line) + " " + finding.what);
  }
  return told;
}

const Tree& Here() {
  static const Tree tree = ReadTree(HSW_SOURCE_DIR);
  return tree;
}

TEST(House, TheTreeIsRead) {
  EXPECT_TRUE(Here().contains("core/base/text.h"));
  EXPECT_TRUE(Here().contains("tests/house/CMakeLists.txt"));
}

TEST(House, NoFolderIncludesAPeerOrAHigherFloor) {
  EXPECT_THAT(Told(CheckFloors(Here())), IsEmpty());
}
TEST(House, LibrariesAreIncludedWhereTheyAreWrapped) {
  EXPECT_THAT(Told(CheckLibraries(Here())), IsEmpty());
}
TEST(House, NoTwoFilesOfCoreHaveOneName) {
  EXPECT_THAT(Told(CheckFileNames(Here())), IsEmpty());
}
TEST(House, EveryTestFileIsBuilt) {
  EXPECT_THAT(Told(CheckTestsAreRegistered(Here())), IsEmpty());
}
TEST(House, TestsDoNotSleep) {
  EXPECT_THAT(Told(CheckTestsDoNotSleep(Here())), IsEmpty());
}
TEST(House, WordsAreOfThisHouse) {
  EXPECT_THAT(Told(CheckWords(Here())), IsEmpty());
}
TEST(House, ThePageIsTextAndOfOneSite) {
  EXPECT_TRUE(Here().contains("core/admin/page/index.html"));
  EXPECT_THAT(Told(CheckPage(Here())), IsEmpty());
}

TEST(HouseRules, SeeAFloorBroken) {
  EXPECT_THAT(
      Told(CheckFloors({{"core/base/a.h", "#pragma once\n#include \"core/event/call_event.h\"\n"}})),
      ElementsAre(HasSubstr("core/base/a.h:2 includes \"core/event/call_event.h\": core/event is on a higher floor")));
  EXPECT_THAT(Told(CheckFloors({{"core/routing/a.cpp", "#  include \"core/journal/journal.h\""}})),
              ElementsAre(HasSubstr("peer")));
  EXPECT_THAT(Told(CheckFloors({{"core/event/a.cpp", "#include \"hookswitch/sink.h\""}})),
              ElementsAre(HasSubstr("ABI")));
  EXPECT_THAT(Told(CheckFloors({{"core/app/a.cpp", "#include \"sinks/slack/text.h\""}})),
              ElementsAre(HasSubstr("sinks/")));
  EXPECT_THAT(Told(CheckFloors({{"core/app/a.cpp", "#include \"tests/fakes/fake_clock.h\""}})),
              ElementsAre(HasSubstr("tests/")));
  EXPECT_THAT(Told(CheckFloors({{"core/attic/a.cpp", ""}})), ElementsAre(HasSubstr("on no floor")));
  EXPECT_THAT(Told(CheckFloors({{"sinks/slack/a.cpp", "#include \"core/base/text.h\""}})),
              ElementsAre(HasSubstr("plugins/ only")));
  EXPECT_THAT(Told(CheckFloors({{"sinks/slack/a.cpp", "#include \"sinks/file/text.h\""}})),
              ElementsAre(HasSubstr("plugins/ only")));
  EXPECT_THAT(Told(CheckFloors({{"sinks/slack/a.cpp", "#include \"../file/text.h\""}})),
              ElementsAre(HasSubstr("leaves")));
  EXPECT_THAT(Told(CheckFloors({{"plugins/include/hookswitch/a.h", "#include \"core/base/text.h\""}})),
              testing::SizeIs(1));
  EXPECT_THAT(Told(CheckFloors({{"examples/sinks/a.cpp", "#include \"core/base/text.h\""}})), testing::SizeIs(1));
}

TEST(HouseRules, AllowWhatIsBelow) {
  EXPECT_THAT(Told(CheckFloors({{"core/app/a.cpp",
                                 "#include \"core/admin/admin_api.h\"\n#include \"core/app/b.h\"\n#include <vector>"},
                                {"core/plugins/a.cpp", "#include \"hookswitch/sink.h\""},
                                {"sinks/slack/a.cpp", "#include \"hookswitch/sink.h\"\n#include \"text.h\""}})),
              IsEmpty());
}

TEST(HouseRules, SeeALibraryOutsideItsWrapper) {
  EXPECT_THAT(Told(CheckLibraries({{"core/delivery/a.cpp", "#include <sqlite3.h>"}})),
              ElementsAre(HasSubstr("core/journal wraps")));
  EXPECT_THAT(Told(CheckLibraries({{"core/journal/a.cpp", "#include <sqlite3.h>"}})), IsEmpty());
}

TEST(HouseRules, SeeAFileNameThatIsTaken) {
  EXPECT_THAT(Told(CheckFileNames({{"core/config/schema.cpp", ""}, {"core/journal/schema.cpp", ""}})),
              ElementsAre("core/journal/schema.cpp:0 has the name of core/config/schema.cpp"));
  EXPECT_THAT(
      Told(CheckFileNames({{"core/config/schema.cpp", ""}, {"core/config/schema.h", ""}, {"sinks/a/schema.h", ""}})),
      IsEmpty());
}

TEST(HouseRules, SeeATestThatIsNotBuilt) {
  const Tree tree = {{"tests/base/text_test.cpp", ""},
                     {"tests/base/CMakeLists.txt", "hsw_test(base_test SOURCES json_text_test.cpp)"}};
  EXPECT_THAT(Told(CheckTestsAreRegistered(tree)), ElementsAre(HasSubstr("tests/base/text_test.cpp")));
  const Tree above = {{"tests/sinks/slack/a_test.cpp", ""},
                      {"tests/sinks/CMakeLists.txt", "hsw_test(x SOURCES slack/a_test.cpp)"}};
  EXPECT_THAT(Told(CheckTestsAreRegistered(above)), IsEmpty());
}

TEST(HouseRules, SeeWhatThePageMustNotDo) {
  for (const char* line :
       {"place.innerHTML = text;", "place[\"outerHTML\"] = text;", "h(\"p\", {innerHTML: text})",
        "place.insertAdjacentHTML(\"beforeend\", text);", "document.write(text);", "eval(text);", "new Function(text)",
        "setTimeout(\"go()\", 1)", "place.setAttribute(\"onclick\", text)", "const link = \"javascript:go()\";",
        "fetch(\"https://elsewhere.example/x\")", "new WebSocket(\"wss://elsewhere.example\")"}) {
    EXPECT_THAT(Told(CheckPage({{"core/admin/page/a.js", line}})), testing::SizeIs(1)) << line;
  }
  for (const char* line : {"<p onclick=\"go()\">", "<p style=\"color: red\">", "<style>", "<script>go()</script>",
                           "<img src=\"http://elsewhere.example/x\">"}) {
    EXPECT_THAT(Told(CheckPage({{"core/admin/page/a.html", line}})), testing::SizeIs(1)) << line;
  }
  EXPECT_THAT(Told(CheckPage({{"core/admin/page/a.css", "@import url(https://elsewhere.example/x);"}})),
              testing::SizeIs(1));
  std::string lines;
  for (int i = 0; i < 250; ++i) lines += "x\n";
  EXPECT_THAT(Told(CheckPage({{"core/admin/page/a.css", lines}})), IsEmpty());
  EXPECT_THAT(Told(CheckPage({{"core/admin/page/a.css", lines + "x\n"}})),
              ElementsAre("core/admin/page/a.css:251 has more than 250 lines"));
  EXPECT_THAT(Told(CheckPage({{"core/admin/page/a.js",
                               "if (name === \"innerHTML\") throw 1;\nconst url = `http://${host}/`;\n"
                               "const svg = \"http://www.w3.org/2000/svg\";\nplace.onclick = go;\nretrieval(x);\n"},
                              {"core/admin/page/a.html", "<script type=\"module\" src=\"page/a.js\"></script>"},
                              {"core/admin/a.js", "place.innerHTML = text;"}})),
              IsEmpty());
}

TEST(HouseRules, SeeASleepAndAForeignWord) {
  EXPECT_THAT(Told(CheckTestsDoNotSleep({{"tests/base/a.h", "\nstd::this_thread::sleep_for(1s);"}})),
              ElementsAre("tests/base/a.h:2 sleeps"));
  EXPECT_THAT(Told(CheckWords({{"core/base/a.h", std::string("// FIX") + "ME later"}})), testing::SizeIs(1));
  EXPECT_THAT(Told(CheckWords({{"core/base/a.h", std::string("/// Text Hel") + "per."}})), testing::SizeIs(1));
  EXPECT_THAT(Told(CheckWords({{"core/base/a.h", "obses" + std::string("sion")}})), IsEmpty());
  EXPECT_THAT(Told(CheckWords({{"sinks/postgres/a.h", "target_ses" + std::string("sion_attrs")}})), IsEmpty());
  EXPECT_THAT(Told(CheckWords({{"core/sources/platforms/a.yaml", "call_id: ses" + std::string("sion.id")}})),
              IsEmpty());
  EXPECT_THAT(Told(CheckWords({{"core/base/a.h", "POST /api/v1/ses" + std::string("sion")}})), IsEmpty());
}

}  // namespace
}  // namespace hookswitch::house
