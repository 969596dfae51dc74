// What the chat sinks send is what the vendors' published types allow: of golden cases and of random messages, most of
// them nasty. Judged by an independent validator, Debian's python3-jsonschema.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/base/json.h"
#include "tests/e2e/process.h"
#include "tests/sinks/load_sink.h"
#include "tests/sinks/random_message.h"

namespace hookswitch {
namespace {

namespace fs = std::filesystem;

const std::string kSchemas = std::string(HSW_SOURCE_DIR) + "/tests/sinks/schemas/";

e2e::Finished Validate(const std::string& schema, const std::string& lines) {
  const e2e::TempDir dir;
  e2e::WriteFile(dir / "lines", lines);
  return e2e::RunProgram({"/usr/bin/python3", kSchemas + "validate.py", kSchemas + schema + ".json", dir / "lines"});
}

/// The requests' bodies in the golden cases of a sink.
void AddGolden(const fs::path& folder, std::string& lines) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    std::stringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    const auto root = json::parse(text.str()).as_object();
    const auto add = [&](const json::object& from) {
      const auto* request = from.if_contains("request");
      if (!request) return;
      const auto* body = request->as_object().contains("headers") ? &request->at("body") : request;
      // Slack's file steps are forms, and a workflow takes variables of its own.
      if (body->is_object() && (body->as_object().contains("blocks") || folder.filename() != "slack")) {
        lines += ToText(*body) + "\n";
      }
    };
    add(root);
    if (const auto* steps = root.if_contains("steps")) {
      for (const auto& step : steps->as_array()) add(step.as_object());
    }
  }
}

struct Vendor {
  std::string sink, config, state;
};

class VendorSchema : public testing::TestWithParam<Vendor> {};

TEST_P(VendorSchema, AllowsWhatTheSinkSends) {
  const Vendor& vendor = GetParam();
  std::string lines;
  AddGolden(std::string(HSW_SOURCE_DIR) + "/tests/golden/sinks/" + vendor.sink, lines);
  if (vendor.sink == "slack") AddGolden(std::string(HSW_SOURCE_DIR) + "/tests/golden/slack", lines);
  EXPECT_GT(std::count(lines.begin(), lines.end(), '\n'), 5);
  auto sink = test::LoadSink(vendor.sink, vendor.config);
  ASSERT_TRUE(sink) << sink.error().message;
  for (unsigned seed = 0; seed < 300; ++seed) {
    test::Random random(seed);
    const CallEvent event;
    const Message message = test::RandomMessage(random);
    const std::uint32_t step = vendor.state.empty() ? 0 : 1;
    auto made = (*sink)->Render({event, message, "d-1", "ops", "r", 1, step, vendor.state, ""});
    const auto* request = std::get_if<HttpRequest>(&made);
    ASSERT_TRUE(request) << "seed " << seed;
    lines += request->body + "\n";
  }
  const auto judged = Validate(vendor.sink, lines);
  EXPECT_EQ(judged.exit_code, 0) << judged.out << judged.err;
}

TEST_P(VendorSchema, RefusesWhatIsNone) {
  EXPECT_EQ(Validate(GetParam().sink, "{\"no_such_key\": 1}\n").exit_code, 1);
  EXPECT_EQ(Validate(GetParam().sink, "[]\n").exit_code, 1);
}

INSTANTIATE_TEST_SUITE_P(
    Each, VendorSchema,
    testing::Values(
        Vendor{"slack", R"({"token":"xoxb-1","channel":"C1","max_transcript":2900,"mentions":{"unknown":["here"]}})",
               ""},
        Vendor{"slack", R"({"token":"xoxb-1","channel":"C1","long_transcript":"thread"})", "3\t\tC1\t1.1\t0\t\t"},
        Vendor{"discord", R"({"webhook_url":"https://discord.com/api/webhooks/1/x","max_transcript":4000})", ""},
        Vendor{"telegram", R"({"token":"123456:ABCDEFGHIJKLMNOPQRSTUVWXYZ","chat_id":"-1","max_transcript":4000})", ""},
        Vendor{"googlechat",
               R"({"webhook_url":"https://chat.googleapis.com/v1/spaces/A/messages?key=k&token=t","thread":"call"})",
               ""}),
    [](const auto& info) { return info.param.sink + (info.param.state.empty() ? "" : "_transcript"); });

}  // namespace
}  // namespace hookswitch
