#include "core/plugins/masker.h"
#include "tests/fakes/effort.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <cctype>
#include <cstdlib>
#include <map>
#include <random>
#include <regex>

namespace hookswitch::plugins {
namespace {

const std::vector<std::string> kUrl = {"https://hooks.slack.com/services/T1A2B3C4D/B5E6F7G8H/abcdefghijkl"};

TEST(Masker, HidesEverySecret) {
  const Masker masker(std::vector<std::string>{"geheim", "noch geheimer"});
  EXPECT_EQ(masker.Mask("geheim und noch geheimer und geheim"), "*** und *** und ***");
}

TEST(Masker, HidesTheUrlEncodedForm) {
  const Masker masker(std::vector<std::string>{"a b/c+d"});
  EXPECT_EQ(masker.Mask("?k=a%20b%2Fc%2Bd&k=a%20b%2fc%2bd&p=a%20b/c%2Bd"), "?k=***&k=***&p=***");
}

std::string Shown(const std::string& secret) {
  return Masker(std::vector<std::string>{secret}).Mask(secret);
}

TEST(Masker, LeavesOfAWebhookUrlWhatTellsItFromOthers) {
  EXPECT_EQ(Shown("https://hooks.slack.com/services/T0QUICK/B0START/abcdefghijkl"),
            "https://hooks.slack.com/services/T0QUICK/B0START/***");
  EXPECT_EQ(Shown("https://hooks.slack.com/services/T0QUICK/B0START/abc"),
            "https://hooks.slack.com/services/T0QUICK/B0START/***");
  EXPECT_EQ(Shown("https://hooks.slack.com/triggers/T0QUICK/123456789012/abcdefghijkl"),
            "https://hooks.slack.com/triggers/T0QUICK/123456789012/***");
  EXPECT_EQ(Shown("https://hooks.slack.com/services/T0QUICK/B0START/abcdefghijkl/"),
            "https://hooks.slack.com/services/T0QUICK/B0START/***/");
}

TEST(Masker, HidesInAUrlAllThatMayOpenSomething) {
  EXPECT_EQ(Shown("https://user:pass@h.test:8443/a/b?sig=secret&flag&n=1#part"),
            "https://***@h.test:8443/a/***?sig=***&***&n=***#***");
  EXPECT_EQ(Shown("https://api.h.test/bot123456:ABCDEFGHIJKLMNOP/sendMessage"), "https://api.h.test/***/***");
  EXPECT_EQ(Shown("https://h.test?sig=secret"), "https://h.test?sig=***");
  EXPECT_EQ(Shown("https://h.test"), "***");
  EXPECT_EQ(Shown("https://h.test/"), "***");
  EXPECT_EQ(Shown("amqp://user:pass@h.test/queue"), "***");
}

TEST(Masker, NeverShowsTheSecretSegment) {
  const std::string segment = "abc+d%2Fefghij", url = "https://hooks.slack.com/services/T1A2B3C4D/B5E6F7G8H/" + segment;
  const Masker masker(std::vector<std::string>{url});
  for (const std::string& text :
       {url, "cannot reach " + url + "?wait=true now", url + url, "x" + segment + "y", "B5E6F7G8H/" + segment,
        std::string("u=https%3A%2F%2Fhooks.slack.com%2Fservices%2FT1A2B3C4D%2FB5E6F7G8H%2Fabc%2Bd%252Fefghij"),
        std::string("u=https%3a%2f%2fhooks.slack.com%2fservices%2fT1A2B3C4D%2fB5E6F7G8H%2fabc%2bd%252Fefghij"),
        std::string("//hooks.slack.com:443/services/T1A2B3C4D/B5E6F7G8H/abc+d%2Fefghij"),
        std::string("<abc+d/efghij>")}) {
    EXPECT_THAT(masker.Mask(text), testing::Not(testing::HasSubstr("efghij"))) << text;
  }
}

TEST(Masker, ShowsNoPartOfAUrlThatIsASecretItself) {
  const std::string url = "https://hooks.slack.com/services/T1A2B3C4D/B5E6F7G8H/abcdefghijkl";
  EXPECT_EQ(Masker(std::vector<std::string>{url, "T1A2B3C4D"}).Mask(url), "***");
  EXPECT_EQ(Shown("https://h.test/twice-the-same/twice-the-same"), "***");
}

TEST(Masker, LeavesNoRestOfSecretsThatOverlap) {
  const Masker masker(std::vector<std::string>{"abcdef", "efghij", "j"});
  EXPECT_EQ(masker.Mask("-abcdefghij-"), "-***-");
  EXPECT_EQ(masker.Mask("abcdefabcdef"), "******");
}

TEST(Masker, HidesThePathOfASecretUrl) {
  const Masker masker(kUrl);
  EXPECT_EQ(masker.Mask("POST /services/T1A2B3C4D/B5E6F7G8H/abcdefghijkl failed"),
            "POST /services/T1A2B3C4D/B5E6F7G8H/*** failed");
  EXPECT_EQ(masker.Mask("token abcdefghijkl"), "token ***");
  EXPECT_EQ(masker.Mask("host hooks.slack.com"), "host hooks.slack.com");
}

TEST(Masker, TakesTheLongerSecretFirst) {
  const Masker masker(std::vector<std::string>{"abc", "abcdef"});
  EXPECT_EQ(masker.Mask("abcdef abc"), "*** ***");
}

TEST(Masker, IgnoresAnEmptySecret) {
  EXPECT_EQ(Masker(std::vector<std::string>{""}).Mask("text"), "text");
}

TEST(Masker, HidesASecretHoweverAProgramSpellsIt) {
  struct Case {
    std::string secret, text, masked;
  };
  const std::vector<Case> cases = {
      {"Bearer abc123def456", R"({"got":"abc123def456"})", R"({"got":"***"})"},
      {"Bot abc123def456", "token abc123def456 is not valid", "token *** is not valid"},
      {"Token token=abc123def456", "[abc123def456]", "[***]"},
      {"key/with/slashes", R"("key\/with\/slashes")", R"("***")"},
      {"key/with/slashes", R"("key\u002fwith\u002Fslashes")", R"("***")"},
      {"say \"it\"\tnow", R"("say \"it\"\tnow")", R"("***")"},
      {"say \"it\"", R"("\"say \\\"it\\\"\"")", R"("\"***\"")"},
      {"key/with+plus", "key%2fwith%2Bplus key%252Fwith%252Bplus", "*** ***"},
      {"two words+", "two+words%2B two%20words%2B", "*** ***"},
      {"schlüssel/1", R"(schl%C3%BCssel%2f1 schl\u00fcssel\/1 schl&#252;ssel&sol;1)", "*** *** ***"},
      {"a<b>&\"c'd", "a&lt;b&gt;&amp;&quot;c&#39;d a&#60;b&#x3E;&#038;&#x22;c&apos;d", "*** ***"},
      {"a<b>&\"c'd", R"(a\u003cb\u003e\u0026\"c'd)", "***"},
      {"AbCdEf123", "abcdef123 ABCDEF123", "*** ***"},
      {"dXNlcjpwYXNzd29yZA==", "user:password, password", "***, ***"},
      {"Basic dXNlcjpwYXNz", "Authorization: Basic dXNlcjpwYXNz (user:pass)", "Authorization: *** (***)"},
      {"user:geheimnis", "dXNlcjpnZWhlaW1uaXM= geheimnis", "*** ***"},
      {"geheimnis", "Basic dXNlcjpnZWhlaW1uaXM=", "Basic dXNlcj***"},
      {"geheimnis", "67656865696D6E6973", "***"},
      {"host=db user=app password='ge heim\\'nis'", "no login for app at db: ge heim'nis",
       "no login for app at db: ***"},
      {"Server=db;User Id=app;Password=geheimnis;", "(geheimnis)", "(***)"},
      {"postgres://app:ge%2Fheim@db:5432/calls", "app, calls, ge/heim, ge%2Fheim", "app, calls, ***, ***"},
      {"postgres://app:abc@db/calls", "postgres://app:abc@db/other", "postgres://***db/other"},
      {"https://h.test/hook?sig=a%2Bb%3Dcdef", "sig a+b=cdef", "sig ***"},
      {"sid=1a2b3c4d5e; theme=midnight", "unknown sid 1a2b3c4d5e", "unknown sid ***"},
      {R"({"type":"service_account","private_key":"-----BEGIN\nMIIEvQIBADANBgkqhkiG\n-----END"})",
       "key MIIEvQIBADANBgkqhkiG", "key ***"},
      {"123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw", "/botAAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw", "/bot***"},
      {"abcdefghijklmnopqrstuvwx", "cut: \"abcdefghijkl…\"", "cut: \"***…\""},
      {"abcdefghijklmnopqrstuvwx", "cut: abcdefghijkl", "cut: ***"},
  };
  for (const auto& [secret, text, masked] : cases) {
    EXPECT_EQ(Masker(std::vector<std::string>{secret}).Mask(text), masked) << secret;
  }
}

TEST(Masker, LeavesWordsThatAreNoSecretAsTheyAre) {
  struct Case {
    std::string secret, text;
  };
  const std::vector<Case> cases = {
      {"pass", "The Passenger has PASSed"},  // as it is it would be hidden, whatever it says
      {"ab", "YWI is no word, 6162 a number, %C3 is none"},
      {"abc", "ABC, 616263"},
      {"Bearer abc", "abc def"},
      {"host=db.internal port=5432 dbname=calls user=reporter password=geheimnis", "db.internal:5432 calls reporter"},
      {"postgres://reporter:geheimnis@db.internal:5432/calls-of-today", "reporter at db.internal: calls-of-today"},
      {"https://user:pass@h.test/a", "the pass of the user"},
      {"correct horse battery staple", "a horse and a battery"},
      {"abcdefghijklmnopqrstuvwx", "abcdefghij is no secret"},
      {"https://hooks.slack.com/services/T1A2B3C4D/B5E6F7G8H/abcdefghijkl", "hooks.slack.com services T1A2B3C4D"},
  };
  for (const auto& [secret, text] : cases) {
    EXPECT_EQ(Masker(std::vector<std::string>{secret}).Mask(text), text) << secret;
  }
}

/// Texts in which secrets might hide.
class Random {
 public:
  explicit Random(std::uint64_t seed) : numbers_(seed) {}
  std::size_t Below(std::size_t count) { return numbers_() % count; }
  bool Chance() { return Below(2) == 0; }
  std::string Text(const std::vector<std::string>& alphabet, std::size_t least, std::size_t most) {
    std::string text;
    for (std::size_t left = least + Below(most - least + 1); left > 0; --left) text += alphabet[Below(alphabet.size())];
    return text;
  }

 private:
  std::mt19937_64 numbers_;
};

std::vector<std::string> Letters(std::string_view letters) {
  std::vector<std::string> all;
  for (const char c : letters) all.emplace_back(1, c);
  return all;
}

std::string Spell(const char* format, unsigned value) {
  char text[16];
  snprintf(text, sizeof text, format, value);
  return text;
}

std::string Percent(const std::string& text, Random& random) {
  const bool all = random.Chance(), form = random.Chance();
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = std::isalnum(byte) || std::string_view("-._~").find(c) != std::string_view::npos;
    if (form && c == ' ') {
      out += '+';
    } else if (plain && !(all && random.Chance())) {
      out += c;
    } else {
      out += Spell(random.Chance() ? "%%%02X" : "%%%02x", byte);
    }
  }
  return out;
}

std::u32string CodePointsOf(const std::string& text) {
  std::u32string points;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0) == 0x80) {
      points.back() = points.back() << 6 | (byte & 0x3F);
    } else {
      points += byte < 0x80 ? byte : byte & (byte < 0xE0 ? 0x1F : byte < 0xF0 ? 0x0F : 0x07);
    }
  }
  return points;
}

std::string Utf8(char32_t point) {
  if (point < 0x80) return {static_cast<char>(point)};
  const auto tail = [&](int shift) { return static_cast<char>(0x80 | ((point >> shift) & 0x3F)); };
  if (point < 0x800) return {static_cast<char>(0xC0 | (point >> 6)), tail(0)};
  if (point < 0x10000) return {static_cast<char>(0xE0 | (point >> 12)), tail(6), tail(0)};
  return {static_cast<char>(0xF0 | (point >> 18)), tail(12), tail(6), tail(0)};
}

std::string Json(const std::string& text, Random& random) {
  const bool ascii = random.Chance(), html = random.Chance(), slash = random.Chance();
  std::string out;
  for (const char32_t point : CodePointsOf(text)) {
    const auto escaped = [&](char32_t unit) {
      out += Spell(random.Chance() ? "\\u%04x" : "\\u%04X", static_cast<unsigned>(unit));
    };
    if (point == '"' || point == '\\') {
      out += {'\\', static_cast<char>(point)};
    } else if (point == '\n' || point == '\t') {
      out += point == '\n' ? "\\n" : "\\t";
    } else if (point == '/' && slash) {
      random.Chance() ? out += "\\/" : (escaped(point), out);
    } else if ((point >= 0x80 && ascii) ||
               (html && std::u32string_view(U"<>&'").find(point) != std::u32string_view::npos)) {
      if (point >= 0x10000) {
        escaped(0xD800 + ((point - 0x10000) >> 10));
        escaped(0xDC00 + ((point - 0x10000) & 0x3FF));
      } else {
        escaped(point);
      }
    } else {
      out += Utf8(point);
    }
  }
  return out;
}

std::string Html(const std::string& text, Random& random) {
  static const std::map<char32_t, std::string> kNames = {{'&', "&amp;"},  {'<', "&lt;"},  {'>', "&gt;"},
                                                         {'"', "&quot;"}, {'/', "&sol;"}, {'\'', "&apos;"}};
  const bool all = random.Chance();
  std::string out;
  for (const char32_t point : CodePointsOf(text)) {
    const auto name = kNames.find(point);
    if (name == kNames.end() && !(all && random.Below(4) == 0)) {
      out += Utf8(point);
    } else if (name != kNames.end() && random.Chance()) {
      out += name->second;
    } else {
      static constexpr const char* kForms[] = {"&#%u;", "&#%03u;", "&#x%x;", "&#x%X;"};
      out += Spell(kForms[random.Below(4)], static_cast<unsigned>(point));
    }
  }
  return out;
}

std::string Base64(const std::string& text, Random& random) {
  std::string out((text.size() + 2) / 3 * 4 + 1, '\0');
  out.resize(static_cast<std::size_t>(EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                                      reinterpret_cast<const unsigned char*>(text.data()),
                                                      static_cast<int>(text.size()))));
  if (random.Chance()) {
    for (char& c : out) c = c == '+' ? '-' : c == '/' ? '_' : c;
    while (out.ends_with('=')) out.pop_back();
  }
  return out;
}

std::string Hex(const std::string& text, Random& random) {
  const char* const form = random.Chance() ? "%02x" : "%02X";
  std::string out;
  for (const char c : text) out += Spell(form, static_cast<unsigned char>(c));
  return out;
}

std::string Cased(std::string text, Random& random) {
  const bool up = random.Chance();
  for (char& c : text) {
    if (std::isalpha(static_cast<unsigned char>(c))) c = static_cast<char>(up ? std::toupper(c) : std::tolower(c));
  }
  return text;
}

/// A secret in some spelling, and what stands around it in the same spelling and says nothing of it.
struct Spelling {
  std::string before, secret, after;

  std::string Text() const { return before + secret + after; }
};

Spelling SpelledAnyhow(const std::string& secret, Random& random) {
  Spelling out{"", secret, ""};
  if (const auto kind = random.Below(8); kind == 0) {
    out.secret = Hex(secret, random);
  } else if (kind == 1) {
    out.secret = Cased(secret, random);
  } else if (kind <= 3) {
    // Within a longer text. A character of base64 holds six bits, of one byte or of two.
    const auto around = Letters("abcXYZ019{}\":, ");
    const std::string before = random.Text(around, 0, 5), after = random.Text(around, 0, 5);
    const std::string all = Base64(before + secret + after, random);
    const std::size_t begin = before.size() * 8 / 6;
    const std::size_t end = std::min(((before.size() + secret.size()) * 8 + 5) / 6, all.size());
    out = {all.substr(0, begin), all.substr(begin, end - begin), all.substr(end)};
  }
  for (auto nested = random.Below(3); nested > 0; --nested) {
    const auto kind = random.Below(3);
    for (std::string* part : {&out.before, &out.secret, &out.after}) {
      *part = kind == 0 ? Percent(*part, random) : kind == 1 ? Json(*part, random) : Html(*part, random);
    }
  }
  return out;
}

/// How a config holds a token.
std::string Configured(const std::string& token, Random& random) {
  switch (random.Below(7)) {
    case 0: return "Bearer " + token;
    case 1: return "Bot " + token;
    case 2: return "Basic " + Base64("user:" + token, random);
    case 3: return "host=db user=app password='" + std::regex_replace(token, std::regex(R"(['\\])"), R"(\$&)") + "'";
    case 4: return "amqps://app:" + Percent(token, random) + "@h.test/calls";
    case 5: return "https://h.test/hooks/" + Percent(token, random);
    default: return token;
  }
}

/// True if `masked` is `before`, "***" and `after`, or less of the two.
bool NothingIsLeft(const std::string& masked, const std::string& before, const std::string& after) {
  for (auto at = masked.find("***"); at != std::string::npos; at = masked.find("***", at + 1)) {
    if (before.starts_with(masked.substr(0, at)) && after.ends_with(masked.substr(at + 3))) return true;
  }
  return false;
}

TEST(Masker, NothingIsLeftOfAnySecretInAnySpelling) {
  const auto letters = Letters("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
  auto signs = Letters("abcdefXYZ0189-._~/+=&\"'<>%$#@!?:;,*()[]{}|^`\\");
  signs.insert(signs.end(), {"ä", "é", "–", "न", "🔑"});
  auto around = signs;
  around.insert(around.end(), {" ", "\n", "\\n", "\\\"", "%2", "&amp", "word", "\": \""});
  std::uint64_t seed = 20260304;
  if (const char* wanted = std::getenv("MASKER_SEED")) seed = std::strtoull(wanted, nullptr, 10);
  Random random(seed);
  for (int i = 0; i < 20'000 / test::kOneIn; ++i) {
    const std::string token = random.Text(random.Chance() ? letters : signs, 12, 40);
    const std::string secret = Configured(token, random);
    const Masker masker(std::vector<std::string>{"another", secret});
    const Spelling spelled = SpelledAnyhow(token, random);
    const std::string before = random.Text(around, 0, 30) + " " + spelled.before;
    const std::string after = spelled.after + " " + random.Text(around, 0, 30);
    const std::string masked = masker.Mask(before + spelled.secret + after);
    ASSERT_PRED3(NothingIsLeft, masked, before, after)
        << "of " << token << "\nconfigured as " << secret << "\nspelled " << spelled.secret << "\nin round " << i;
  }
}

TEST(Masker, TheBeginningOfAMaskedTextIsMadeFromTheBeginningOfTheText) {
  Random random(7);
  const auto around = Letters("ab \n\\%&\"");
  const std::string secret = "geheimnis/der/woche";
  const Masker masker(std::vector<std::string>{secret});
  for (int i = 0; i < 2'000 / test::kOneIn; ++i) {
    std::string text;
    for (int part = 0; part < 6; ++part) text += random.Text(around, 0, 20) + SpelledAnyhow(secret, random).Text();
    const std::string whole = masker.Mask(text);
    for (std::size_t most = 0; most <= whole.size() + 2; ++most) {
      const std::string beginning = masker.Mask(text, most);
      ASSERT_GE(beginning.size(), std::min(most, whole.size()));
      ASSERT_LE(beginning.size(), most + 3);
      ASSERT_TRUE(whole.starts_with(beginning)) << text << "\n" << whole << "\n" << beginning;
    }
  }
}

}  // namespace
}  // namespace hookswitch::plugins
