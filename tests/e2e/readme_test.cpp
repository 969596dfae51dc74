// The lines of the pages are typed as they stand, in the order in which they stand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <regex>

#include "tests/e2e/pages.h"
#include "tests/e2e/router.h"
#include "tests/sinks/free_port.h"

namespace hookswitch::e2e {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// A root folder of its own, in which the lines find what they name: /usr and /etc are below it, cmake builds nothing
/// more, and what changes the machine is written down instead. They are typed in a folder that looks like a checkout.
class ReadmeLines : public testing::Test {
 protected:
  ReadmeLines() {
    for (const char* folder : {"bin", "tree/tests", "root/etc/hookswitch"}) fs::create_directories(dir_ / folder);
    for (const char* name : {".ci", "examples"})
      fs::create_directory_symlink(std::string(HSW_SOURCE_DIR "/") + name, dir_ / ("tree/" + std::string(name)));
    fs::create_directory_symlink(HSW_BINARY_DIR, dir_ / "tree/build");
    Script("bin/cmake", "exit 0");
    // What dpkg would do with the package; tests/package tries the package itself.
    const std::string root = dir_ / "root", postinst = HSW_SOURCE_DIR "/config/debian/postinst";
    std::string dpkg;
    for (const std::string& line :
         {"echo apt-get \"$@\" >> " + dir_ / "done",
          "/usr/bin/cmake --install " HSW_BINARY_DIR " --prefix " + root + "/usr",
          "cp " HSW_BINARY_DIR "/debian/hookswitch.yaml " + root + "/etc/hookswitch",
          "for name in $(grep -o 'deb-systemd-[a-z]*' " + postinst + "); do ln -sf adduser " + dir_ / "bin/$name; done",
          "DPKG_ROOT=" + root + " sh " + postinst + " configure ''"}) {
      dpkg += line + '\n';
    }
    Script("bin/apt-get", dpkg);
    // tests/run.sh would come back to this test.
    for (const char* path : {"bin/adduser", "tree/tests/run.sh"})
      Script(path, "echo \"${0##*/}\" \"$@\" >> " + dir_ / "done");
    // Users have no place below a folder: files belong to whoever runs this.
    Script("bin/install", "exec /usr/bin/install $(printf '%s ' \"$@\" | sed \"s/-[og] hookswitch//g\")");
  }
  void Script(const std::string& path, const std::string& line) const {
    WriteFile(dir_ / path, "#!/bin/sh\n" + line + "\n");
    fs::permissions(dir_ / path, fs::perms::owner_all);
  }
  std::string Config() const { return dir_ / "root/etc/hookswitch/hookswitch.yaml"; }
  std::string Secrets() const { return dir_ / "root/etc/hookswitch/environment"; }

  /// Types a block. `port`: where a router listens that has 8000 in the page.
  Finished Type(const Block& block, std::vector<std::string> environment = {}, int port = 8000) const {
    std::string lines = block.text;
    for (const char* folder : {" /etc/", " /usr/share/", "@/usr/share/"}) {
      std::string below = folder;
      ReplaceAll(lines, folder, below.insert(1, dir_ / "root"));
    }
    ReplaceAll(lines, ":8000/", ":" + std::to_string(port) + "/");
    environment.push_back("HOOKSWITCH_CONFIG=" + Config());
    const std::string path = "export PATH=" + dir_ / "bin" + ":" + dir_ / "root/usr/bin" + ":$PATH\n";
    return RunProgram({"/bin/sh", "-e", "-c", "cd " + dir_ / "tree" + "\n" + path + lines}, environment, seconds(120));
  }
  TempDir dir_;
};

TEST_F(ReadmeLines, LeadFromNothingToAMessageAndToRulesOfOnesOwn) {
  const auto blocks = BlocksOf("README.md", "sh");
  ASSERT_EQ(blocks.size(), 4U);

  const Finished quick = Type(blocks[0], {"SLACK_WEBHOOK_URL="});
  ASSERT_EQ(quick.exit_code, 0) << quick.out << quick.err;
  EXPECT_THAT(quick.out, HasSubstr("Bolna call ended: completed"));
  EXPECT_THAT(ReadFile(dir_ / "done"), HasSubstr("run.sh"));

  // The first line installs the package, which starts a router: here, one beside a Slack of our own.
  const auto first_line = blocks[1].text.find('\n') + 1;
  Block install = blocks[1], begin = blocks[1];
  install.text.resize(first_line);
  begin.text.erase(0, first_line);
  const Finished installed = Type(install);
  ASSERT_EQ(installed.exit_code, 0) << installed.out << installed.err << install.text;
  EXPECT_THAT(ReadFile(dir_ / "done"),
              AllOf(HasSubstr("apt-get install -y ./hookswitch_"), HasSubstr("enable hookswitch.service")));
  EXPECT_EQ(fs::status(Secrets()).permissions(),
            fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read);
  const Finished without = RunProgram({dir_ / "root/usr/bin/hookswitch", "check", "-c", Config()});
  EXPECT_EQ(without.exit_code, 1) << "the variables come from the file alone";

  const std::string unit = ReadFile(dir_ / "root/usr/lib/systemd/system/hookswitch.service");
  EXPECT_THAT(unit, HasSubstr("\nEnvironment=HOOKSWITCH_ENV_FILE=-/etc/hookswitch/environment\n"));
  EXPECT_THAT(unit, Not(HasSubstr("\nEnvironmentFile="))) << "a process keeps its own variables at a reload";
  FakeSlack slack;
  std::string config = ReadFile(Config());
  ReplaceAll(config, "0.0.0.0:8000", "127.0.0.1:0");
  ReplaceAll(config, "127.0.0.1:8001", "127.0.0.1:" + std::to_string(test::FreePort()));
  ReplaceAll(config, "/run/hookswitch/admin.sock", dir_ / "admin.sock");
  ReplaceAll(config, "/var/lib/hookswitch/journal.db", dir_ / "journal.db");
  ReplaceAll(config, "#       webhook_url: {", "#       allow_any_host: true\n#       webhook_url: {");
  WriteFile(Config(), config);
  Router router(Config(), {"HOOKSWITCH_ENV_FILE=-" + Secrets()});
  ASSERT_TRUE(router.Ready());

  const Finished begun = Type(begin, {"SLACK_WEBHOOK_URL=" + slack.Url()});
  ASSERT_EQ(begun.exit_code, 0) << begun.out << begun.err << router.Log();
  EXPECT_THAT(begun.out, HasSubstr("reloaded: generation 2"));
  config = ReadFile(Config());

  const Finished tried = Type(blocks[2], {}, router.Ingress());
  ASSERT_EQ(tried.exit_code, 0) << tried.out << tried.err << router.Log();
  EXPECT_THAT(tried.out,
              AllOf(HasSubstr("\"deliveries\":1"), HasSubstr("completed"), HasSubstr("every-finished-call")));
  EXPECT_TRUE(slack.WaitForPosted(1)) << router.Log();

  const auto rules = BlocksOf("README.md", "yaml").back();
  std::string own = config.substr(0, config.find("\nsinks:")) + "\n" + rules.text;
  ReplaceAll(own, "config: {webhook_url", "config: {allow_any_host: true, webhook_url");
  WriteFile(Config(), own);
  const Finished ruled = Type(blocks[3]);
  ASSERT_EQ(ruled.exit_code, 0) << ruled.out << ruled.err << router.Log();
  EXPECT_THAT(ruled.out,
              AllOf(HasSubstr("asked-for-a-person"), HasSubstr("Bolna call ended: completed"), HasSubstr("fine")));
  EXPECT_TRUE(router.WaitForEvent("reloaded"));
}

TEST_F(ReadmeLines, InstallPagesWhoseLinksHold) {
  ASSERT_EQ(RunProgram({"/usr/bin/cmake", "--install", HSW_BINARY_DIR, "--prefix", dir_ / "usr"}).exit_code, 0);
  for (const std::string& page : Pages()) {
    EXPECT_EQ(ReadFile(dir_ / ("usr/share/doc/hookswitch/" + page)), ReadFile(std::string(HSW_SOURCE_DIR "/") + page))
        << page;
  }
  for (const char* file : {"config/hookswitch.yaml", "config/hookswitch.service", "examples/events/completed.json",
                           "examples/sinks/textlog.c"}) {
    EXPECT_TRUE(fs::exists(dir_ / ("usr/share/doc/hookswitch/" + std::string(file)))) << file;
  }
}

// Where a page, a header or a template sends its reader, there is something, and not only in the source tree.
TEST_F(ReadmeLines, LeadNowhereThatIsNotInstalled) {
  ASSERT_EQ(RunProgram({"/usr/bin/cmake", "--install", HSW_BINARY_DIR, "--prefix", dir_ / "usr"}).exit_code, 0);
  const std::string docs = dir_ / "usr/share/doc/hookswitch/";
  std::vector<std::string> texts;
  for (const char* folder : {HSW_SOURCE_DIR "/plugins/template", HSW_SOURCE_DIR "/plugins/include"}) {
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (entry.is_regular_file()) texts.push_back(entry.path());
    }
  }
  for (const std::string& page : Pages()) texts.push_back(docs + page);
  static const std::regex kLink(R"(\]\(([^)\s:#]+)(?:#[^)]*)?\))");
  static const std::regex kPath(
      R"((?:^|[^\w./-])(?:/usr/|share/doc/hookswitch/)?((?:config|examples|plugins|sinks|include|lib|share)/[\w./-]*\w))");
  int found = 0;
  for (const std::string& file : texts) {
    const std::string text = ReadFile(file);
    const bool is_page = file.starts_with(docs);
    for (std::sregex_iterator at(text.begin(), text.end(), kLink), end; is_page && at != end; ++at, ++found) {
      EXPECT_TRUE(fs::exists(fs::path(file).parent_path() / (*at)[1].str())) << file << ": " << (*at)[1];
    }
    // What the pages of core/ name besides is the source tree, which is their subject.
    if (file.starts_with(docs + "core/")) continue;
    for (std::sregex_iterator at(text.begin(), text.end(), kPath), end; at != end; ++at, ++found) {
      const std::string path = (*at)[1];
      if (path == "examples/quickstart.sh") continue;  // "from a checkout"
      EXPECT_TRUE(fs::exists(docs + path) || fs::exists(dir_ / ("usr/" + path))) << file << ": " << path;
    }
  }
  EXPECT_GT(found, 50);
}

/// A router with a dead letter, as OPERATING.md has it.
TEST_F(ReadmeLines, FindMendAndReplayDeadLetters) {
  const auto blocks = BlocksOf("config/OPERATING.md", "sh");
  ASSERT_EQ(blocks.size(), 3U);
  FakeSlack slack;
  slack.Behave("/services/T0/B0/gone",
               {.mode = SlackBehaviour::Mode::kStatus, .status = 400, .word = "invalid_payload"});
  RouterConfig made(dir_);
  made.admin = "{listen: \"127.0.0.1:" + std::to_string(test::FreePort()) + "\"}";
  made.Slack("ops", slack.Url("/services/T0/B0/gone")).Slack("old-sink", slack.Url());
  fs::create_directories(dir_ / "root/etc/hookswitch");
  fs::create_directories(dir_ / "root/usr/bin");
  fs::create_symlink(Program(), dir_ / "root/usr/bin/hookswitch");
  made.Write();
  fs::copy_file(made.Path(), Config());
  Router router(Config());
  ASSERT_TRUE(router.Ready());
  ASSERT_EQ(router.Post(Call(CallId(1))).status, 200);
  const auto dead = router.WaitForEvent("delivery_dead");
  ASSERT_TRUE(dead) << router.Log();
  const json::object line = json::parse(*dead).as_object();
  slack.Behave("/services/T0/B0/gone", {});

  Block look = blocks[0];
  look.text = "set +e\n" + look.text;  // status exits 1: something needs attention
  const Finished looked = Type(look);
  ASSERT_EQ(looked.exit_code, 0) << looked.out << looked.err;
  EXPECT_THAT(looked.out, HasSubstr("needs attention:\n  there are dead deliveries"));
  EXPECT_THAT(looked.out,
              AllOf(HasSubstr("ops"), HasSubstr("dead"), HasSubstr("invalid_payload"), HasSubstr(CallId(1))));

  const Finished searched = Type(blocks[1]);
  ASSERT_EQ(searched.exit_code, 0) << searched.out << searched.err;
  EXPECT_THAT(searched.out, HasSubstr(CallId(1))) << "it is dead at ops";

  Block block = blocks[2];
  ReplaceAll(block.text, " d-7f ", " " + std::string(line.at("delivery").as_string()) + " ");
  ReplaceAll(block.text, "01M858QAZMNEX0000000000001", line.at("event_id").as_string());
  const Finished typed = Type(block);
  EXPECT_EQ(typed.exit_code, 0) << typed.out << typed.err << router.Log();
  EXPECT_TRUE(slack.WaitForPosted(3)) << "to old-sink at first, and to ops again, and the event anew";
}

TEST(Pages, EveryBlockOfShellIsTypedBySomeTest) {
  const std::map<std::string, std::size_t> typed = {{"README.md", 4},
                                                    {"config/OPERATING.md", 3},
                                                    {"examples/sources/README.md", 1},  // in example_sources_test.cpp
                                                    {"plugins/README.md", 3},           // in author_test.cpp
                                                    {"sinks/RECIPES.md", 1}};           // in recipes_test.cpp
  for (const std::string& page : Pages()) {
    const auto known = typed.find(page);
    EXPECT_EQ(BlocksOf(page, "sh").size(), known == typed.end() ? 0 : known->second) << page;
  }
}

}  // namespace
}  // namespace hookswitch::e2e
