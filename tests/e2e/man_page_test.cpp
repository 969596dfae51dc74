// The man page has every command and every option that --help has, and no other; the pages name no other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>

#include "tests/e2e/pages.h"
#include "tests/e2e/router.h"

namespace hookswitch::e2e {
namespace {

using testing::IsEmpty;

/// The page without its marks: "\fB\-\-all\fR" is "--all".
std::string ManPage() {
  const std::string text = ReadFile(std::string(HSW_SOURCE_DIR) + "/config/hookswitch.1");
  return std::regex_replace(std::regex_replace(text, std::regex(R"(\\f[BIR])"), ""), std::regex(R"(\\-)"), "-");
}

std::set<std::string> OptionsIn(const std::string& text) {
  static const std::regex kOption(R"((?:^|[^-\w])(--[a-z][a-z-]*))");
  std::set<std::string> options;
  for (std::sregex_iterator at(text.begin(), text.end(), kOption), end; at != end; ++at) options.insert((*at)[1]);
  return options;
}

/// What --help has: "deliveries replay", and the options that lines of help begin with.
struct Help {
  std::set<std::string> commands, options;
};

void Collect(const std::vector<std::string>& command, Help& help) {
  std::vector<std::string> arguments = {Program()};
  arguments.insert(arguments.end(), command.begin(), command.end());
  arguments.emplace_back("--help");
  const Finished finished = RunProgram(arguments);
  ASSERT_EQ(finished.exit_code, 0) << finished.err;
  static const std::regex kLine(R"(  (\S+).*)");
  std::istringstream lines(finished.out);
  std::string part;
  for (std::string line; std::getline(lines, line);) {
    if (line == "Options:" || line == "Subcommands:" || line == "Positionals:") part = line;
    std::smatch match;
    if (!std::regex_match(line, match, kLine) || line[2] == ' ') continue;
    if (part == "Options:")
      help.options.merge(OptionsIn(" " + std::regex_replace(match[1].str(), std::regex(","), " ")));
    if (part != "Subcommands:") continue;
    std::vector<std::string> inner = command;
    inner.push_back(match[1]);
    std::string path;
    for (const std::string& word : inner) path += (path.empty() ? "" : " ") + word;
    help.commands.insert(path);
    Collect(inner, help);
  }
}

TEST(ManPage, HasTheCommandsAndOptionsOfHelpAndNoOthers) {
  Help help;
  Collect({}, help);
  EXPECT_GT(help.commands.size(), 20U);
  EXPECT_GT(help.options.size(), 25U);

  const std::string page = ManPage();
  for (const std::string& command : help.commands) {
    // A command that only holds others is none by itself.
    const bool is_group = command == "journal" || command == "plugin";
    const std::regex heading("\n\\.B " + command + "(?: [-A-Z\\[].*)?\n");
    EXPECT_NE(std::regex_search(page, heading), is_group) << command;
  }
  const std::set<std::string> named = OptionsIn(page);
  std::vector<std::string> missing, unknown;
  std::set_difference(help.options.begin(), help.options.end(), named.begin(), named.end(),
                      std::back_inserter(missing));
  std::set_difference(named.begin(), named.end(), help.options.begin(), help.options.end(),
                      std::back_inserter(unknown));
  EXPECT_THAT(missing, IsEmpty());
  EXPECT_THAT(unknown, IsEmpty());
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
