#include "core/admin/routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/admin/answers.h"

namespace hookswitch {
namespace {

using testing::HasSubstr;
using Takes = AdminRoute::Takes;

/// Operations that answer their own pattern and what stands for its placeholders.
class AdminRoutesTest : public testing::Test {
 protected:
  AdminRoutesTest() {
    Add("GET", "/api/v1/things", Access::kRead, Takes::kQuery);
    Add("GET", "/api/v1/things/{id}", Access::kRead);
    Add("POST", "/api/v1/things/{id}", Access::kChange);
    Add("POST", "/api/v1/things/purge", Access::kChange, Takes::kBody);
    Add("POST", "/api/v1/sinks/{+name}/pause", Access::kChange);
    Add("POST", "/api/v1/sinks/{+name}/resume", Access::kChange);
    Add("GET", "/page/{+file}", Access::kPublic, Takes::kAnything);
    Add("POST", "/api/v1/explain", Access::kRead, Takes::kBody);
  }
  void Add(std::string_view method, std::string_view pattern, Access needs, Takes takes = Takes::kNothing) {
    routes_.Add({method, pattern, needs, takes, [pattern](const RoutedRequest& routed) {
                   Answer answer;
                   answer.body = pattern;
                   for (const std::string_view value : routed.values) answer.body += " " + std::string(value);
                   return answer;
                 }});
  }
  static ServedRequest Request(std::string_view method, std::string_view path, std::string_view query = {},
                               std::string_view body = {}) {
    static const std::vector<std::pair<std::string, std::string>> none;
    return {method, path, query, body, "127.0.0.1", none};
  }
  Answer Ask(std::string_view method, std::string_view path, std::string_view query = {}, std::string_view body = {}) {
    return routes_.Handle(Request(method, path, query, body), caller_);
  }

  AdminRoutes routes_;
  const Caller caller_;
};

TEST_F(AdminRoutesTest, APathFindsItsOperationAndWhatStandsForThePlaceholders) {
  EXPECT_EQ(Ask("GET", "/api/v1/things").body, "/api/v1/things");
  EXPECT_EQ(Ask("GET", "/api/v1/things/7").body, "/api/v1/things/{id} 7");
  EXPECT_EQ(Ask("POST", "/api/v1/things/7").body, "/api/v1/things/{id} 7");
  EXPECT_EQ(Ask("POST", "/api/v1/sinks/a/b/pause").body, "/api/v1/sinks/{+name}/pause a/b");
  EXPECT_EQ(Ask("POST", "/api/v1/sinks/pause/resume").body, "/api/v1/sinks/{+name}/resume pause");
  EXPECT_EQ(Ask("GET", "/page/views/live.js").body, "/page/{+file} views/live.js");
}

TEST_F(AdminRoutesTest, ANameOfItsOwnComesBeforeAPlaceholder) {
  EXPECT_EQ(Ask("POST", "/api/v1/things/purge").body, "/api/v1/things/purge");
  EXPECT_EQ(Ask("GET", "/api/v1/things/purge").status, 405) << "it is no thing with the id purge";
}

TEST_F(AdminRoutesTest, WhatNoPatternMatchesIs404) {
  for (const char* path : {"/", "/api/v1/thing", "/api/v1/thingsandmore", "/api/v1/things/", "/api/v1/things/7/8",
                           "/api/v1/sinks//pause", "/api/v1/sinks/pause", "/api/v1/sinks/ops/pause/", "/page/", ""}) {
    EXPECT_EQ(Ask("GET", path).status, 404) << path;
    EXPECT_THAT(Ask("GET", path).body, HasSubstr("not_found")) << path;
  }
}

TEST_F(AdminRoutesTest, AWrongMethodIsToldTheRightOnes) {
  EXPECT_EQ(Ask("HEAD", "/api/v1/things/7").status, 200);
  EXPECT_EQ(Ask("DELETE", "/api/v1/things/7").status, 405);
  EXPECT_EQ(Ask("DELETE", "/api/v1/things/7").allow, "GET, HEAD, POST");
  EXPECT_EQ(Ask("HEAD", "/api/v1/explain").allow, "POST");
  EXPECT_EQ(Ask("get", "/api/v1/things").allow, "GET, HEAD") << "a method has its case";
}

TEST_F(AdminRoutesTest, WhatAnOperationDoesNotTakeIsNamed) {
  EXPECT_EQ(Ask("GET", "/api/v1/things", "a=1").status, 200);
  EXPECT_EQ(Ask("GET", "/api/v1/things", "", R"({"a": 1})").status, 400);
  EXPECT_THAT(Ask("GET", "/api/v1/things/7", "nonsense=1").body, HasSubstr("nonsense"));
  EXPECT_THAT(Ask("POST", "/api/v1/things/7", "", R"({"frobnicate": 1})").body, HasSubstr("frobnicate"));
  EXPECT_EQ(Ask("POST", "/api/v1/things/purge", "", R"({"a": 1})").status, 200);
  EXPECT_EQ(Ask("POST", "/api/v1/things/purge", "a=1").status, 400);
  EXPECT_EQ(Ask("GET", "/page/a.js", "v=1", "anything").status, 200);
}

TEST_F(AdminRoutesTest, WhatIsNotThereNeedsNoMoreThanReading) {
  EXPECT_EQ(routes_.AccessOf(Request("POST", "/api/v1/explain")), Access::kRead);
  EXPECT_EQ(routes_.AccessOf(Request("POST", "/api/v1/things/7")), Access::kChange);
  EXPECT_EQ(routes_.AccessOf(Request("HEAD", "/api/v1/things/7")), Access::kRead);
  EXPECT_EQ(routes_.AccessOf(Request("GET", "/api/v1/things/purge")), Access::kRead) << "it will be told to use POST";
  EXPECT_EQ(routes_.AccessOf(Request("POST", "/page/a.js")), Access::kPublic);
  EXPECT_EQ(routes_.AccessOf(Request("POST", "/no/such/page")), Access::kRead);
}

}  // namespace
}  // namespace hookswitch
