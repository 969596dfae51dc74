#include "core/base/secret.h"

#include <gtest/gtest.h>

#include <concepts>
#include <ostream>
#include <utility>

namespace hookswitch {
namespace {

template <class T>
concept Printable = requires(std::ostream& out, const T& value) {
  out << value;
};
static_assert(!Printable<Secret>, "a secret cannot be printed by accident");
static_assert(!std::convertible_to<Secret, std::string>, "a secret is taken out with Reveal only");
static_assert(!std::convertible_to<std::string, Secret>, "text becomes a secret on purpose only");

TEST(Secret, ComparesByValue) {
  const Secret secret("hunter2");
  EXPECT_TRUE(secret.Equals("hunter2"));
  EXPECT_FALSE(secret.Equals("hunter"));
  EXPECT_FALSE(secret.Equals("hunter22"));
  EXPECT_FALSE(secret.Equals(""));
  EXPECT_TRUE(Secret().Equals(""));
  EXPECT_EQ(secret, Secret("hunter2"));
}

TEST(Secret, MovingLeavesNothingBehind) {
  for (const std::string& text : {std::string("short"), std::string(100, 'x')}) {
    Secret from(text);
    Secret to(std::move(from));
    EXPECT_EQ(to.Reveal(), text);
    EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move): that it is empty is the promise
    Secret assigned("other");
    assigned = std::move(to);
    EXPECT_EQ(assigned.Reveal(), text);
    EXPECT_TRUE(to.empty());  // NOLINT(bugprone-use-after-move)
  }
}

TEST(Secret, AssignmentToItselfKeepsIt) {
  Secret secret("hunter2");
  const Secret& same = secret;
  secret = same;
  EXPECT_EQ(secret.Reveal(), "hunter2");
}

}  // namespace
}  // namespace hookswitch
