#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/base/json.h"
#include "core/base/log.h"
#include "core/base/time_text.h"
#include "tests/sinks/load_sink.h"

namespace hookswitch {
namespace {

namespace fs = std::filesystem;

class FileSink : public testing::Test {
 protected:
  FileSink() {
    std::string name = testing::TempDir() + "hsw-file-XXXXXX";
    folder_ = ::mkdtemp(name.data());
    message_.title = "Bolna call ended: completed";
    event_.id = "01JD0000000000000000000000";
    event_.call_id = "call-1";
    event_.error = "line\nbreak";
  }
  ~FileSink() override { fs::remove_all(folder_); }

  std::shared_ptr<Sink> Make(const fs::path& path, const json::object& more = {}) {
    json::object config{{"path", path.string()}, {"fsync", false}};
    for (const auto& [key, value] : more) config[key] = value;
    auto sink = test::LoadSink("file", ToText(config));
    EXPECT_TRUE(sink) << sink.error().message;
    return sink ? *sink : nullptr;
  }
  Outcome Deliver(Sink& sink, std::string_view id = "d-1") {
    return sink.Deliver({event_, message_, id, "archive", "all", 1, 0, "", "", now_}, std::chrono::seconds(1),
                        [] { return false; });
  }
  /// The names in the folder, in order.
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_)) names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
  }
  static std::string Read(const fs::path& path) {
    std::ifstream in(path);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  }

  fs::path folder_;
  CallEvent event_;
  Message message_;
  WallTime now_ = ParseTime("2036-03-04T23:59:59Z").value();
};

TEST_F(FileSink, WritesOneLineOfJsonPerEvent) {
  auto sink = Make(folder_ / "calls.jsonl");
  EXPECT_EQ(Deliver(*sink, "d-1").kind, Outcome::Kind::kDelivered);
  EXPECT_EQ(Deliver(*sink, "d-2").kind, Outcome::Kind::kDelivered);
  std::istringstream lines(Read(folder_ / "calls.jsonl"));
  std::string line;
  for (const char* id : {"d-1", "d-2"}) {
    ASSERT_TRUE(std::getline(lines, line));
    const auto value = json::parse(line);
    EXPECT_EQ(value.at("delivery").as_string(), id);
    EXPECT_EQ(value.at("rule").as_string(), "all");
    EXPECT_EQ(value.at("event").at("call_id").as_string(), "call-1");
    EXPECT_EQ(value.at("event").at("error").as_string(), "line\nbreak");
  }
  EXPECT_FALSE(std::getline(lines, line));
}

TEST_F(FileSink, MakesTheFileForItsOwnerOnly) {
  Deliver(*Make(folder_ / "calls.jsonl"));
  struct stat info {};
  ASSERT_EQ(::stat((folder_ / "calls.jsonl").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(FileSink, GoesOnInANewFileAfterARotation) {
  auto sink = Make(folder_ / "calls.jsonl");
  Deliver(*sink, "d-1");
  fs::rename(folder_ / "calls.jsonl", folder_ / "calls.jsonl.1");
  EXPECT_EQ(Deliver(*sink, "d-2").kind, Outcome::Kind::kDelivered);
  EXPECT_NE(Read(folder_ / "calls.jsonl").find("d-2"), std::string::npos);
  EXPECT_EQ(Read(folder_ / "calls.jsonl.1").find("d-2"), std::string::npos);
  sink->Reopen();
  EXPECT_EQ(Deliver(*sink, "d-3").kind, Outcome::Kind::kDelivered);
}

TEST_F(FileSink, SetsTheFileAsideBeforeItGrowsTooLarge) {
  auto sink = Make(folder_ / "calls.jsonl", {{"rotate", {{"megabytes", 1}}}});
  event_.error = std::string(600'000, 'x');
  for (const char* id : {"d-1", "d-2", "d-3"}) EXPECT_EQ(Deliver(*sink, id).kind, Outcome::Kind::kDelivered);
  EXPECT_THAT(Names(),
              testing::ElementsAre("calls.jsonl", "calls.jsonl.20360304T235959Z", "calls.jsonl.20360304T235959Z-1"));
  EXPECT_THAT(Read(folder_ / "calls.jsonl.20360304T235959Z"), testing::HasSubstr("\"d-1\""));
  EXPECT_THAT(Read(folder_ / "calls.jsonl.20360304T235959Z-1"), testing::HasSubstr("\"d-2\""));
  EXPECT_THAT(Read(folder_ / "calls.jsonl"), testing::HasSubstr("\"d-3\""));
}

TEST_F(FileSink, SetsTheFileAsideWhenADayHasEnded) {
  auto sink = Make(folder_ / "calls.jsonl", {{"rotate", {{"every", "day"}}}});
  Deliver(*sink, "d-1");
  Deliver(*sink, "d-2");
  EXPECT_EQ(Names().size(), 1U);
  now_ += std::chrono::seconds(1);
  Deliver(*sink, "d-3");
  EXPECT_THAT(Names(), testing::ElementsAre("calls.jsonl", "calls.jsonl.20360305T000000Z"));
  EXPECT_THAT(Read(folder_ / "calls.jsonl"), testing::Not(testing::HasSubstr("\"d-2\"")));
}

TEST_F(FileSink, ADayThatEndedWhileItWasNotOpenCountsToo) {
  std::ofstream(folder_ / "calls.jsonl") << "{}\n";
  Deliver(*Make(folder_ / "calls.jsonl", {{"rotate", {{"every", "hour"}}}}));
  EXPECT_THAT(Names(), testing::ElementsAre("calls.jsonl", "calls.jsonl.20360304T235959Z"));
}

TEST_F(FileSink, KeepsSoManyAndRemovesNothingElse) {
  for (const char* other :
       {"calls.jsonl.bak", "calls.jsonl.20360304", "calls.jsonl.20360304T000000Z.gz", "other.jsonl.20360304T000000Z"}) {
    std::ofstream(folder_ / other) << "mine";
  }
  auto sink = Make(folder_ / "calls.jsonl", {{"rotate", {{"every", "hour"}, {"keep", 2}}}});
  for (int i = 0; i < 6; ++i, now_ += std::chrono::hours(1)) Deliver(*sink);
  EXPECT_THAT(Names(), testing::ElementsAre("calls.jsonl", "calls.jsonl.20360304", "calls.jsonl.20360304T000000Z.gz",
                                            "calls.jsonl.20360305T035959Z", "calls.jsonl.20360305T045959Z",
                                            "calls.jsonl.bak", "other.jsonl.20360304T000000Z"));
}

TEST_F(FileSink, GoesOnInTheSameFileWhereItCannotBeSetAside) {
  const fs::path path = folder_ / std::string(250, 'x');  // with a stamp behind it, too long for a name
  auto sink = Make(path, {{"rotate", {{"every", "hour"}}}});
  Deliver(*sink, "d-1");
  int warnings = 0;
  log::SetWriterForTest([&](log::Level, std::string_view line) { warnings += line.find("set aside") != line.npos; });
  for (int hour = 0; hour < 3; ++hour, now_ += std::chrono::hours(1)) {
    EXPECT_EQ(Deliver(*sink, "d-2").kind, Outcome::Kind::kDelivered);
  }
  log::SetWriterForTest(nullptr);
  EXPECT_EQ(warnings, 1);
  EXPECT_EQ(Names().size(), 1U);
  EXPECT_THAT(Read(path), testing::HasSubstr("\"d-2\""));
}

TEST_F(FileSink, EndsALineThatACrashLeftOpen) {
  std::ofstream(folder_ / "calls.jsonl") << R"({"delivery":"d-0","ev)";
  Deliver(*Make(folder_ / "calls.jsonl"), "d-1");
  const std::string text = Read(folder_ / "calls.jsonl");
  EXPECT_NE(text.find("\"ev\n{\"delivery\":\"d-1\""), std::string::npos) << text;
}

TEST_F(FileSink, RefusesASymbolicLinkAndAFolder) {
  std::ofstream(folder_ / "real").put('\n');
  fs::create_symlink(folder_ / "real", folder_ / "link");
  fs::create_directory(folder_ / "folder");
  const Outcome link = Deliver(*Make(folder_ / "link"));
  EXPECT_EQ(link.kind, Outcome::Kind::kMisconfigured);
  EXPECT_EQ(link.code, "symlink");
  const Outcome folder = Deliver(*Make(folder_ / "folder"));
  EXPECT_EQ(folder.kind, Outcome::Kind::kMisconfigured);
  EXPECT_EQ(folder.code, "not_a_file");
}

TEST_F(FileSink, RefusesAFifoWithoutWaitingForAReader) {
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(Deliver(*Make(folder_ / "pipe")).code, "not_a_file");
}

TEST_F(FileSink, TellsTheOperatorThatTheFolderIsMissingAndGoesOnWhenItIsThere) {
  auto sink = Make(folder_ / "later" / "calls.jsonl");
  const Outcome outcome = Deliver(*sink);
  EXPECT_EQ(outcome.kind, Outcome::Kind::kMisconfigured);
  EXPECT_EQ(outcome.code, "no_folder");
  EXPECT_NE(outcome.action, "");
  fs::create_directory(folder_ / "later");
  EXPECT_EQ(Deliver(*sink).kind, Outcome::Kind::kDelivered);
}

TEST_F(FileSink, RetriesWhenThereIsNoRoomAndLeavesNoHalfLine) {
  auto sink = Make(folder_ / "calls.jsonl");
  Deliver(*sink, "d-1");
  const std::string before = Read(folder_ / "calls.jsonl");

  // A file size limit in the middle of the second line stands for a full disk.
  rlimit unlimited{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &unlimited), 0);
  const auto old = ::signal(SIGXFSZ, SIG_IGN);
  const rlimit tight{before.size() + 20, unlimited.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &tight), 0);
  const Outcome outcome = Deliver(*sink, "d-2");
  ::setrlimit(RLIMIT_FSIZE, &unlimited);
  ::signal(SIGXFSZ, old);

  EXPECT_EQ(outcome.kind, Outcome::Kind::kRetry);
  EXPECT_EQ(outcome.code, "disk_full");
  EXPECT_EQ(Read(folder_ / "calls.jsonl"), before);
  EXPECT_EQ(Deliver(*sink, "d-2").kind, Outcome::Kind::kDelivered);
}

}  // namespace
}  // namespace hookswitch
