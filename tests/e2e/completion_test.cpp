// What `hookswitch completion` prints, in the shells that it is for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "tests/e2e/router.h"

namespace hookswitch::e2e {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

class Completion : public testing::Test {
 protected:
  /// The lines that `shell` prints for `commands`, which find the script in $1.
  std::vector<std::string> Lines(const std::string& shell, const std::vector<std::string>& options,
                                 const std::string& commands) const {
    const std::string file = dir_ / shell;
    const Finished script = RunProgram({Program(), "completion", shell});
    EXPECT_EQ(script.exit_code, 0) << script.err;
    WriteFile(file, script.out);
    std::vector<std::string> command{"/usr/bin/" + shell};
    command.insert(command.end(), options.begin(), options.end());
    command.insert(command.end(), {"-c", commands});
    if (shell != "fish") command.emplace_back(shell);
    command.push_back(file);
    const Finished ran = RunProgram(command);
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_EQ(ran.err, "");
    std::vector<std::string> lines;
    std::istringstream text(ran.out);
    for (std::string line; std::getline(text, line);) lines.push_back(line);
    return lines;
  }

  TempDir dir_;
};

TEST_F(Completion, BashCompletesCommandsOptionsValuesAndFiles) {
  WriteFile(dir_ / "router.yaml", "");
  const auto lines =
      Lines("bash", {"--norc"},
            "source \"$1\"; cd \"$(dirname \"$1\")\"\n"
            "at() { COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); _hookswitch; echo \"${COMPREPLY[*]}\"; }\n"
            "at hookswitch sta\n"
            "at hookswitch sinks p\n"
            "at hookswitch sinks pause --b\n"
            "at hookswitch check --format ''\n"
            "at hookswitch check --format = j\n"
            "at hookswitch check -c rou\n"
            "at hookswitch completion ''\n"
            "at hookswitch plugin check rou\n"
            "at hookswitch preview --sink status --ev\n"
            "at hookswitch route --at ''\n");
  EXPECT_THAT(lines, ElementsAre("status", "pause", "--because", "text json", "json", "router.yaml", "bash zsh fish",
                                 "router.yaml", "--event", ""));
}

TEST_F(Completion, FishCompletesCommandsOptionsAndValues) {
  const auto lines = Lines("fish", {"--no-config"},
                           "source $argv[1]\n"
                           "complete -C 'hookswitch sinks p'\n"
                           "complete -C 'hookswitch sinks pause --b'\n"
                           "complete -C 'hookswitch check --format j'\n"
                           "complete -C 'hookswitch completion z'\n");
  EXPECT_THAT(lines, ElementsAre("pause\thold a sink's deliveries", "--because\twhy, for those who see it paused",
                                 "json\thow to print the result", "zsh"));
}

TEST_F(Completion, ZshIsToldWhatACommandTakes) {
  // In place of zsh's own function, which only works while somebody types.
  const auto lines = Lines("zsh", {"-f"},
                           "compdef() { }; _arguments() { print -rl -- \"$@\" \"$CURRENT ${words[*]}\" }\n"
                           "source $1\n"
                           "words=(hookswitch sinks pause ops --because '') CURRENT=6; _hookswitch\n");
  EXPECT_THAT(lines, Contains("--because=[why, for those who see it paused]:TEXT:"));
  EXPECT_THAT(lines, Contains("--format=[how to print the result]:FORMAT:(text json)"));
  EXPECT_THAT(lines, Contains(AllOf(HasSubstr("(-c --config)-c[the config file"), HasSubstr("]:FILE:_files"))));
  EXPECT_THAT(lines, Contains("1:NAME:"));
  ASSERT_FALSE(lines.empty());
  EXPECT_EQ(lines.back(), "4 pause ops --because ");
}

}  // namespace
}  // namespace hookswitch::e2e
