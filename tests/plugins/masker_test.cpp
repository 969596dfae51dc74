#include "core/plugins/masker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace hookswitch::plugins
