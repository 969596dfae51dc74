#include "core/plugins/plugin_host.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "core/config/loader.h"

namespace hookswitch {
namespace {

namespace fs = std::filesystem;

const fs::path kGood = fs::path(HSW_TEST_PLUGINS) / "good";

class Host : public testing::Test {
 protected:
  Host() {
    std::string name = testing::TempDir() + "hsw-host-XXXXXX";
    folder_ = ::mkdtemp(name.data());
    environment_.read_file = [this](const std::string& path, std::string& error) -> std::optional<std::string> {
      if (path == "hookswitch.yaml") return yaml_;
      error = "No such file or directory";
      return {};
    };
    environment_.list_files = [](const std::string&) { return std::vector<std::string>(); };
    environment_.variable = [](const std::string& name) -> std::optional<std::string> {
      if (name == "TASTE") return "bad-taste";
      return {};
    };
  }
  ~Host() override { fs::remove_all(folder_); }

  PluginHost Make(std::vector<fs::path> paths = {kGood}) {
    return PluginHost(std::move(paths), folder_ / "state" / "plugins", HSW_TEST_INSPECTOR);
  }

  std::shared_ptr<Plugin> Load(PluginHost& host, const std::string& name) {
    auto file = host.Find(name);
    EXPECT_TRUE(file) << file.error().message;
    auto info = host.Inspect(*file);
    EXPECT_TRUE(info) << info.error().message;
    auto plugin = host.Load(*info);
    EXPECT_TRUE(plugin) << plugin.error().message;
    return *plugin;
  }

  /// The sink of a config with one sink `ops` whose lines under `config:` are given.
  config::Sink SinkOf(const std::string& plugin, const std::string& lines) {
    yaml_ = "version: 1\nsources:\n  bolna: {type: bolna, path: /bolna}\nsinks:\n  ops:\n    plugin: " + plugin +
            "\n    config:\n" + lines + "rules:\n  - send: [ops]\n";
    loaded_ = config::Load("hookswitch.yaml", environment_);
    EXPECT_TRUE(loaded_.config) << (loaded_.problems.All().empty() ? "" : ToText(loaded_.problems.All().front()));
    return loaded_.config ? loaded_.config->sinks.at(0) : config::Sink{};
  }

  fs::path folder_;
  std::string yaml_;
  config::Environment environment_;
  config::Loaded loaded_;
};

TEST_F(Host, FindsTheFirstFileOnThePath) {
  fs::create_directory(folder_ / "first");
  fs::copy_file(kGood / "polite.so", folder_ / "first" / "polite.so");
  auto host = Make({folder_ / "first", kGood});
  EXPECT_EQ(*host.Find("polite"), folder_ / "first" / "polite.so");
  EXPECT_EQ(*host.Find("unruly"), kGood / "unruly.so");
  EXPECT_EQ(host.List(), (std::vector<fs::path>{folder_ / "first" / "polite.so", kGood / "unruly.so"}));
}

TEST_F(Host, SaysWhereItLookedAndWhatIsThere) {
  auto file = Make().Find("slak");
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().code, ErrorCode::kNotFound);
  EXPECT_NE(file.error().message.find(kGood.string()), std::string::npos) << file.error().message;
  EXPECT_NE(file.error().message.find("polite, unruly"), std::string::npos) << file.error().message;
}

TEST_F(Host, ANameIsNeverAPath) {
  EXPECT_FALSE(Make().Find("../good/polite"));
  EXPECT_FALSE(Make().Find("/etc/passwd"));
  EXPECT_FALSE(Make().Find(""));
}

TEST_F(Host, OpensAPrivateCopySoThatTheFileMayBeReplaced) {
  fs::create_directory(folder_ / "sinks");
  fs::copy_file(kGood / "polite.so", folder_ / "sinks" / "polite.so");
  auto host = Make({folder_ / "sinks"});
  auto plugin = Load(host, "polite");
  std::size_t copies = 0;
  for (const auto& entry : fs::directory_iterator(folder_ / "state" / "plugins")) {
    struct stat info {};
    ASSERT_EQ(::stat(entry.path().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0500u);
    ++copies;
  }
  EXPECT_EQ(copies, 1u);
  std::ofstream(folder_ / "sinks" / "polite.so", std::ios::trunc) << "overwritten in place";
  auto sink = host.Create(plugin, SinkOf("polite", "      greeting: {word: moin}\n"), "UTC", environment_);
  ASSERT_TRUE(sink) << sink.error().message;
}

TEST_F(Host, TheSameBytesAreLoadedOnce) {
  fs::create_directory(folder_ / "sinks");
  fs::copy_file(kGood / "polite.so", folder_ / "sinks" / "courteous.so");
  auto host = Make({folder_ / "sinks", kGood});
  EXPECT_EQ(Load(host, "polite"), Load(host, "courteous"));
}

TEST_F(Host, AFileReplacedBetweenLookingAndLoadingIsNotLoaded) {
  fs::create_directory(folder_ / "sinks");
  fs::copy_file(kGood / "polite.so", folder_ / "sinks" / "polite.so");
  auto host = Make({folder_ / "sinks"});
  auto info = host.Inspect(folder_ / "sinks" / "polite.so");
  ASSERT_TRUE(info);
  fs::copy_file(kGood / "unruly.so", folder_ / "sinks" / "polite.so", fs::copy_options::overwrite_existing);
  auto plugin = host.Load(*info);
  ASSERT_FALSE(plugin);
  EXPECT_EQ(plugin.error().code, ErrorCode::kUnavailable);
}

TEST_F(Host, ADamagedPrivateCopyIsMadeAnew) {
  {
    auto host = Make();
    Load(host, "polite");
  }
  for (const auto& entry : fs::directory_iterator(folder_ / "state" / "plugins")) {
    fs::remove(entry.path());
    std::ofstream(entry.path()) << "half a file";
  }
  auto host = Make();
  EXPECT_TRUE(Load(host, "polite"));
}

TEST_F(Host, APrivateFolderThatOthersMayWriteIsRefused) {
  fs::create_directories(folder_ / "state" / "plugins");
  ASSERT_EQ(::chmod((folder_ / "state" / "plugins").c_str(), 0777), 0);
  auto host = Make();
  auto plugin = host.Load(*host.Inspect(kGood / "polite.so"));
  ASSERT_FALSE(plugin);
  EXPECT_NE(plugin.error().message.find("private plugin folder"), std::string::npos) << plugin.error().message;
}

TEST_F(Host, CheckReportsSchemaProblemsWithTheirLine) {
  auto host = Make();
  auto plugin = Load(host, "unruly");
  config::Problems problems;
  host.Check(*plugin, SinkOf("unruly", "      secrt: x\n"), "UTC", environment_, problems);
  ASSERT_TRUE(problems.HasErrors());
  EXPECT_EQ(problems.All().front().where.line, 8);
  EXPECT_NE(ToText(problems.All().front()).find("secrt"), std::string::npos);
}

TEST_F(Host, CheckReportsWhatThePluginFindsAtItsPlaceAndMasked) {
  auto host = Make();
  auto plugin = Load(host, "unruly");
  config::Problems problems;
  host.Check(*plugin, SinkOf("unruly", "      count: 5\n      secret: {env: TASTE}\n"), "UTC", environment_, problems);
  ASSERT_EQ(problems.All().size(), 2u);
  EXPECT_EQ(problems.All()[0].where.line, 9);
  EXPECT_NE(problems.All()[0].message.find("*** is not a good secret"), std::string::npos) << problems.All()[0].message;
  EXPECT_EQ(problems.All()[0].message.find("bad-taste"), std::string::npos);
}

TEST_F(Host, ThePluginsOwnCheckSeesWhatIsRightBesideWhatIsWrong) {
  auto host = Make();
  auto plugin = Load(host, "unruly");
  config::Problems problems;
  host.Check(*plugin, SinkOf("unruly", "      count: many\n      secret: {env: TASTE}\n      colour: red\n"), "UTC",
             environment_, problems);
  std::string text;
  for (const auto& problem : problems.All()) text += problem.message + '\n';
  EXPECT_NE(text.find("count: expected a whole number"), std::string::npos) << text;
  EXPECT_NE(text.find("\"colour\" is not a key"), std::string::npos) << text;
  EXPECT_NE(text.find("*** is not a good secret"), std::string::npos) << text;
}

TEST_F(Host, SlacksPlaceholderIsCaughtWithItsLineAndNotShown) {
  auto host = Make({fs::path(HSW_BINARY_DIR) / "lib/hookswitch/sinks"});
  auto plugin = Load(host, "slack");
  config::Problems problems;
  host.Check(*plugin, SinkOf("slack", "      webhook_url: https://hooks.slack.com/services/T000/B000/XXXX\n"), "UTC",
             environment_, problems);
  std::string text;
  for (const auto& problem : problems.All()) text += ToText(problem);
  EXPECT_NE(text.find("hookswitch.yaml:8:20: error: sinks.ops: webhook_url is a placeholder, not a real webhook URL"),
            std::string::npos)
      << text;
  EXPECT_EQ(text.find("T000"), std::string::npos) << text;
}

TEST_F(Host, CheckReportsAMissingVariable) {
  auto host = Make();
  auto plugin = Load(host, "unruly");
  config::Problems problems;
  host.Check(*plugin, SinkOf("unruly", "      secret: {env: NO_SUCH_VARIABLE}\n"), "UTC", environment_, problems);
  ASSERT_TRUE(problems.HasErrors());
  EXPECT_NE(problems.All().front().message.find("NO_SUCH_VARIABLE"), std::string::npos);
}

TEST_F(Host, AGoodConfigHasNoProblems) {
  auto host = Make();
  auto plugin = Load(host, "unruly");
  config::Problems problems;
  host.Check(*plugin, SinkOf("unruly", "      count: 5\n"), "UTC", environment_, problems);
  EXPECT_TRUE(problems.All().empty()) << ToText(problems.All().front());
}

TEST_F(Host, CreateSaysWhyThePluginRefusesWithoutItsSecrets) {
  auto host = Make();
  auto plugin = Load(host, "unruly");
  auto sink = host.Create(plugin, SinkOf("unruly", "      secret: refuse-me\n"), "UTC", environment_);
  ASSERT_FALSE(sink);
  EXPECT_EQ(sink.error().code, ErrorCode::kInvalid);
  EXPECT_NE(sink.error().message.find("the secret *** is not to my taste"), std::string::npos) << sink.error().message;
  EXPECT_FALSE(host.Create(plugin, SinkOf("unruly", "      secret: throw-at-me\n"), "UTC", environment_));
}

}  // namespace
}  // namespace hookswitch
