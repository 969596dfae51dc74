// Secrets stand in config files, and people make mistakes around them: whatever is wrong with a file, problems do not
// show them.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <random>

#include "core/config/loader.h"
#include "core/config/schema_check.h"
#include "core/config/sink_config.h"
#include "tests/config/memory_environment.h"
#include "tests/fakes/effort.h"

namespace hookswitch::config {
namespace {

// Every place at which a secret may stand, written in every way that YAML knows. @ is the secret, $ the same with
// what double quotes need.
constexpr std::array<std::string_view, 4> kFiles = {
    R"(version: 1
server: {listen: 127.0.0.1:0}
admin:
  listen: 127.0.0.1:0
  token: @
agents:
  9b1d: {name: billing-eu, tags: [billing]}
defaults:
  timezone: UTC
sources:
  bolna:
    type: bolna
    path: /bolna
    auth:
      header: X-Secret
      secret: "$"
    verify:
      scheme: hmac
      secret: @
      secrets:
        - @
        - '@'
sinks:
  hook:
    plugin: webhook
    timeout: 5s
    config:
      url: https://example.com/@
      connection: host=db password=@
      secret_headers:
        Authorization: Bearer @
      signing_secrets:
        - @
        - "$"
      note: |
        @
  slak:
    plugin: webhok
    config:
      webhook_url: https://hooks.slack.com/services/@
      headers: {Authorization: "Bearer $"}
schedules:
  office: [{days: mon-fri, hours: "09:00-18:00"}]
rules:
  - name: all
    when: {status: any, during: office}
    send: [hook, slak]
)",
    R"(sinks: {hook: {plugin: webhook, config: {url: @, list: [@, "$"], tls: {key: '@'}}}}
sources: {bolna: {type: bolna, path: /b, auth: {bearer: true, secret: @}, verify: {secret: {env: N}, key: @}}}
admin: {listen: "127.0.0.1:0", token: @}
rules:
- {send: [hook], when: {agent: "x*"}}
)",
    R"({
  "version": 1,
  "admin": {"token": "$"},
  "sources": {"bolna": {"type": "bolna", "path": "/b", "auth": {"query": "q", "secret": "$"}}},
  "sinks": {
    "hook": {"plugin": "webhook", "config": {"url": "$", "signing_secrets": ["$"]}},
    "other": {"plugn": "webhook", "confg": {"password": "$"}}
  },
  "rules": [{"send": ["hook"]}]
}
)",
    R"(rules:
  - name: one
    when:
      any:
        - agent: [a, b]
        - {min_duration: 30s}
    send:
      - mail
templates:
  short: {text: hi}
x-common: &common
  password: @
sinks:
  mail:
    plugin: webhook
    config: *common
  more:
    plugin: webhook
    config:
      password: >-
        @
        @
      url: !secret @
      key: &k @
      last:
        - deep: [{deeper: @}]
        -
          @
sources:
  a:
    type: bolna
    path: /a
    auth: @
admin: @
)"};

constexpr char kSchema[] = R"({
  "type": "object", "additionalProperties": false, "required": ["url"],
  "properties": {
    "url": {"type": "string", "x-secret": true, "pattern": "^https://"},
    "connection": {"type": "string", "x-secret": true},
    "secret_headers": {"type": "object", "additionalProperties": {"type": "string", "x-secret": true}},
    "signing_secrets": {"type": "array", "items": {"type": "string", "x-secret": true}},
    "password": {"type": "string", "x-secret": true},
    "tls": {"type": "object", "properties": {"key": {"type": "string", "x-secret": true}, "ca": {"type": "string"}}},
    "retries": {"type": "integer", "minimum": 1},
    "template": {"type": "object"}
  }})";

using Random = std::mt19937_64;

std::size_t Below(Random& random, std::size_t limit) {
  return limit == 0 ? 0 : random() % limit;
}

template <class List>
auto OneOf(Random& random, const List& list) {
  return list[Below(random, std::size(list))];
}

// Letters and digits that stand nowhere else.
std::string Run(Random& random) {
  constexpr std::string_view kLetters = "ABCDEFGHJKLMNPQRSTUVWXYZ", kDigits = "0123456789";
  std::string run;
  for (int i = 0; i < 5; ++i) (run += OneOf(random, kLetters)) += OneOf(random, kDigits);
  return run;
}

struct Secret {
  std::array<std::string, 2> runs;
  std::string plain, quoted;
};

Secret MakeSecret(Random& random) {
  constexpr std::array<std::string_view, 24> kBetween = {"",   "",  "",  "-",  "_",  "/", ": ", ":",
                                                         " #", "#", "'", "\"", "\\", "{", "}",  ",",
                                                         ", ", "[", "]", "&",  "*",  "!", "%",  " "};
  Secret secret{{Run(random), Run(random)}, "", ""};
  secret.plain = secret.runs[0] + std::string(OneOf(random, kBetween)) + secret.runs[1];
  for (const char c : secret.plain) {
    if (c == '"' || c == '\\') secret.quoted += '\\';
    secret.quoted += c;
  }
  return secret;
}

std::string WithSecret(std::string_view file, const Secret& secret) {
  std::string text;
  for (const char c : file) {
    if (c == '@') {
      text += secret.plain;
    } else if (c == '$') {
      text += secret.quoted;
    } else {
      text += c;
    }
  }
  return text;
}

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t from = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', from)) {
    lines.push_back(text.substr(from, end - from));
    from = end + 1;
  }
  if (from < text.size()) lines.push_back(text.substr(from));
  return lines;
}

std::string Joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + '\n';
  return text;
}

// One mistake of a person, an editor or a template.
std::string Broken(std::string text, Random& random) {
  constexpr std::array<std::string_view, 34> kPieces = {
      ":",  ": ", "\"",     "'",     "{",     "}",    "[",    "]",   ",",    "- ", "#", " #",
      "\t", "\n", "\n\n",   "|",     ">",     "&a ",  "*a",   "!t ", "!!x ", "%",  "@", "`",
      "\\", "? ", "<<: *a", "---\n", "...\n", "\x01", "\xFF", "\r",  "  ",   "x"};
  auto lines = Lines(text);
  const std::size_t line = Below(random, lines.size());
  const std::size_t at = Below(random, text.size());
  switch (Below(random, 14)) {
    case 0: return text.erase(at, 1 + Below(random, 3));
    case 1: return text.erase(at, 1 + Below(random, 40));
    case 2:
    case 3:
    case 4: return text.insert(at, OneOf(random, kPieces));
    case 5: return text.replace(at, 1, OneOf(random, kPieces));
    case 6: return text.substr(0, at);
    case 7: return text.substr(at);
    default: break;
  }
  if (lines.empty()) return text;
  switch (Below(random, 6)) {
    case 0: lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(line)); break;
    case 1: lines.insert(lines.begin() + static_cast<std::ptrdiff_t>(line), lines[line]); break;
    case 2: std::swap(lines[line], lines[std::min(line + 1, lines.size() - 1)]); break;
    case 3:
      if (line + 1 < lines.size()) {
        lines[line] += lines[line + 1];
        lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(line) + 1);
      }
      break;
    case 4: lines[line].insert(0, 1 + Below(random, 4), ' '); break;
    default: lines[line].erase(0, std::min(1 + Below(random, 4), lines[line].find_first_not_of(' ')));
  }
  return Joined(lines);
}

// All that `check` prints of such a file.
std::string Said(const std::string& text) {
  MemoryEnvironment memory;
  memory.files["r.yaml"] = text;
  const Loaded loaded = Load("r.yaml", memory.Get());
  Problems problems;
  if (const Config* config = loaded.Readable()) {
    for (const Sink& sink : config->sinks) {
      if (sink.plugin != "webhook" || sink.config.kind != Node::Kind::kMap) continue;
      CheckAgainstSchema(sink.config, kSchema, "sinks." + sink.name + ".config", sink.where, problems);
      std::vector<std::string> secrets;
      ResolvePluginConfig(WithoutFaults(sink.config, problems), kSchema, memory.Get(), problems, secrets);
    }
  }
  return AllText(loaded.problems) + ToJson(loaded.problems.All()) + AllText(problems) + ToJson(problems.All());
}

// Eight letters of the secret in a row, or "".
std::string Leaked(const std::string& said, const Secret& secret) {
  constexpr std::size_t kPiece = 8;
  for (const std::string& run : secret.runs) {
    for (std::size_t i = 0; i + kPiece <= run.size(); ++i) {
      if (said.find(run.substr(i, kPiece)) != std::string::npos) return run.substr(i, kPiece);
    }
  }
  return "";
}

TEST(Privacy, NoMistakeInAFileBringsASecretToLight) {
  const char* rounds = std::getenv("HSW_ROUNDS");
  const int count = rounds ? std::atoi(rounds) : 4000 / test::kOneIn;
  for (int seed = 0; seed < count; ++seed) {
    Random random(static_cast<std::uint64_t>(seed));
    const Secret secret = MakeSecret(random);
    std::string text = WithSecret(kFiles[Below(random, kFiles.size())], secret);
    for (std::size_t mistakes = 1 + Below(random, 3); mistakes > 0; --mistakes) text = Broken(text, random);
    const std::string said = Said(text);
    ASSERT_EQ(Leaked(said, secret), "") << "seed " << seed << '\n' << said << "\nof\n" << text;
  }
}

}  // namespace
}  // namespace hookswitch::config
