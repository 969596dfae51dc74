#include "core/base/query_string.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/encoding.h"

namespace hookswitch {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(QueryString, IsTakenApartAsItWasSent) {
  std::vector<std::pair<std::string, std::string>> parameters;
  std::string_view query = "a=%zz&&b&c=&=d&e=f=g|\xC3\xA9&";
  while (const auto parameter = TakeParameter(query)) {
    parameters.emplace_back(parameter->name, parameter->value.value_or("none"));
  }
  EXPECT_THAT(parameters, ElementsAre(Pair("a", "%zz"), Pair("b", "none"), Pair("c", ""), Pair("", "d"),
                                      Pair("e", "f=g|\xC3\xA9")));
}

TEST(FormFields, AreTheInverseOfFormEncoding) {
  EXPECT_THAT(FormFields("a=" + FormEncoded("x y&=\xC3\xA9+%") + "&b&a=2&&c=%zz%4"),
              ElementsAre(Pair("a", "x y&=\xC3\xA9+%"), Pair("b", ""), Pair("a", "2"), Pair("c", "%zz%4")));
}

}  // namespace
}  // namespace hookswitch
