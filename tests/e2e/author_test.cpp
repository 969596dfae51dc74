// Sink authors: what `hookswitch plugin` does for them, and the way from nothing to a first message.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <future>

#include "core/base/text.h"
#include "tests/e2e/pages.h"
#include "tests/e2e/router.h"
#include "tests/fakes/http_loop.h"
#include "tests/sinks/free_port.h"

namespace hookswitch::e2e {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class BundledSink : public testing::TestWithParam<std::string> {};

TEST_P(BundledSink, KeepsEveryPromise) {
  const TempDir dir;
  std::string config = ReadFile(std::string(HSW_SOURCE_DIR) + "/tests/conformance/bundled/" + GetParam() + ".yaml");
  if (const auto at = config.find("{dir}"); at != std::string::npos) config.replace(at, 5, (dir / "."));
  WriteFile(dir / "config.yaml", config);
  const std::string plugin = PluginFolder() + "/" + GetParam().substr(0, GetParam().find('-')) + ".so";
  const auto checked =
      RunProgram({Program(), "plugin", "check", plugin, "--with", dir / "config.yaml"}, {}, seconds(120));
  EXPECT_EQ(checked.exit_code, 0) << checked.out << checked.err;
  EXPECT_THAT(checked.out, HasSubstr("  ok    "));
}

std::vector<std::string> Configs() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(std::string(HSW_SOURCE_DIR) + "/tests/conformance/bundled")) {
    names.push_back(entry.path().stem());
  }
  std::sort(names.begin(), names.end());
  return names;
}

INSTANTIATE_TEST_SUITE_P(Each, BundledSink, testing::ValuesIn(Configs()), [](const auto& info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(BundledSinks, AreCheckedWithTheConfigOfACaseWhereNoneIsGiven) {
  const std::string plugin = PluginFolder() + "/ntfy.so",
                    cases = std::string(HSW_SOURCE_DIR) + "/tests/golden/sinks/ntfy";
  const auto checked = RunProgram({Program(), "plugin", "check", plugin, "--cases", cases}, {}, seconds(120));
  EXPECT_EQ(checked.exit_code, 0) << checked.out << checked.err;
  const auto without = RunProgram({Program(), "plugin", "check", plugin}, {}, seconds(120));
  EXPECT_EQ(without.exit_code, 1);
  EXPECT_THAT(without.err, HasSubstr("--with FILE"));
}

TEST(BundledSinks, AreAllChecked) {
  const auto configs = Configs();
  for (const auto& entry : fs::directory_iterator(PluginFolder())) {
    const std::string name = entry.path().stem();
    EXPECT_TRUE(std::any_of(configs.begin(), configs.end(),
                            [&](const auto& config) { return config.substr(0, config.find('-')) == name; }))
        << name << " has no config in tests/conformance/bundled";
  }
}

/// An installed hookswitch, and an empty folder that is not in its tree.
class Author : public testing::Test {
 protected:
  Author() {
    const auto installed = RunProgram({"/usr/bin/cmake", "--install", HSW_BINARY_DIR, "--prefix", dir_ / "usr"});
    EXPECT_EQ(installed.exit_code, 0) << installed.err;
  }
  /// Runs lines as a person would type them, in `folder`; the first that fails is the last.
  Finished Shell(const std::string& lines, const std::string& folder) {
    const std::string usr = dir_ / "usr";
    return RunProgram(
        {"/bin/sh", "-e", "-c",
         "export PATH=" + usr + "/bin:$PATH CMAKE_PREFIX_PATH=" + usr + "; cd '" + folder + "'\n" + lines},
        {}, seconds(120));
  }
  /// What differs here: where hookswitch is installed, who installs, which ports are free.
  std::string AsHere(std::string lines) const {
    ReplaceAll(lines, "sudo ", "");
    for (const char* folder : {" /usr/", "@/usr/"}) {
      ReplaceAll(lines, folder, folder[0] + (dir_ / "usr/"));
    }
    ReplaceAll(lines, " --count 1", " --count 1 --listen 127.0.0.1:" + std::to_string(service_));
    ReplaceAll(lines, ":8010/", ":" + std::to_string(ingress_) + "/");
    return lines;
  }
  /// Writes the same ports into a project's try.yaml.
  void ChoosePorts(const std::string& project) const {
    std::string config = ReadFile(project + "/try.yaml");
    ReplaceAll(config, ":9000", ":" + std::to_string(service_));
    ReplaceAll(config, ":8010", ":" + std::to_string(ingress_));
    ReplaceAll(config, ":8011", ":" + std::to_string(test::FreePort()));
    WriteFile(project + "/try.yaml", config);
  }
  const int service_ = test::FreePort(), ingress_ = test::FreePort();
  TempDir dir_;
};

TEST_F(Author, EveryKindOfProjectBuildsAndKeepsItsPromises) {
  for (const char* kind : {"http", "call"}) {
    for (const char* language : {"cpp", "c"}) {
      const std::string name = std::string("my-") + kind + "-" + language;
      SCOPED_TRACE(name);
      const auto made = Shell("hookswitch plugin new " + name + " --kind " + kind + " --lang " + language, dir_ / ".");
      ASSERT_EQ(made.exit_code, 0) << made.err;
      ChoosePorts(dir_ / name);
      const auto ran = Shell("export CFLAGS='-Wall -Wextra -Werror' CXXFLAGS='-Wall -Wextra -Werror'\n" +
                                 AsHere(BlocksIn(name, ReadFile(dir_ / name + "/README.md"), "sh").at(0).text),
                             dir_ / name);
      ASSERT_EQ(ran.exit_code, 0) << ran.out << ran.err;
      EXPECT_THAT(ran.out, HasSubstr("100% tests passed"));
      EXPECT_THAT(ran.out, HasSubstr("\"deliveries\":1"));
    }
  }
}

TEST_F(Author, AWrongOutcomeOfACaseIsShownWithItsLine) {
  ASSERT_EQ(
      Shell("hookswitch plugin new pager && cmake -S pager -B build && cmake --build build", dir_ / ".").exit_code, 0);
  const std::string file = dir_ / "pager/tests/cases/busy.json";
  std::string text = ReadFile(file);
  text.replace(text.find("5000", text.find("outcome")), 4, "6000");
  WriteFile(file, text);
  const std::string check =
      "hookswitch plugin check build/pager.so --with pager/tests/config.yaml --cases pager/tests/cases";
  const auto wrong = Shell(check, dir_ / ".");
  EXPECT_EQ(wrong.exit_code, 1);
  EXPECT_THAT(wrong.out, HasSubstr("FAIL  case busy"));
  EXPECT_THAT(wrong.out, HasSubstr("outcome/retry_after_ms: should be 6000"));
  const auto updated = Shell(check + " --update", dir_ / ".");
  EXPECT_EQ(updated.exit_code, 0);
  EXPECT_THAT(updated.out, HasSubstr("case busy (changed: outcome/retry_after_ms: was 6000, is 5000)"));
  EXPECT_THAT(updated.out, HasSubstr("case success (unchanged)"));
  EXPECT_EQ(Shell(check, dir_ / ".").exit_code, 0);
  fs::rename(dir_ / "build/pager.so", dir_ / "build/other.so");
  const auto renamed = Shell("hookswitch plugin check build/other.so --with pager/tests/config.yaml", dir_ / ".");
  EXPECT_EQ(renamed.exit_code, 1);
  EXPECT_THAT(renamed.out, HasSubstr("its id is \"pager\", and `plugin: other` finds this file"));
}

// The lines are those of plugins/README.md, "Conformance checks".
#ifndef HSW_SANITIZED
TEST_F(Author, ASanitizerFindsWhatAPluginDoesWrong) {
  const std::string readme = ReadFile(std::string(HSW_SOURCE_DIR) + "/plugins/README.md");
  ASSERT_EQ(Shell("hookswitch plugin new pager", dir_ / ".").exit_code, 0);
  const std::string build =
      "cmake -B build-asan -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS=-fsanitize=address,undefined && "
      "cmake --build build-asan";
  const std::string check =
      "hookswitch plugin check --sanitize build-asan/pager.so --with tests/config.yaml --cases tests/cases";
  EXPECT_THAT(readme, HasSubstr(build));
  EXPECT_THAT(readme, HasSubstr(check));
  const std::string pager = dir_ / "pager";
  const auto built = Shell(build, pager);
  ASSERT_EQ(built.exit_code, 0) << built.out << built.err;
  EXPECT_THAT(Shell("hookswitch plugin inspect build-asan/pager.so", pager).err, HasSubstr("plugin check --sanitize"));
  const auto sound = Shell(check, pager);
  EXPECT_EQ(sound.exit_code, 0) << sound.out << sound.err;

  const std::string file = dir_ / "pager/pager.cpp";
  const std::string good = ReadFile(file);
  const std::string at = "    request.Url(url_);\n";
  ASSERT_THAT(good, HasSubstr(at));
  for (const auto& [mistake, words] :
       {std::pair<std::string, const char*>{
            "    request.Header(\"X-Next\", std::to_string(url_.c_str()[url_.size() + 1]));\n", "buffer-overflow"},
        {"    const int most = 2147483647;\n    request.Header(\"X-Next\", std::to_string(most + "
         "static_cast<int>(url_.size())));\n",
         "signed integer overflow"}}) {
    SCOPED_TRACE(words);
    std::string bad = good;
    WriteFile(file, bad.insert(bad.find(at), mistake));
    ASSERT_EQ(Shell("cmake --build build-asan", pager).exit_code, 0);
    const auto found = Shell(check, pager);
    EXPECT_EQ(found.exit_code, 1) << found.out << found.err;
    EXPECT_THAT(found.err, testing::AllOf(HasSubstr(words), HasSubstr("pager.cpp:")));
    EXPECT_THAT(found.out, HasSubstr("FAIL"));
  }
  const auto plain = Shell("hookswitch plugin check --sanitize telegram", pager);
  EXPECT_EQ(plain.exit_code, 1);
  EXPECT_THAT(plain.err, HasSubstr("was not linked with libasan"));
}
#endif

TEST_F(Author, MistakesAreToldAndHarmNothing) {
  EXPECT_THAT(Shell("hookswitch plugin new Pager", dir_ / ".").err, HasSubstr("cannot be a plugin's name"));
  EXPECT_FALSE(fs::exists(dir_ / "Pager"));
  ASSERT_EQ(Shell("hookswitch plugin new pager", dir_ / ".").exit_code, 0);
  const auto again = Shell("hookswitch plugin new pager", dir_ / ".");
  EXPECT_EQ(again.exit_code, 1);
  EXPECT_THAT(again.err, HasSubstr("is there already"));
  const auto no_config = Shell("hookswitch plugin check telegram", dir_ / ".");
  EXPECT_EQ(no_config.exit_code, 1);
  EXPECT_THAT(no_config.err, HasSubstr("--with FILE"));
  WriteFile(dir_ / "wrong.yaml", "token: \"123456:ABCDEFGHIJKLMNOPQRSTUVWXYZ\"\nchat: 5\n");
  const auto wrong = Shell("hookswitch plugin check telegram --with wrong.yaml", dir_ / ".");
  EXPECT_EQ(wrong.exit_code, 1);
  EXPECT_THAT(wrong.out + wrong.err, HasSubstr("wrong.yaml:2:1: error"));
}

TEST_F(Author, TenCommandsLeadFromNothingToAFirstMessage) {
  const std::string lines =
      BlocksIn("installed", ReadFile(dir_ / "usr/share/doc/hookswitch/plugins/README.md"), "sh").at(0).text;
  EXPECT_LE(std::count(lines.begin(), lines.end(), '\n'), 10);
  const auto first = lines.find('\n') + 1;
  const auto made = Shell(lines.substr(0, first), dir_ / ".");
  ASSERT_EQ(made.exit_code, 0) << made.err;
  ChoosePorts(dir_ / "pager");
  const auto ran = Shell(AsHere(lines.substr(first)), dir_ / ".");
  ASSERT_EQ(ran.exit_code, 0) << ran.out << ran.err << ReadFile(dir_ / "pager/build/log.jsonl");
  EXPECT_THAT(ran.out, HasSubstr("POST /v1/messages  application/json, "));
  EXPECT_THAT(ran.out, HasSubstr(R"({"title":"Bolna call ended: no-answer",)"));
  EXPECT_THAT(ran.out, HasSubstr("delivered"));
}

TEST_F(Author, TheSinkOfThePageBuildsAndKeepsItsPromises) {
  ASSERT_EQ(Shell("hookswitch plugin new pager", dir_ / ".").exit_code, 0);
  WriteFile(dir_ / "pager/pager.cpp", BlocksOf("plugins/README.md", "cpp").at(0).text);
  const auto ran = Shell(
      "cmake -S pager -B pager/build; cmake --build pager/build; "
      "hookswitch plugin check pager/build/pager.so --with pager/tests/config.yaml",
      dir_ / ".");
  EXPECT_EQ(ran.exit_code, 0) << ran.out << ran.err;
}

TEST_F(Author, ASinkGetsIntoTheRouterThatIsInstalled) {
  ASSERT_EQ(Shell("hookswitch plugin new pager; cmake -S pager -B pager/build; cmake --build pager/build", dir_ / ".")
                .exit_code,
            0);
  std::promise<std::string> arrived;
  auto server = fakes::HttpLoop::Start([&, first = true](const fakes::HttpRequest& request) mutable {
    if (std::exchange(first, false)) arrived.set_value(std::string(request.body));
    return fakes::HttpReply{};
  });
  ASSERT_TRUE(server);
  RouterConfig config(dir_);
  config.plugin_paths = dir_ / "usr/lib/hookswitch/sinks";
  config.Slack("ops", "http://127.0.0.1:9/services/T0/B0/x");
  config.admin = "{listen: \"127.0.0.1:" + std::to_string(test::FreePort()) + "\"}";
  Router router(config.Write());
  ASSERT_TRUE(router.Ready());

  std::string lines = AsHere(BlocksOf("plugins/README.md", "sh").at(1).text);
  WriteFile(dir_ / "environment", "");
  ReplaceAll(lines, "/etc/hookswitch/environment", dir_ / "environment");
  const std::string with_config = "export HOOKSWITCH_CONFIG=" + config.Path() + "\n";
  const auto check = lines.find("hookswitch check");
  const auto installed = Shell(with_config + lines.substr(0, check), dir_ / ".");
  ASSERT_EQ(installed.exit_code, 0) << installed.out << installed.err;
  EXPECT_THAT(installed.out, HasSubstr("allow_http"));
  config.sinks +=
      "  pager:\n    plugin: pager\n    config: {url: \"http://127.0.0.1:" + std::to_string((*server)->Port()) +
      "/\", key: k, allow_http: true}\n";
  config.rules = "  - {name: all, send: [pager]}\n";
  config.Write();
  const auto reloaded = Shell(with_config + lines.substr(check), dir_ / ".");
  ASSERT_EQ(reloaded.exit_code, 0) << reloaded.out << reloaded.err << router.Log();
  ASSERT_EQ(router.Post(Call(CallId(7))).status, 200);
  auto body = arrived.get_future();
  ASSERT_EQ(body.wait_for(seconds(20)), std::future_status::ready) << router.Log();
  EXPECT_THAT(body.get(), HasSubstr("Bolna call ended: completed"));
}

}  // namespace
}  // namespace hookswitch::e2e
