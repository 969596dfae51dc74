#include "core/plugins/plugin_host.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "core/config/loader.h"
#include "core/plugins/plugin.h"

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
      if (name == "DISLIKED") return "refuse-me";
      return {};
    };
  }
  ~Host() override { fs::remove_all(folder_); }

  PluginHost Make(std::vector<fs::path> paths = {kGood}) { return PluginHost(std::move(paths), HSW_TEST_INSPECTOR); }

  PluginInfo Inspect(PluginHost& host, const std::string& name) {
    auto file = host.Find(name);
    EXPECT_TRUE(file) << file.error().message;
    auto info = host.Inspect(*file);
    EXPECT_TRUE(info) << info.error().message;
    return *info;
  }

  std::shared_ptr<Plugin> Load(PluginHost& host, const std::string& name) {
    auto plugin = host.Load(Inspect(host, name));
    EXPECT_TRUE(plugin) << plugin.error().message;
    return *plugin;
  }

  /// What is wrong with the config of `ops` below `lines`, by the schema and by the plugin.
  config::Problems Check(PluginHost& host, const std::string& plugin, const std::string& lines) {
    const PluginInfo info = Inspect(host, plugin);
    const config::Sink sink = SinkOf(plugin, lines);
    config::Problems problems;
    const auto config = PluginHost::Resolve(info, sink, "UTC", environment_, problems);
    const Status tried = host.Try(info, sink, config, problems);
    EXPECT_TRUE(tried) << tried.error().message;
    return problems;
  }
  /// Why the plugin must not be used with the config, or "".
  std::string Misbehaviour(PluginHost& host, const std::string& plugin, const std::string& lines) {
    const PluginInfo info = Inspect(host, plugin);
    const config::Sink sink = SinkOf(plugin, lines);
    config::Problems problems;
    const auto config = PluginHost::Resolve(info, sink, "UTC", environment_, problems);
    const Status tried = host.Try(info, sink, config, problems);
    return tried ? "" : tried.error().message;
  }
  Result<std::shared_ptr<Sink>> Create(PluginHost& host, const std::string& plugin, const std::string& lines) {
    config::Problems problems;
    const auto config =
        PluginHost::Resolve(Inspect(host, plugin), SinkOf(plugin, lines), "UTC", environment_, problems);
    return PluginHost::Create(Load(host, plugin), config);
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

TEST_F(Host, OpensACopySoThatTheFileMayBeOverwritten) {
  fs::create_directory(folder_ / "sinks");
  fs::copy_file(kGood / "polite.so", folder_ / "sinks" / "polite.so");
  auto host = Make({folder_ / "sinks"});
  auto plugin = Load(host, "polite");
  std::ofstream(folder_ / "sinks" / "polite.so", std::ios::trunc) << "overwritten in place";
  config::Problems problems;
  const auto config = PluginHost::Resolve(plugin->info, SinkOf("polite", "      greeting: {word: moin}\n"), "UTC",
                                          environment_, problems);
  auto sink = PluginHost::Create(plugin, config);
  ASSERT_TRUE(sink) << sink.error().message;
}

TEST_F(Host, TheSameBytesAreLoadedOnce) {
  fs::create_directory(folder_ / "sinks");
  fs::copy_file(kGood / "polite.so", folder_ / "sinks" / "courteous.so");
  auto host = Make({folder_ / "sinks", kGood});
  EXPECT_EQ(Load(host, "polite"), Load(host, "courteous"));
}

TEST_F(Host, ALibraryIsNeverTakenForOneThatAnotherHostLoaded) {
  for (const char* name : {"polite", "unruly", "polite"}) {
    auto host = Make();
    EXPECT_EQ(Load(host, name)->info.id, name);
  }
}

TEST_F(Host, WhatWasInspectedIsWhatIsTriedAndLoaded) {
  fs::create_directory(folder_ / "sinks");
  fs::copy_file(kGood / "polite.so", folder_ / "sinks" / "polite.so");
  auto host = Make({folder_ / "sinks"});
  auto info = host.Inspect(folder_ / "sinks" / "polite.so");
  ASSERT_TRUE(info);
  fs::copy_file(kGood / "unruly.so", folder_ / "sinks" / "polite.so", fs::copy_options::overwrite_existing);
  auto plugin = host.Load(*info);
  ASSERT_TRUE(plugin) << plugin.error().message;
  EXPECT_EQ((*plugin)->info.id, "polite");
  EXPECT_EQ(Inspect(host, "polite").id, "unruly") << "and the file is read again";
}

TEST_F(Host, CheckReportsSchemaProblemsWithTheirLine) {
  auto host = Make();
  const auto problems = Check(host, "unruly", "      secrt: x\n");
  ASSERT_TRUE(problems.HasErrors());
  EXPECT_EQ(problems.All().front().where.line, 8);
  EXPECT_NE(ToText(problems.All().front()).find("secrt"), std::string::npos);
}

TEST_F(Host, CheckReportsWhatThePluginFindsAtItsPlaceAndMasked) {
  auto host = Make();
  const auto problems = Check(host, "unruly", "      count: 5\n      secret: {env: TASTE}\n");
  ASSERT_EQ(problems.All().size(), 2u);
  EXPECT_EQ(problems.All()[0].where.line, 9);
  EXPECT_NE(problems.All()[0].message.find("*** is not a good secret"), std::string::npos) << problems.All()[0].message;
  EXPECT_EQ(problems.All()[0].message.find("bad-taste"), std::string::npos);
}

TEST_F(Host, ThePluginsOwnCheckSeesWhatIsRightBesideWhatIsWrong) {
  auto host = Make();
  const auto problems = Check(host, "unruly", "      count: many\n      secret: {env: TASTE}\n      colour: red\n");
  std::string text;
  for (const auto& problem : problems.All()) text += problem.message + '\n';
  EXPECT_NE(text.find("count: expected a whole number"), std::string::npos) << text;
  EXPECT_NE(text.find("\"colour\" is not a key"), std::string::npos) << text;
  EXPECT_NE(text.find("*** is not a good secret"), std::string::npos) << text;
}

TEST_F(Host, SlacksPlaceholderIsCaughtWithItsLineAndNotShown) {
  auto host = Make({fs::path(HSW_BINARY_DIR) / "lib/hookswitch/sinks"});
  const auto problems = Check(host, "slack", "      webhook_url: https://hooks.slack.com/services/T000/B000/XXXX\n");
  std::string text;
  for (const auto& problem : problems.All()) text += ToText(problem);
  EXPECT_NE(text.find("hookswitch.yaml:8:20: error: sinks.ops: webhook_url is a placeholder, not a real webhook URL"),
            std::string::npos)
      << text;
  EXPECT_EQ(text.find("T000"), std::string::npos) << text;
}

TEST_F(Host, CheckReportsAMissingVariable) {
  auto host = Make();
  const auto problems = Check(host, "unruly", "      secret: {env: NO_SUCH_VARIABLE}\n");
  ASSERT_TRUE(problems.HasErrors());
  EXPECT_NE(problems.All().front().message.find("NO_SUCH_VARIABLE"), std::string::npos);
}

TEST_F(Host, AGoodConfigHasNoProblems) {
  auto host = Make();
  const auto problems = Check(host, "unruly", "      count: 5\n");
  EXPECT_TRUE(problems.All().empty()) << ToText(problems.All().front());
}

TEST_F(Host, CreateSaysWhyThePluginRefusesWithoutItsSecrets) {
  auto host = Make();
  auto sink = Create(host, "unruly", "      secret: refuse-me\n");
  ASSERT_FALSE(sink);
  EXPECT_EQ(sink.error().code, ErrorCode::kInvalid);
  EXPECT_NE(sink.error().message.find("the secret *** is not to my taste"), std::string::npos) << sink.error().message;
  EXPECT_FALSE(Create(host, "unruly", "      secret: throw-at-me\n"));
}

TEST_F(Host, ARefusalToMakeAnInstanceIsAnErrorOfThePlugin) {
  auto host = Make();
  EXPECT_EQ(Misbehaviour(host, "unruly", "      secret: {env: DISLIKED}\n"),
            "sinks.ops: the plugin unruly 0.1 refuses its config: the secret *** is not to my taste");
}

// libcurl quotes one that it cannot read, to HTTP sinks and to those that connect by themselves.
TEST_F(Host, PasswordsOfTheEnvironmentsProxiesAreSecretsOfEverySink) {
  auto host = Make();
  const PluginInfo info = Inspect(host, "unruly");
  const config::Sink sink = SinkOf("unruly", "      count: 5\n");
  for (const char* name : {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}) {
    SCOPED_TRACE(name);
    const std::string proxy = "http://ann:correct-horse@proxy:3128";
    for (const std::string& value : {proxy, std::string("http://proxy:3128")}) {
      ::setenv(name, value.c_str(), 1);
      config::Problems problems;
      const auto secrets = PluginHost::Resolve(info, sink, "UTC", environment_, problems).secrets;
      EXPECT_EQ(std::count(secrets.begin(), secrets.end(), value), value == proxy ? 1 : 0);
    }
    ::unsetenv(name);
  }
}

struct Misbehaviour {
  const char* wish;
  std::vector<const char*> words;
};

class Tried : public Host, public testing::WithParamInterface<Misbehaviour> {};

// Nothing of it happens in this process, whose next steps are the same host's.
TEST_P(Tried, WhereItEndsAndHow) {
  auto host = Make();
  const std::string wish = GetParam().wish;
  const std::string why =
      Misbehaviour(host, "unruly", "      secret: hunter2-of-unruly\n      misbehave: " + wish + "\n");
  EXPECT_NE(why.find("unruly.so"), std::string::npos) << why;
  EXPECT_NE(why.find(" its " + wish.substr(0, wish.find(' '))), std::string::npos) << why;
  for (const char* words : GetParam().words) EXPECT_NE(why.find(words), std::string::npos) << why;
  EXPECT_EQ(why.find("hunter2"), std::string::npos) << why;
  EXPECT_EQ(Misbehaviour(host, "unruly", "      count: 5\n"), "");
}

std::string NameOf(const testing::TestParamInfo<Misbehaviour>& info) {
  std::string name = info.param.wish;
  for (char& c : name) c = c == ' ' ? '_' : c;
  return name;
}

INSTANTIATE_TEST_SUITE_P(
    EachFunction, Tried,
    testing::Values(
        Misbehaviour{"create abort", {"signal 6"}}, Misbehaviour{"check exit", {"exit code 0"}},
        Misbehaviour{"create exit", {"exit code 0"}}, Misbehaviour{"destroy exit", {"exit code 0"}},
        Misbehaviour{"create _exit", {"exit code 0"}}, Misbehaviour{"create quick_exit", {"exit code 0"}},
        Misbehaviour{"check throw", {"throws an exception"}}, Misbehaviour{"create throw", {"throws an exception"}},
        Misbehaviour{"destroy throw", {"throws an exception"}}, Misbehaviour{"check hang", {"hangs", "after 5s"}},
        Misbehaviour{"create hang", {"hangs", "after 5s"}}, Misbehaviour{"destroy hang", {"hangs", "after 5s"}}),
    NameOf);

// A sanitizer ends the process in its own way.
#ifndef HSW_SANITIZED
INSTANTIATE_TEST_SUITE_P(Signals, Tried,
                         testing::Values(Misbehaviour{"check crash", {"signal 11"}},
                                         Misbehaviour{"create crash", {"signal 11"}},
                                         Misbehaviour{"advise crash", {"signal 11"}},
                                         Misbehaviour{"destroy crash", {"signal 11"}},
                                         Misbehaviour{"create overflow", {"signal 11"}}),
                         NameOf);
#endif

TEST_F(Host, AChildThatTriesAPluginHasNothingOfTheRoutersEnvironment) {
  ::setenv("HSW_TEST_SECRET", "hunter2", 1);
  auto host = Make();
  const std::string why = Misbehaviour(host, "unruly", "      misbehave: create environment\n");
  ::unsetenv("HSW_TEST_SECRET");
  EXPECT_NE(why.find("saying: 0 variables, 5 descriptors"), std::string::npos) << why;
}

std::shared_ptr<CrashMarks> g_marks;

hsw_instance* BlamedAndKilled(const hsw_host*, const hsw_config*, char*, std::size_t) {
  g_marks->Blame();
  ::kill(::getpid(), SIGKILL);
  return nullptr;
}

TEST_F(Host, AStartGoesOnWithoutWhatEndedTheProcessUntilThatSucceeds) {
  const std::string path = folder_ / "marks", lines = "      count: 5\n";
  const pid_t child = ::fork();
  if (child == 0) {
    g_marks = std::move(*CrashMarks::Open(path));
    PluginHost host({kGood}, HSW_TEST_INSPECTOR, g_marks);
    Load(host, "unruly")->sink.create = BlamedAndKilled;
    (void)Create(host, "unruly", lines);
    ::_exit(1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));

  PluginHost host({kGood}, HSW_TEST_INSPECTOR, std::move(*CrashMarks::Open(path)));
  const auto ended = [&](const std::string& of) {
    config::Problems problems;
    const PluginInfo info = Inspect(host, "unruly");
    return host.EndedTheProcess(info, PluginHost::Resolve(info, SinkOf("unruly", of), "UTC", environment_, problems));
  };
  EXPECT_NE(ended(lines).find("unruly.so ended hookswitch the last time, in its create"), std::string::npos)
      << ended(lines);
  EXPECT_EQ(ended("      count: 6\n"), "") << "with another config it may work";
  EXPECT_TRUE(Create(host, "unruly", lines));
  EXPECT_EQ(ended(lines), "");
}

}  // namespace
}  // namespace hookswitch
