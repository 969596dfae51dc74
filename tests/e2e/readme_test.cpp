// README's lines are typed as they stand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/e2e/router.h"

namespace hookswitch::e2e {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// A root folder of its own, in which README's lines find what they name: /usr and /etc are below it, cmake builds
/// nothing more, and what changes the machine is written down instead.
class ReadmeLines : public testing::Test {
 protected:
  ReadmeLines() {
    fs::create_directories(dir_ / "bin");
    Stub("cmake", "test \"$1\" != --install || exec /usr/bin/cmake --install " HSW_BINARY_DIR " --prefix \"$4\"");
    for (const char* name : {"useradd", "systemctl"})
      Stub(name, "echo " + std::string(name) + " \"$@\" >> " + (dir_ / "done"));
  }
  void Stub(const std::string& name, const std::string& line) {
    WriteFile(dir_ / ("bin/" + name), "#!/bin/sh\n" + line + "\n");
    fs::permissions(dir_ / ("bin/" + name), fs::perms::owner_all);
  }
  /// The first block of shell behind `heading`, with its paths below the folder and the group of whoever runs this.
  std::string Block(const std::string& heading) {
    const std::string readme = ReadFile(std::string(HSW_SOURCE_DIR) + "/README.md");
    const auto part = readme.find(heading);
    EXPECT_NE(part, std::string::npos) << heading;
    const auto begin = readme.find("```sh\n", part) + 6;
    std::string block = readme.substr(begin, readme.find("```", begin) - begin);
    for (const char* folder : {" /etc/", " /usr/share/", " --prefix /usr"}) {
      for (auto at = block.find(folder); at != std::string::npos; at = block.find(folder, at + 1)) {
        block.insert(block.find('/', at), dir_ / "root");
      }
    }
    const std::string group = " -g hookswitch ";
    for (auto at = block.find(group); at != std::string::npos; at = block.find(group)) {
      block.replace(at, group.size(), " -g \"$(id -gn)\" ");
    }
    return block;
  }
  Finished Type(const std::string& block, const std::vector<std::string>& environment) const {
    const std::string path = "export PATH=" + (dir_ / "bin") + ":" + (dir_ / "root/usr/bin") + ":$PATH\n";
    return RunProgram({"/bin/sh", "-e", "-c", path + block}, environment, seconds(120));
  }
  TempDir dir_;
};

TEST_F(ReadmeLines, InstallARouterThatCheckFindsFine) {
  const std::string config = dir_ / "root/etc/hookswitch/hookswitch.yaml";
  const std::string block = Block("To install, as root");
  const Finished typed =
      Type(block, {"HOOKSWITCH_CONFIG=" + config,
                   "SLACK_WEBHOOK_URL=https://hooks.slack.com/services/T1A2B3C4D/B5E6F7G8H/a1b2c3d4"});
  ASSERT_EQ(typed.exit_code, 0) << typed.out << typed.err << block;
  EXPECT_THAT(typed.out, HasSubstr(config + ": fine"));
  EXPECT_EQ(typed.err, "") << "the sample has nothing to warn of";
  const auto mode = fs::status(dir_ / "root/etc/hookswitch/environment").permissions();
  EXPECT_EQ(mode, fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read);
  EXPECT_THAT(ReadFile(dir_ / "done"), HasSubstr("systemctl enable --now hookswitch"));
  for (const char* page : {"README.md", "config/README.md", "config/OPERATING.md", "core/README.md",
                           "plugins/README.md", "sinks/README.md", "sinks/slack/README.md"}) {
    EXPECT_TRUE(fs::exists(dir_ / ("root/usr/share/doc/hookswitch/" + std::string(page)))) << page;
  }
  const Finished without = RunProgram({dir_ / "root/usr/bin/hookswitch", "check", "-c", config});
  EXPECT_EQ(without.exit_code, 1) << "the variable comes from the file alone";
}

}  // namespace
}  // namespace hookswitch::e2e
