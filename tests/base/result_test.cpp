#include "core/base/result.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace hookswitch {
namespace {

Result<int> Half(int number) {
  if (number % 2 != 0) return Error{ErrorCode::kInvalid, "odd"};
  return number / 2;
}

Status CheckEven(int number) {
  HSW_TRY(Half(number));
  return Ok();
}

TEST(Result, HoldsAValueOrAnError) {
  const auto good = Half(4);
  ASSERT_TRUE(good);
  EXPECT_EQ(*good, 2);
  const auto bad = Half(3);
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, ErrorCode::kInvalid);
  EXPECT_EQ(bad.error().message, "odd");
}

TEST(Result, TryReturnsTheError) {
  EXPECT_TRUE(CheckEven(4));
  EXPECT_EQ(CheckEven(3).error().message, "odd");
}

TEST(Result, CarriesWhatCannotBeCopied) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(7);
  std::unique_ptr<int> taken = *std::move(result);
  EXPECT_EQ(*taken, 7);
}

TEST(Result, ATextIsAValueAndNotAnError) {
  const Result<std::string> result = std::string("fine");
  EXPECT_TRUE(result);
  EXPECT_EQ(result->size(), 4u);
}

TEST(ResultDeathTest, AskingForTheWrongOneAborts) {
  EXPECT_DEATH({ [[maybe_unused]] const int value = Half(3).value(); }, "has_value");
  EXPECT_DEATH({ [[maybe_unused]] const Error error = Half(4).error(); }, "has_value");
}

}  // namespace
}  // namespace hookswitch
