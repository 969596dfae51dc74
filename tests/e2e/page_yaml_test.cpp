// Every YAML block of every page is a config that `hookswitch check` finds nothing wrong with, or has cases that
// `hookswitch test` finds to come out as they say, and no block is left out.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <regex>
#include <set>

#include "core/base/json.h"
#include "tests/e2e/pages.h"
#include "tests/e2e/process.h"
#include "tests/http/tls_server.h"

namespace hookswitch::e2e {
namespace {

namespace fs = std::filesystem;

/// Blocks with cases, or the others.
std::vector<Block> AllBlocks(bool cases) {
  std::vector<Block> blocks;
  for (const std::string& page : Pages()) {
    for (Block& block : BlocksOf(page, "yaml")) {
      if (block.text.starts_with("- ") == cases) blocks.push_back(std::move(block));
    }
  }
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
      {"CRM_PROXY", "http://user:password@proxy.example.com:3128"},
      {"CRM_HOOK", "https://crm.example.com/in"},
      {"CRM_HOOK_SECRET", "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="},
      {"TELNYX_PUBLIC_KEY", "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="},
      {"PUSH_URL", "https://push.example.com/in"},
      {"HUBSPOT_NOTES", "https://api.hubapi.com/crm/v3/objects/notes"},
      {"SHEET_WEB_APP", "https://script.google.com/macros/s/A1b2/exec?token=t"},
      {"SHEETS_APPEND", "https://sheets.googleapis.com/v4/spreadsheets/A1b2/values/Calls!A1:append"}};
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
  const TempDir dir;
  // A block shows what it is about; what every config has besides is added.
  std::string text;
  const auto add_unless = [&](const std::string& key, const std::string& rest) {
    if (("\n" + block.text).find("\n" + key + ":") == std::string::npos) text += key + ": " + rest + "\n";
  };
  add_unless("version", "1");
  add_unless("journal", "{path: " + dir / "journal.db" + "}");
  add_unless("sources",
             "{bolna: {type: bolna, path: /bolna/webhook, auth: {header: X-Secret, secret: {env: SOURCE_SECRET}}}}");
  WriteFile(dir / "hookswitch.yaml", text + block.text);
  const auto authority = Certificate::Authority(), own = Certificate::For("hookswitch.example", &authority);
  std::filesystem::create_directory(dir / "tls");
  WriteFile(dir / "tls/our-ca.pem", authority.Pem());
  WriteFile(dir / "tls/hookswitch.pem", own.Pem());
  WriteFile(dir / "tls/hookswitch.key", own.KeyPem());
  WriteFile(dir / "sheets-token", "Bearer token\n");
  const auto checked =
      RunProgram({std::string(HSW_BINARY_DIR) + "/bin/hookswitch", "check", "-c", dir / "hookswitch.yaml"},
                 Environment(text + block.text));
  EXPECT_EQ(checked.exit_code, 0) << block.page << ":" << block.line << "\n" << checked.out << checked.err;
  EXPECT_EQ(checked.err.find("error"), std::string::npos) << checked.err;
}

INSTANTIATE_TEST_SUITE_P(All, PageBlock, testing::ValuesIn(AllBlocks(/*cases=*/false)), [](const auto& info) {
  std::string name = info.param.page + "_" + std::to_string(info.param.line);
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); }, '_');
  return name;
});

TEST(PageBlocks, OfCasesComeOutAsTheySay) {
  const fs::path source(HSW_SOURCE_DIR);
  const TempDir dir;
  fs::copy(source / "tests/golden/sources/bolna", dir / "events");
  fs::copy(source / "examples/events", dir / "events", fs::copy_options::overwrite_existing);
  WriteFile(dir / "hookswitch.yaml", "version: 1\njournal: {path: " + dir / "journal.db" + R"(}
sources:
  bolna: {type: bolna, path: /bolna/webhook, auth: {header: X-Secret, secret: {env: SOURCE_SECRET}}}
sinks:
  ops: {plugin: file, config: {path: /var/log/ops.jsonl}}
  sales: {plugin: file, config: {path: /var/log/sales.jsonl}}
rules:
  - {name: leads, when: {status: failed}, send: [sales]}
  - {name: ended, when: {status: [failed, call-disconnected, completed]}, settle: 1m, send: [ops]}
)");
  const std::vector<Block> blocks = AllBlocks(/*cases=*/true);
  EXPECT_FALSE(blocks.empty());
  for (const Block& block : blocks) {
    WriteFile(dir / "cases.yaml", block.text);
    const Finished tested = RunProgram({std::string(HSW_BINARY_DIR) + "/bin/hookswitch", "test", "--no-secrets", "-c",
                                        dir / "hookswitch.yaml", dir / "cases.yaml"});
    EXPECT_EQ(tested.exit_code, 0) << block.page << ':' << block.line << '\n' << tested.out << tested.err;
  }
}

TEST(PageBlocks, EverySinkHasAtLeastOne) {
  for (const auto& entry : fs::directory_iterator(std::string(HSW_SOURCE_DIR) + "/sinks")) {
    EXPECT_FALSE(entry.is_directory() &&
                 BlocksOf("sinks/" + entry.path().filename().string() + "/README.md", "yaml").empty())
        << entry.path();
  }
}

// A block that no test looks at is one that nobody knows to be right.
TEST(PageBlocks, AreOfALanguageThatIsChecked) {
  static const std::set<std::string> kLanguages = {"yaml", "sh", "json", "cpp", "js", "ini", "nginx", "sql", ""};
  static const std::regex kOddFence("(^|\n)([ \t]+```|[ \t]*~~~)");
  static const std::regex kConfigOrCommand(
      "(^|\n)((version|include|server|admin|journal|plugins|sources|agents|defaults|"
      "sinks|schedules|rules|templates|unmatched):|(\\$ )?(hookswitch|curl|sudo) )");
  for (const std::string& page : Pages()) {
    EXPECT_FALSE(std::regex_search(ReadFile(std::string(HSW_SOURCE_DIR) + "/" + page), kOddFence)) << page;
    for (const Block& block : BlocksOf(page)) {
      EXPECT_TRUE(kLanguages.contains(block.language)) << block.page << ":" << block.line << ": " << block.language;
      if (block.language == "yaml" || block.language == "sh") continue;
      EXPECT_FALSE(std::regex_search(block.text, kConfigOrCommand))
          << block.page << ":" << block.line << " shows a config or a command and is not marked yaml or sh";
    }
  }
}

TEST(PageBlocks, OfJsonAreJson) {
  for (const std::string& page : Pages()) {
    for (const Block& block : BlocksOf(page, "json")) {
      boost::system::error_code error;
      // Members alone are part of an object.
      json::parse(block.text.starts_with('"') ? "{" + block.text + "}" : block.text, error);
      EXPECT_FALSE(error) << block.page << ":" << block.line << ": " << error.message();
    }
  }
}

}  // namespace
}  // namespace hookswitch::e2e
