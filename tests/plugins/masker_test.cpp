#include "core/plugins/masker.h"

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

TEST(Masker, HidesThePathOfASecretUrl) {
  const Masker masker(kUrl);
  EXPECT_EQ(masker.Mask("POST /services/T1A2B3C4D/B5E6F7G8H/abcdefghijkl failed"), "POST *** failed");
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
