#include "core/plugins/credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hookswitch::plugins {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Credentials, AHeaderThatCarriesOneShowsItsSchemeAtMost) {
  EXPECT_EQ(ShownHeader("Authorization", "Bearer xoxb-1"), "Bearer ***");
  EXPECT_EQ(ShownHeader("authorization", "xoxb-1"), "***");
  EXPECT_EQ(ShownHeader("Cookie", "sid=1; a=b"), "***");
  EXPECT_EQ(ShownHeader("Set-Cookie", "sid=1; Path=/"), "***");
  EXPECT_EQ(ShownHeader("X-Gotify-Key", "1"), "1") << "whose config marks it as secret";
  EXPECT_EQ(ShownHeader("X-Auth-Token", "1 2"), "***");
  EXPECT_EQ(ShownHeader("X-Api-Key", "1"), "***");
  EXPECT_EQ(ShownHeader("Idempotency-Key", "d-7f"), "d-7f");
  EXPECT_EQ(ShownHeader("Content-Type", "application/json"), "application/json");
  EXPECT_EQ(ShownHeader("Authorization", ""), "");
}

std::vector<std::string> In(std::string body, std::vector<std::pair<std::string, std::string>> headers = {},
                            std::size_t most = 10'000) {
  return CredentialsIn(HttpResponse{200, std::move(headers), std::move(body)}, most);
}

TEST(Credentials, AnAnswersTextsAreThoseWhoseNamesSaySo) {
  EXPECT_THAT(In(R"({"ok":true,"upload_url":"https:\/\/files.test\/u\/1","file_id":"F1"})"),
              ElementsAre("https://files.test/u/1"));
  EXPECT_THAT(In(R"({"access_token" : "abc\u00e4def1", "token_type":"bearerbearer","expires":"tomorrow!",
                     "nested":[{"Client-Secret":"12345678"}]})"),
              ElementsAre("abc\u00e4def1", "12345678"));
  EXPECT_THAT(In(R"({"next_page_token":"12345678","token":"expired","token":12345678,"secret":null})"), IsEmpty());
  EXPECT_THAT(In(R"({"password":"abcdefgh)"), IsEmpty()) << "it is not whole";
  EXPECT_THAT(In("<html>token=12345678</html>"), IsEmpty());
  EXPECT_THAT(In(R"("token":"12345678")", {}, 10), IsEmpty()) << "so much is not looked at";
  EXPECT_THAT(In("\"\\"), IsEmpty());
}

TEST(Credentials, AUrlThatIsSignedIsOneWhereverItStands) {
  const std::string url = "https://bucket.test/f?X-Amz-Signature=1a2b";
  EXPECT_THAT(In(R"({"links":["https:\/\/bucket.test\/f?X-Amz-Signature=1a2b","https://docs.test/?page=2"]})"),
              ElementsAre(url));
  EXPECT_THAT(In("", {{"Location", url}, {"Link", "https://docs.test/?page=2"}}), ElementsAre(url));
}

TEST(Credentials, TheUrlsOfAStateAreThoseThatLeadSomewhere) {
  EXPECT_THAT(UrlsIn("5\tC1\thttps://files.test/u/1\t0"), ElementsAre("https://files.test/u/1"));
  EXPECT_THAT(UrlsIn(R"({"a":"http:\/\/files.test?x=1","b":"https://h.test/a"})"),
              ElementsAre("http://files.test?x=1", "https://h.test/a"));
  EXPECT_THAT(UrlsIn("https://h.test httpx http"), IsEmpty());
  EXPECT_THAT(UrlsIn(""), IsEmpty());
}

}  // namespace
}  // namespace hookswitch::plugins
