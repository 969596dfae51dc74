// The manual has every command and option that --help has, and the pages name no other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "tests/e2e/pages.h"
#include "tests/e2e/router.h"

namespace hookswitch::e2e {
namespace {

using testing::HasSubstr;

const std::string kManual = std::string(HSW_BINARY_DIR) + "/share/man";

/// The page of a command without its marks: "\fB\-\-all\fR" is "--all".
std::string ManPage(const std::string& command) {
  const std::string name = command.empty() ? "hookswitch" : "hookswitch-" + command.substr(0, command.find(' '));
  const std::string text = ReadFile(kManual + "/man1/" + name + ".1");
  return std::regex_replace(std::regex_replace(text, std::regex(R"(\\f[BIR])"), ""), std::regex(R"(\\-)"), "-");
}

std::set<std::string> OptionsIn(const std::string& text) {
  static const std::regex kOption(R"((?:^|[^-\w])(--[a-z][a-z-]*))");
  std::set<std::string> options;
  for (std::sregex_iterator at(text.begin(), text.end(), kOption), end; at != end; ++at) options.insert((*at)[1]);
  return options;
}

/// What --help has: "deliveries replay", and the options that lines of each command's help begin with.
struct Help {
  std::map<std::string, std::set<std::string>> commands;
  std::set<std::string> options;
};

void Collect(const std::vector<std::string>& command, Help& help) {
  std::vector<std::string> arguments = {Program()};
  arguments.insert(arguments.end(), command.begin(), command.end());
  arguments.emplace_back("--help");
  const Finished finished = RunProgram(arguments);
  ASSERT_EQ(finished.exit_code, 0) << finished.err;
  std::string path;
  for (const std::string& word : command) path += (path.empty() ? "" : " ") + word;
  auto& options = help.commands[path];
  static const std::regex kLine(R"(  (\S+).*)");
  std::istringstream lines(finished.out);
  std::string part;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(' ')) part = line;
    std::smatch match;
    if (!std::regex_match(line, match, kLine) || line[2] == ' ') continue;
    if (part == "Options:") options.merge(OptionsIn(" " + std::regex_replace(match[1].str(), std::regex(","), " ")));
    if (part != "Subcommands:") continue;
    std::vector<std::string> inner = command;
    inner.push_back(match[1]);
    Collect(inner, help);
  }
  help.options.insert(options.begin(), options.end());
}

TEST(ManPages, EachCommandsHasItsOptionsAndThoseOfTheCommandsBelowIt) {
  Help help;
  Collect({}, help);
  EXPECT_GT(help.commands.size(), 20U);
  EXPECT_GT(help.options.size(), 25U);
  std::set<std::string> expected{"hookswitch.1"};
  for (const auto& [command, options] : help.commands) {
    const std::string page = ManPage(command);
    EXPECT_THAT(page, HasSubstr("hookswitch" + (command.empty() ? "" : ' ' + command))) << command;
    const std::set<std::string> named = OptionsIn(page);
    EXPECT_TRUE(std::ranges::includes(named, options)) << command << ": " << page;
    if (command.empty() || command.find(' ') != std::string::npos) continue;
    expected.insert("hookswitch-" + command + ".1");
    EXPECT_THAT(ManPage(""), HasSubstr("hookswitch-" + command + "(1)"));
  }
  std::set<std::string> pages;
  for (const auto& entry : std::filesystem::directory_iterator(kManual + "/man1"))
    pages.insert(entry.path().filename());
  EXPECT_EQ(pages, expected);
}

TEST(ManPages, TheConfigsHasItsKeysAndThoseOfTheSinks) {
  const std::string page = std::regex_replace(ReadFile(kManual + "/man5/hookswitch.yaml.5"), std::regex(R"(\\-)"), "-");
  for (const char* key : {"server.listen", "sources.<name>.auth.secret", "admin.tokens[].may",
                          "rules[].when.min_duration", "rules[].when.data.<path>", "sinks.<name>.retry.schedule",
                          "schedules.<name>.windows[].hours", "rules[].send[].template", "webhook_url"}) {
    EXPECT_THAT(page, HasSubstr("\\fB" + std::string(key) + "\\fR\n")) << key;
  }
  EXPECT_THAT(page, HasSubstr("default \"0.0.0.0:8000\""));
  EXPECT_THAT(page, HasSubstr("\n.SS slack\n"));
}

TEST(ManPages, AreCleanForTroff) {
  std::vector<std::string> command{"/usr/bin/groff", "-K", "utf8", "-man", "-Tutf8", "-ww", "-z"};
  for (const char* folder : {"/man1", "/man5"}) {
    for (const auto& entry : std::filesystem::directory_iterator(kManual + folder)) command.push_back(entry.path());
  }
  const Finished read = RunProgram(command);
  EXPECT_EQ(read.exit_code, 0);
  EXPECT_EQ(read.err, "");
}

TEST(Pages, NameOnlyCommandsAndOptionsThatThereAre) {
  Help help;
  Collect({}, help);
  static const std::regex kInline("`hookswitch ([^`]+)`");
  static const std::regex kWord("[a-z][a-z-]*");
  int found = 0;
  for (const std::string& page : hookswitch::e2e::Pages()) {
    const std::string text =
        std::regex_replace(ReadFile(std::string(HSW_SOURCE_DIR) + "/" + page), std::regex("\\\\\\|"), "|");
    for (std::sregex_iterator at(text.begin(), text.end(), kInline), end; at != end; ++at, ++found) {
      const std::string typed = (*at)[1];
      const auto first = typed.substr(0, typed.find(' '));
      EXPECT_TRUE(first.starts_with("--") || help.commands.contains(first)) << page << ": hookswitch " << typed;
      for (const std::string& option : OptionsIn(" " + typed)) {
        EXPECT_TRUE(help.options.contains(option)) << page << ": hookswitch " << typed;
      }
      if (first != "journal" && first != "plugin") continue;
      // "plugin list|inspect NAME" names two.
      const std::string rest = typed.substr(first.size() + 1);
      const std::string verbs = rest.substr(0, rest.find(' '));
      for (std::sregex_iterator verb(verbs.begin(), verbs.end(), kWord); verb != end; ++verb) {
        EXPECT_TRUE(help.commands.contains(first + " " + verb->str())) << page << ": hookswitch " << typed;
      }
    }
  }
  EXPECT_GT(found, 40);
}

}  // namespace
}  // namespace hookswitch::e2e
