#include "core/config/env_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "core/config/loader.h"
#include "tests/config/memory_environment.h"

namespace hookswitch::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

using Values = std::map<std::string, std::string, std::less<>>;

struct Case {
  const char* about;
  const char* text;
  Values values;
};

// systemd.exec(5), EnvironmentFile=, sentence by sentence.
const Case kCases[] = {
    {"newline-separated variable assignments", "A=1\nB=2\n", {{"A", "1"}, {"B", "2"}}},
    {"the last line needs no end", "A=1\nB=2", {{"A", "1"}, {"B", "2"}}},
    {"empty lines and those that begin with ; or # are ignored", "\n# A=1\n  ; B=2\n\t\nC=3\n", {{"C", "3"}}},
    {"a comment ends with its line, whatever is at its end", "# A=1 \\\nB=2\n", {{"B", "2"}}},
    {"lines without = are ignored", "A\nB=2\n", {{"B", "2"}}},
    {"a # inside a value is a part of it", "A=1 # one\nB=#2\n", {{"A", "1 # one"}, {"B", "#2"}}},
    {"leading and trailing white space is discarded", "  A \t=\t 1 2  \r\nB=3\r\n", {{"A", "1 2"}, {"B", "3"}}},
    {"interior white space is preserved", "A=1 \t 2\n", {{"A", "1 \t 2"}}},
    {"a value may be empty", "A=\nB=\"\"\nC=''\nD=  \nE=x", {{"A", ""}, {"B", ""}, {"C", ""}, {"D", ""}, {"E", "x"}}},
    {"a value may hold =", "A=b=c==\n", {{"A", "b=c=="}}},
    {"unquoted: a backslash preserves the next character", "A=\\\\ \\\" \\' \\n \\$\n", {{"A", "\\ \" ' n $"}}},
    {"unquoted: a line ending with a backslash is continued",
     "A=one\\\ntwo\\\n  three\nB=2\n",
     {{"A", "onetwo  three"}, {"B", "2"}}},
    {"unquoted: an escaped space at the end stays", "A=1\\ \nB=2\n", {{"A", "1 "}, {"B", "2"}}},
    {"unquoted: quotes after the first character are preserved",
     "A=it's \"so\"\nB=x\"y\"\n",
     {{"A", "it's \"so\""}, {"B", "x\"y\""}}},
    {"single quotes: verbatim, over lines, without escapes",
     "A='a \\n \"b\" $c\n# d'\nB=2\n",
     {{"A", "a \\n \"b\" $c\n# d"}, {"B", "2"}}},
    {"single quotes: white space outside is discarded", "A=  ' b '  \n", {{"A", " b "}}},
    {"double quotes: over lines, with the shell's escapes",
     "A=\"a \\\" \\\\ \\` \\$ \\n\nb\"\n",
     {{"A", "a \" \\ ` $ \\n\nb"}}},
    {"double quotes: a backslash before the line's end joins the lines", "A=\"a\\\nb\"\n", {{"A", "ab"}}},
    {"double quotes: white space outside is discarded", "A=  \" b \"  \n", {{"A", " b "}}},
    {"quoted parts one after the other are one value", "A=\"a\" 'b'\nB='c'd\n", {{"A", "ab"}, {"B", "cd"}}},
    {"nothing is expanded", "A=$HOME\nB=\"${A}\"\n", {{"A", "$HOME"}, {"B", "${A}"}}},
    {"the last of several assignments counts", "A=1\nA=2\n", {{"A", "2"}}},
    {"what is no name is ignored", "1A=1\nA-B=2\n=3\nA B=4\nexport C=5\nD=6\n", {{"D", "6"}}},
    {"any text of Unicode", "A=π \xF0\x9F\x9A\xA8\n", {{"A", "π \xF0\x9F\x9A\xA8"}}},
};

TEST(EnvFile, IsReadAsSystemdReadsIt) {
  for (const Case& one : kCases) EXPECT_EQ(ParseEnvFile(one.text).variables, one.values) << one.about;
}

TEST(EnvFile, ThatIsNoTextGivesNothing) {
  for (const std::string& text : {std::string("A=\xFF\n"), std::string("A=1\0B=2\n", 8)}) {
    const EnvFile file = ParseEnvFile(text);
    EXPECT_FALSE(file.is_text);
    EXPECT_THAT(file.variables, IsEmpty());
  }
}

TEST(EnvFile, LinesThatAreNotReadAreTold) {
  const EnvFile file = ParseEnvFile("# fine\nWEBHOOK_SECRET hush\n\nexport A=hush\nB=\"hush\n");
  std::vector<std::pair<int, std::string>> told;
  for (const auto& fault : file.faults) {
    told.emplace_back(fault.line, fault.message);
    EXPECT_EQ((fault.message + fault.hint).find("hush"), std::string::npos);
  }
  EXPECT_THAT(told, ElementsAre(Pair(2, HasSubstr("not NAME=value")), Pair(4, HasSubstr("not a variable's name")),
                                Pair(5, "this quote is never closed")));
  EXPECT_EQ(file.faults[1].hint, "write NAME=value without export");
}

/// A file of variables on disk, and the environment that reads it.
class EnvFileOnDisk : public testing::Test {
 protected:
  EnvFileOnDisk() { ::setenv("HSW_TEST_OF_PROCESS", "process", 1); }
  ~EnvFileOnDisk() override {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
    ::unsetenv("HSW_TEST_OF_PROCESS");
  }
  void Write(const std::string& text, mode_t mode = 0640) {
    std::ofstream(path_, std::ios::binary) << text;
    ::chmod(path_.c_str(), mode);
  }
  std::string Refresh(const Environment& environment) {
    Problems problems;
    environment.refresh(problems);
    return AllText(problems);
  }
  const std::string path_ = testing::TempDir() + "env_file_test." + std::to_string(::getpid());
};

TEST_F(EnvFileOnDisk, CountsBeforeTheProcessAndIsReadAgain) {
  Write("A=1\nHSW_TEST_OF_PROCESS=file\n");
  const Environment environment = Environment::System(path_);
  EXPECT_EQ(Refresh(environment), "");
  EXPECT_EQ(environment.variable("A"), "1");
  EXPECT_EQ(environment.variable("HSW_TEST_OF_PROCESS"), "file");
  Write("A=2\n");
  EXPECT_EQ(environment.variable("A"), "1");
  EXPECT_EQ(Refresh(environment), "");
  EXPECT_EQ(environment.variable("A"), "2");
}

TEST_F(EnvFileOnDisk, AVariableThatLeftTheFileIsNotSet) {
  Write("HSW_TEST_OF_PROCESS=file\n");
  const Environment environment = Environment::System(path_);
  Refresh(environment);
  Write("");
  Refresh(environment);
  EXPECT_FALSE(environment.variable("HSW_TEST_OF_PROCESS")) << "the process has what the file held at its start";
}

TEST_F(EnvFileOnDisk, SaysWhichVariablesAreOfTheProcess) {
  Write("A=1\n");
  const Environment environment = Environment::System(path_);
  Refresh(environment);
  environment.variable("A");
  environment.variable("HSW_TEST_OF_PROCESS");
  environment.variable("HSW_TEST_NOT_SET");
  EXPECT_THAT(environment.from_process(), ElementsAre("HSW_TEST_OF_PROCESS"));
  Refresh(environment);
  EXPECT_THAT(environment.from_process(), IsEmpty());
}

TEST_F(EnvFileOnDisk, ThatCannotBeReadIsAnErrorAndKeepsWhatWasRead) {
  Write("A=1\n");
  const Environment environment = Environment::System(path_);
  Refresh(environment);
  std::filesystem::remove(path_);
  EXPECT_EQ(Refresh(environment),
            path_ + ": error: cannot read the file of environment variables: No such file or directory\n");
  EXPECT_EQ(environment.variable("A"), "1");
  Write("A=\xFF\n");
  EXPECT_EQ(Refresh(environment), path_ + ": error: not UTF-8 text\n");
}

TEST_F(EnvFileOnDisk, MayBeMissingWithADash) {
  const Environment environment = Environment::System("-" + path_);
  EXPECT_EQ(Refresh(environment), "");
  EXPECT_FALSE(environment.variable("A"));
  Write("A=1\n");
  EXPECT_EQ(Refresh(environment), "");
  EXPECT_EQ(environment.variable("A"), "1");
}

TEST_F(EnvFileOnDisk, IsNeverQuoted) {
  Write("TOKEN correct-horse\nexport TOKEN=correct-horse\n");
  const std::string told = Refresh(Environment::System(path_));
  EXPECT_THAT(told, HasSubstr(path_ + ":2:1: warning: this line is not read"));
  EXPECT_EQ(told.find("correct"), std::string::npos) << told;
}

TEST_F(EnvFileOnDisk, OpenToEveryoneIsAWarning) {
  Write("A=1\n", 0644);
  EXPECT_THAT(Refresh(Environment::System(path_)), HasSubstr("everyone on this machine can read this file"));
}

TEST_F(EnvFileOnDisk, GivesAConfigItsSecrets) {
  Write("TOKEN=t0ken\n");
  const std::string config = path_ + ".yaml";
  std::ofstream(config) << "admin: {token: {env: TOKEN}}\n";
  const Environment environment = Environment::System(path_);
  EXPECT_TRUE(Load(config, environment).config->admin.token.Equals("t0ken"));
  Write("TOKEN=another\n");
  EXPECT_TRUE(Load(config, environment).config->admin.token.Equals("another"));
  std::filesystem::remove(path_);
  EXPECT_FALSE(Load(config, environment).config);
  std::filesystem::remove(config);
}

}  // namespace
}  // namespace hookswitch::config
