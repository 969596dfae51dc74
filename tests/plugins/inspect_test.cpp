// A plugin that breaks a rule is refused with words that help, and never takes this process with it.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "core/plugins/plugin.h"
#include "core/plugins/plugin_host.h"

namespace hookswitch {
namespace {

namespace fs = std::filesystem;

const fs::path kPlugins = HSW_TEST_PLUGINS;
const fs::path kInspector = HSW_TEST_INSPECTOR;

class Inspect : public testing::Test {
 protected:
  Inspect() {
    std::string name = testing::TempDir() + "hsw-plugins-XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  ~Inspect() override { fs::remove_all(folder_); }

  PluginHost Host(fs::path folder = kPlugins / "bad") { return PluginHost({std::move(folder)}, kInspector); }

  Error Refusal(const std::string& name) {
    auto host = Host();
    const fs::path file = kPlugins / "bad" / (name + ".so");
    auto info = host.Inspect(file);
    if (info) return {ErrorCode::kInternal, "it was accepted"};
    EXPECT_NE(info.error().message.find(file.string()), std::string::npos) << info.error().message;
    return info.error();
  }

  fs::path folder_;
};

#define EXPECT_REFUSED(name, error_code, words)                                   \
  do {                                                                            \
    const Error refusal = Refusal(name);                                          \
    EXPECT_EQ(refusal.code, error_code) << refusal.message;                       \
    EXPECT_NE(refusal.message.find(words), std::string::npos) << refusal.message; \
  } while (false)

TEST_F(Inspect, ReadsWhatAPluginSaysOfItself) {
  auto host = Host(kPlugins / "good");
  auto info = host.Inspect(kPlugins / "good" / "polite.so");
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_EQ(info->id, "polite");
  EXPECT_EQ(info->version, "2.1.0");
  EXPECT_EQ(info->summary, "says hello");
  EXPECT_EQ(info->kind, Sink::Kind::kCall);
  EXPECT_EQ(info->abi_major, 1);
  EXPECT_EQ(info->hash.size(), 64u);
  EXPECT_NE(info->config_schema.find("greeting"), std::string::npos);
}

TEST_F(Inspect, AnotherMajorIsRefusedWithBothVersions) {
  EXPECT_REFUSED("bad-wrong-major", ErrorCode::kUnsupported, "sink ABI 2.0, this hookswitch speaks 1.3");
}
TEST_F(Inspect, ANewerMinorIsRefusedWithBothVersions) {
  EXPECT_REFUSED("bad-newer-minor", ErrorCode::kUnsupported,
                 "1.7 or newer, this hookswitch speaks 1.3: upgrade hookswitch");
}
TEST_F(Inspect, APluginThatDeclinesIsRefused) {
  EXPECT_REFUSED("bad-refuses", ErrorCode::kUnsupported, "cannot work with this");
}
TEST_F(Inspect, ALibraryWithoutEntryIsNoPlugin) {
  EXPECT_REFUSED("bad-no-entry", ErrorCode::kInvalid, "hsw_sink_entry");
}
TEST_F(Inspect, AMissingSymbolIsFoundNowAndNotAtTheFirstDelivery) {
  EXPECT_REFUSED(
      "bad-needs-neighbour", ErrorCode::kInvalid,
      "libneighbour.so: cannot open shared object file: No such file or directory; a plugin must stand alone");
  EXPECT_REFUSED("bad-missing-symbol", ErrorCode::kInvalid, "a_function_that_no_library_has");
}
TEST_F(Inspect, ATableThatIsTooShortIsRefused) {
  EXPECT_REFUSED("bad-short-table", ErrorCode::kInvalid, "64 bytes");
}
TEST_F(Inspect, ATableWithAHoleIsRefusedByName) {
  EXPECT_REFUSED("bad-no-render", ErrorCode::kInvalid, "does not set render");
}
TEST_F(Inspect, AMissingSchemaIsRefused) {
  EXPECT_REFUSED("bad-no-schema", ErrorCode::kInvalid, "does not set config_schema");
}
TEST_F(Inspect, ASchemaThatIsNotJsonIsRefused) {
  EXPECT_REFUSED("bad-bad-schema", ErrorCode::kInvalid, "not a JSON object");
}
TEST_F(Inspect, AnUnknownKindIsRefused) {
  EXPECT_REFUSED("bad-unknown-kind", ErrorCode::kUnsupported, "kind 9");
}

TEST_F(Inspect, ACrashWhileLoadingHappensInTheChild) {
  const Error refusal = Refusal("bad-crashes");
  EXPECT_EQ(refusal.code, ErrorCode::kInvalid);
  EXPECT_NE(refusal.message.find("crashes while it is loaded"), std::string::npos) << refusal.message;
  EXPECT_NE(refusal.message.find("signal 6"), std::string::npos) << refusal.message;
}

TEST_F(Inspect, AnExitWhileLoadingSaysWhatThePluginPrinted) {
  const Error refusal = Refusal("bad-exits");
  EXPECT_NE(refusal.message.find("exit code 3, saying: cannot find my licence"), std::string::npos) << refusal.message;
}

TEST_F(Inspect, AHangWhileLoadingIsCutShort) {
  const auto library = plugins::ReadLibrary(kPlugins / "bad" / "bad-hangs.so");
  ASSERT_TRUE(library) << library.error().message;
  auto info = plugins::InspectInChild({kInspector}, *library, std::chrono::milliseconds(300));
  ASSERT_FALSE(info);
  EXPECT_NE(info.error().message.find("hangs while it is loaded"), std::string::npos) << info.error().message;
}

TEST_F(Inspect, WhatAPluginPrintsIsNotTakenForTheAnswer) {
  auto host = Host();
  auto info = host.Inspect(kPlugins / "bad" / "bad-chatty.so");
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_EQ(info->id, "bad");
}

TEST_F(Inspect, AnInspectorThatIsNotThereIsNotThePluginsFault) {
  PluginHost host({kPlugins / "good"}, "/nonexistent/hookswitch");
  auto info = host.Inspect(kPlugins / "good" / "polite.so");
  ASSERT_FALSE(info);
  EXPECT_EQ(info.error().code, ErrorCode::kUnavailable);
}

TEST_F(Inspect, AFileThatOthersMayWriteIsRefused) {
  fs::copy_file(kPlugins / "good" / "polite.so", folder_ / "polite.so");
  for (const mode_t mode : {0666, 0646}) {
    ASSERT_EQ(::chmod((folder_ / "polite.so").c_str(), mode), 0);
    auto info = Host(folder_).Inspect(folder_ / "polite.so");
    ASSERT_FALSE(info) << mode;
    EXPECT_EQ(info.error().code, ErrorCode::kInvalid);
    EXPECT_NE(info.error().message.find("chmod go-w"), std::string::npos) << info.error().message;
  }
  ASSERT_EQ(::chmod((folder_ / "polite.so").c_str(), 0644), 0);
  EXPECT_TRUE(Host(folder_).Inspect(folder_ / "polite.so"));
}

TEST_F(Inspect, AFolderThatOthersMayWriteIsRefused) {
  fs::create_directory(folder_ / "open");
  fs::copy_file(kPlugins / "good" / "polite.so", folder_ / "open" / "polite.so");
  ASSERT_EQ(::chmod((folder_ / "open").c_str(), 0777), 0);
  auto info = Host(folder_ / "open").Inspect(folder_ / "open" / "polite.so");
  ASSERT_FALSE(info);
  EXPECT_NE(info.error().message.find("plugin folder"), std::string::npos) << info.error().message;
}

TEST_F(Inspect, ASymbolicLinkIsJudgedByWhatItLeadsTo) {
  fs::create_directory(folder_ / "open");
  fs::create_directory(folder_ / "shut");
  fs::copy_file(kPlugins / "good" / "polite.so", folder_ / "open" / "polite.so");
  fs::create_symlink(folder_ / "open" / "polite.so", folder_ / "shut" / "polite.so");
  EXPECT_TRUE(Host(folder_).Inspect(folder_ / "shut" / "polite.so"));
  ASSERT_EQ(::chmod((folder_ / "open").c_str(), 0777), 0);
  EXPECT_FALSE(Host(folder_).Inspect(folder_ / "shut" / "polite.so"));
}

/// The whole way to a plugin: root/one/two/polite.so.
struct Way : Inspect {
  Way() {
    fs::create_directories(two);
    fs::copy_file(kPlugins / "good" / "polite.so", file);
  }
  Result<PluginInfo> Look(const fs::path& at) { return Host(folder_).Inspect(at); }
  const fs::path one = folder_ / "one", two = one / "two", file = two / "polite.so";
};

TEST_F(Way, AnyFolderOnTheWayThatOthersMayWriteIsRefusedByName) {
  ASSERT_TRUE(Look(file));
  for (const fs::path& folder : {folder_, one, two}) {
    for (const mode_t mode : {0777, 0757}) {
      ASSERT_EQ(::chmod(folder.c_str(), mode), 0);
      const auto info = Look(file);
      ASSERT_FALSE(info) << folder << " " << mode;
      EXPECT_EQ(info.error().code, ErrorCode::kInvalid);
      EXPECT_NE(info.error().message.find("plugin folder " + folder.string() + " may be written by others"),
                std::string::npos)
          << info.error().message;
    }
    ASSERT_EQ(::chmod(folder.c_str(), 0755), 0);
  }
}

TEST_F(Way, AFolderWhoseEntriesAreSafeFromOthersIsNoDanger) {
  ASSERT_EQ(::chmod(one.c_str(), 01777), 0);
  EXPECT_TRUE(Look(file));
}

TEST_F(Way, EachLinkIsFollowedThroughItsOwnFolders) {
  fs::create_directories(folder_ / "open");
  fs::create_directory_symlink(two, folder_ / "open" / "there");
  fs::create_directory_symlink("open/there", folder_ / "relative");
  fs::create_directory_symlink("../one", two / "up");
  EXPECT_TRUE(Look(folder_ / "relative" / "polite.so"));
  EXPECT_TRUE(Look(folder_ / "relative" / ".." / "two" / "polite.so")) << ".. leaves where the link leads";
  EXPECT_EQ(Look(two / "up" / "two" / "polite.so").error().code, ErrorCode::kNotFound);
  ASSERT_EQ(::chmod((folder_ / "open").c_str(), 0777), 0);
  EXPECT_TRUE(Look(file));
  const auto info = Look(folder_ / "relative" / "polite.so");
  ASSERT_FALSE(info) << "another user could lead the link elsewhere";
  EXPECT_NE(info.error().message.find((folder_ / "open").string()), std::string::npos) << info.error().message;
}

TEST_F(Way, ALinkThatLeadsInACircleIsNotThere) {
  fs::create_symlink("round.so", folder_ / "round.so");
  EXPECT_EQ(Look(folder_ / "round.so").error().code, ErrorCode::kNotFound);
}

TEST_F(Way, WhatIsNoRegularFileIsRefusedWithoutWaitingForIt) {
  ASSERT_EQ(::mkfifo((two / "fifo.so").c_str(), 0600), 0);
  fs::create_directory(two / "folder.so");
  for (const char* name : {"fifo.so", "folder.so"}) {
    const auto info = Look(two / name);
    ASSERT_FALSE(info) << name;
    EXPECT_NE(info.error().message.find("is not a regular file"), std::string::npos) << info.error().message;
  }
}

TEST_F(Way, AGroupThatOnlyRootIsInIsRoot) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a folder to another group";
  constexpr gid_t kNobodysGroup = 12345;
  for (const auto& [group, trusted] : {std::pair<gid_t, bool>{0, true}, {kNobodysGroup, false}}) {
    ASSERT_EQ(::chown(one.c_str(), 0, group), 0);
    ASSERT_EQ(::chmod(one.c_str(), 0775), 0);
    EXPECT_EQ(Look(file).has_value(), trusted) << group;
  }
  ASSERT_EQ(::chmod(one.c_str(), 0755), 0);
  ASSERT_EQ(::chmod(file.c_str(), 0664), 0);
  EXPECT_TRUE(Look(file));
  ASSERT_EQ(::chown(file.c_str(), 0, kNobodysGroup), 0);
  EXPECT_FALSE(Look(file));
}

TEST_F(Way, ALinkOfAnotherUserIsRefusedWhereHeMayPutOne) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a link away";
  ASSERT_EQ(::chmod(one.c_str(), 01777), 0);
  fs::create_symlink(file, one / "theirs.so");
  EXPECT_TRUE(Look(one / "theirs.so"));
  ASSERT_EQ(::lchown((one / "theirs.so").c_str(), 12345, 12345), 0);
  EXPECT_FALSE(Look(one / "theirs.so"));
}

TEST_F(Inspect, AnotherUsersFileIsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  fs::copy_file(kPlugins / "good" / "polite.so", folder_ / "polite.so");
  ASSERT_EQ(::chown((folder_ / "polite.so").c_str(), 12345, 12345), 0);
  auto info = Host(folder_).Inspect(folder_ / "polite.so");
  ASSERT_FALSE(info);
  EXPECT_NE(info.error().message.find("belongs to another user (uid 12345)"), std::string::npos)
      << info.error().message;
}

TEST_F(Inspect, AFileThatIsNotALibraryIsRefused) {
  std::ofstream(folder_ / "text.so") << "not an ELF file";
  auto info = Host(folder_).Inspect(folder_ / "text.so");
  ASSERT_FALSE(info);
  EXPECT_NE(info.error().message.find("cannot be loaded"), std::string::npos) << info.error().message;
  EXPECT_EQ(Host(folder_).Inspect(folder_ / "none.so").error().code, ErrorCode::kNotFound);
}

TEST_F(Inspect, ThePluginsOfTheTreeAreAccepted) {
  for (const fs::path& file : {fs::path(HSW_TEST_EXAMPLES) / "poster.so", fs::path(HSW_TEST_EXAMPLES) / "textlog.so",
                               fs::path(HSW_BINARY_DIR) / "lib/hookswitch/sinks/slack.so"}) {
    auto info = Host().Inspect(file);
    ASSERT_TRUE(info) << info.error().message;
    EXPECT_EQ(info->id, file.stem().string());
  }
}

}  // namespace
}  // namespace hookswitch
