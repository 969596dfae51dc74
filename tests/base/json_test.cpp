#include "core/base/json.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace hookswitch {
namespace {

TEST(JsonText, NumbersLookAsPeopleWriteThem) {
  const std::pair<json::value, const char*> cases[] = {
      {27.2, "27.2"},
      {0.0394, "0.0394"},
      {0.1, "0.1"},
      {100.0, "100"},
      {0.0, "0"},
      {-1.5, "-1.5"},
      {1e14, "100000000000000"},
      {1e-6, "0.000001"},
      {1e300, "1e+300"},
      {std::int64_t{-7}, "-7"},
      {std::numeric_limits<std::uint64_t>::max(), "18446744073709551615"},
      {std::numeric_limits<std::int64_t>::min(), "-9223372036854775808"},
      {std::numeric_limits<double>::infinity(), "null"},
      {std::numeric_limits<double>::quiet_NaN(), "null"},
  };
  for (const auto& [value, text] : cases) EXPECT_EQ(ToText(value), text);
}

TEST(JsonText, DoublesReadBackExactly) {
  for (const double number : {0.1, 1.0 / 3, 6.02214076e23, 5e-324, 123456.789, 999999999999999.0}) {
    EXPECT_EQ(json::parse(ToText(json::value(number))).to_number<double>(), number);
  }
}

TEST(JsonText, OneLineOrIndented) {
  const json::value value = {{"a", {1, nullptr, true}}, {"b", json::object()}, {"c", json::array()}, {"d", "x\"y"}};
  EXPECT_EQ(ToText(value), R"({"a":[1,null,true],"b":{},"c":[],"d":"x\"y"})");
  EXPECT_EQ(ToText(value, 2),
            "{\n  \"a\": [\n    1,\n    null,\n    true\n  ],\n  \"b\": {},\n  \"c\": [],\n  \"d\": \"x\\\"y\"\n}");
}

}  // namespace
}  // namespace hookswitch
