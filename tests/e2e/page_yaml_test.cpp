// Every YAML block of the pages of sinks/ and plugins/ is a config that `hookswitch check` finds nothing wrong with.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <regex>

#include "tests/e2e/process.h"

namespace hookswitch {
namespace {

namespace fs = std::filesystem;

struct Block {
  std::string page;
  int line;
  std::string text;
};

std::vector<Block> BlocksOf(const fs::path& page) {
  std::vector<Block> blocks;
  std::istringstream lines(e2e::ReadFile(page));
  bool inside = false;
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (!inside && line.find("```yaml") != std::string::npos) {
      inside = true;
      blocks.push_back({fs::relative(page, HSW_SOURCE_DIR), number, ""});
    } else if (inside && line.find("```") != std::string::npos) {
      inside = false;
    } else if (inside) {
      blocks.back().text += line + "\n";
    }
  }
  return blocks;
}

std::vector<Block> AllBlocks() {
  std::vector<Block> blocks;
  for (const char* folder : {"sinks", "plugins"}) {
    for (const auto& entry : fs::recursive_directory_iterator(std::string(HSW_SOURCE_DIR) + "/" + folder)) {
      if (entry.path().extension() != ".md") continue;
      for (Block& block : BlocksOf(entry.path())) blocks.push_back(std::move(block));
    }
  }
  std::sort(blocks.begin(), blocks.end(),
            [](const Block& a, const Block& b) { return std::pair(a.page, a.line) < std::pair(b.page, b.line); });
  return blocks;
}

/// A value for each secret that the block names, of the form that its sink wants.
std::vector<std::string> Environment(const std::string& text) {
  static const std::map<std::string, std::string> kValues = {
      {"SLACK_WEBHOOK_URL", "https://hooks.slack.com/services/T1A2B3C4D/B5E6F7G8H/abcdefgh"},
      {"SLACK_BOT_TOKEN", "xoxb-1-2-abc"},
      {"DISCORD_WEBHOOK", "https://discord.com/api/webhooks/1/abc"},
      {"GOOGLE_CHAT_WEBHOOK", "https://chat.googleapis.com/v1/spaces/A/messages?key=k&token=t"},
      {"MATTERMOST_WEBHOOK", "https://mattermost.example.com/hooks/abc"},
      {"TEAMS_WORKFLOW_URL", "https://a.logic.azure.com/workflows/x?sig=y"},
      {"TELEGRAM_TOKEN", "123456:ABCDEFGHIJKLMNOPQRSTUVWXYZ"},
      {"PAGERDUTY_KEY", "0123456789abcdef0123456789abcdef"},
      {"CALLS_DATABASE", "postgresql://u:p@db.example.com/calls"},
      {"CRM_HOOK", "https://crm.example.com/in"},
      {"CRM_HOOK_SECRET", "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="},
      {"PUSH_URL", "https://push.example.com/in"}};
  static const std::regex kName(R"(\{env: ([A-Z_]+)\})");
  std::vector<std::string> environment;
  for (std::sregex_iterator at(text.begin(), text.end(), kName), end; at != end; ++at) {
    const auto value = kValues.find((*at)[1]);
    environment.push_back((*at)[1].str() + "=" + (value == kValues.end() ? "secret" : value->second));
  }
  return environment;
}

class PageBlock : public testing::TestWithParam<Block> {};

TEST_P(PageBlock, IsAConfigWithoutAFault) {
  const Block& block = GetParam();
  const e2e::TempDir dir;
  std::string text = "version: 1\njournal: {path: " + dir / "journal.db" + "}\n";
  if (block.text.find("sources:") == std::string::npos) {
    text +=
        "sources: {bolna: {type: bolna, path: /bolna/webhook, auth: {header: X-Secret, secret: {env: "
        "SOURCE_SECRET}}}}\n";
  }
  e2e::WriteFile(dir / "hookswitch.yaml", text + block.text);
  auto environment = Environment(text + block.text);
  const auto checked = e2e::RunProgram(
      {std::string(HSW_BINARY_DIR) + "/bin/hookswitch", "check", "-c", dir / "hookswitch.yaml"}, environment);
  EXPECT_EQ(checked.exit_code, 0) << block.page << ":" << block.line << "\n" << checked.out << checked.err;
  EXPECT_EQ(checked.err.find("error"), std::string::npos) << checked.err;
}

INSTANTIATE_TEST_SUITE_P(All, PageBlock, testing::ValuesIn(AllBlocks()), [](const auto& info) {
  std::string name = info.param.page + "_" + std::to_string(info.param.line);
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); }, '_');
  return name;
});

TEST(PageBlocks, EverySinkHasAtLeastOne) {
  for (const auto& entry : fs::directory_iterator(std::string(HSW_SOURCE_DIR) + "/sinks")) {
    EXPECT_FALSE(entry.is_directory() && BlocksOf(entry.path() / "README.md").empty()) << entry.path();
  }
}

}  // namespace
}  // namespace hookswitch
