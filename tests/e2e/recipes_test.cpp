// The script of sinks/RECIPES.md, with a Google and a jq that are only pretended.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "core/base/encoding.h"
#include "tests/e2e/pages.h"
#include "tests/e2e/process.h"

namespace hookswitch::e2e {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

// What the script asks of jq, which a machine that tests need not have.
constexpr const char* kJq = R"(#!/usr/bin/env python3
import json, sys
args = sys.argv[1:]
if args[0] == "-c":
    key = json.load(open(args[-1]))
    now = int(args[3])
    print(json.dumps({"iss": key["client_email"], "scope": "https://www.googleapis.com/auth/spreadsheets",
                      "aud": "https://oauth2.googleapis.com/token", "iat": now, "exp": now + 3600}, separators=(",", ":")))
else:
    source = open(args[2]) if len(args) > 2 else sys.stdin
    print(json.load(source)[args[1][1:]])
)";

TEST(Recipes, TheTokenOfAServiceAccountIsSignedAndWrittenForAReload) {
  const auto blocks = BlocksOf("sinks/RECIPES.md", "sh");
  ASSERT_EQ(blocks.size(), 1U);
  const TempDir dir;
  const auto script = [&](const std::string& name, const std::string& text) {
    WriteFile(dir / name, text);
    fs::permissions(dir / name, fs::perms::owner_all);
  };
  script("sheets-token", blocks[0].text);
  script("jq", kJq);
  script("curl", "#!/bin/sh\nprintf '%s\\n' \"$@\" > " + dir / "sent" + "\necho '{\"access_token\":\"ya29.t\"}'\n");
  script("hookswitch", "#!/bin/sh\necho \"$@\" > " + dir / "done" + "\n");
  const std::string make_key = "openssl genrsa -out " + dir / "private" +
                               " 2048 2>/dev/null && python3 -c 'import json, sys; "
                               "json.dump({\"client_email\": \"a@b.example\", \"private_key\": "
                               "open(sys.argv[1]).read()}, open(sys.argv[2], \"w\"))' " +
                               dir / "private" + " " + dir / "key.json";
  ASSERT_EQ(RunProgram({"/bin/sh", "-ec", make_key}).exit_code, 0);

  const Finished ran = RunProgram(
      {"/bin/sh", "-ec",
       "PATH=" + dir / "" + ":$PATH exec " + dir / "sheets-token" + " " + dir / "key.json" + " " + dir / "token"});
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(ReadFile(dir / "token"), "Bearer ya29.t\n");
  EXPECT_EQ(fs::status(dir / "token").permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(ReadFile(dir / "done"), "reload\n");
  EXPECT_FALSE(fs::exists(dir / "token.key"));

  std::string sent = ReadFile(dir / "sent");
  sent = sent.substr(sent.find("assertion=") + 10);
  sent.pop_back();
  const auto first = sent.find('.'), last = sent.rfind('.');
  ASSERT_NE(first, last) << sent;
  EXPECT_THAT(*FromBase64(sent.substr(first + 1, last - first - 1)), HasSubstr("\"iss\":\"a@b.example\""));
  WriteFile(dir / "signed", sent.substr(0, last));
  WriteFile(dir / "signature", *FromBase64(sent.substr(last + 1)));
  const std::string check = "openssl rsa -in " + dir / "private" + " -pubout -out " + dir / "public" +
                            " 2>/dev/null && openssl dgst -sha256 -verify " + dir / "public" + " -signature " +
                            dir / "signature" + " " + dir / "signed";
  const Finished verified = RunProgram({"/bin/sh", "-ec", check});
  EXPECT_EQ(verified.exit_code, 0) << verified.out << verified.err;
}

}  // namespace
}  // namespace hookswitch::e2e
