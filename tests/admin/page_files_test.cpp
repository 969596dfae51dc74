#include "core/admin/page_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "core/admin/embedded_file.h"
#include "tests/admin/documented_answer.h"

namespace hookswitch {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;
using Headers = std::vector<std::pair<std::string, std::string>>;

/// The files of core/admin/page by their names.
std::map<std::string, std::string> FilesInTree() {
  const fs::path top = HSW_SOURCE_DIR "/core/admin/page";
  static const std::set<std::string> kKinds = {".html", ".css", ".js", ".svg"};
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(top)) {
    if (!entry.is_regular_file() || !kKinds.contains(entry.path().extension())) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    files[fs::relative(entry.path(), top)] = {std::istreambuf_iterator<char>(in), {}};
  }
  return files;
}

class PageFilesTest : public testing::Test {
 protected:
  PageFilesTest() { AddPage(routes_); }
  Answer Ask(std::string_view path, const Headers& headers = {}, std::string_view method = "GET") {
    return Documented(method, path, "", routes_.Handle({method, path, "", "", "127.0.0.1", headers}, Caller()));
  }
  static std::string Header(const Answer& answer, std::string_view name) {
    for (const auto& header : answer.headers) {
      if (header.first == name) return header.second;
    }
    return "";
  }

  AdminRoutes routes_;
};

TEST_F(PageFilesTest, EveryFileIsServedAsItStandsInTheTree) {
  const auto files = FilesInTree();
  EXPECT_EQ(PageFiles().size(), files.size());
  for (const auto& [name, text] : files) {
    const Answer answer = Ask("/page/" + name);
    ASSERT_EQ(answer.status, 200) << name;
    EXPECT_TRUE(name == "index.html" || answer.body == text) << name;
  }
}

TEST_F(PageFilesTest, TheStartPageAsksForAllModulesAtOnce) {
  const Answer answer = Ask("/");
  EXPECT_EQ(answer.content_type, "text/html; charset=utf-8");
  std::string links;
  for (const auto& [name, text] : FilesInTree()) {
    if (name.ends_with(".js")) links += "<link rel=\"modulepreload\" href=\"page/" + name + "\">\n";
  }
  std::string wanted = FilesInTree().at("index.html");
  EXPECT_THAT(wanted, Not(HasSubstr("modulepreload"))) << "the build adds these";
  wanted.insert(wanted.find("</head>"), links);
  EXPECT_EQ(answer.body, wanted);
  EXPECT_EQ(Ask("/page/index.html").body, wanted);
}

TEST_F(PageFilesTest, TheBrowserIsToldWhatEachFileIsAndToTrustNothingElse) {
  for (const EmbeddedFile& file : PageFiles()) {
    const Answer answer = Ask("/page/" + std::string(file.name));
    const std::string kind = fs::path(file.name).extension();
    EXPECT_EQ(answer.content_type, kind == ".html"  ? "text/html; charset=utf-8"
                                   : kind == ".css" ? "text/css; charset=utf-8"
                                   : kind == ".svg" ? "image/svg+xml"
                                                    : "text/javascript; charset=utf-8");
    EXPECT_EQ(Header(answer, "Content-Security-Policy"),
              "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
              "base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
    EXPECT_EQ(Header(answer, "X-Frame-Options"), "DENY");
    EXPECT_EQ(Header(answer, "Referrer-Policy"), "no-referrer");
    EXPECT_EQ(Header(answer, "Cross-Origin-Opener-Policy"), "same-origin");
    EXPECT_EQ(Header(answer, "Cache-Control"), "no-cache");
  }
}

TEST_F(PageFilesTest, AFileThatTheBrowserHasIsNotSentAgain) {
  const Answer whole = Ask("/");
  const std::string tag = Header(whole, "ETag");
  ASSERT_GT(tag.size(), 10u);
  EXPECT_EQ(tag.front(), '"');
  EXPECT_EQ(tag.back(), '"');
  for (const std::string& tags : {tag, "W/" + tag, "\"other\", " + tag, std::string("*")}) {
    const Answer answer = Ask("/", {{"If-None-Match", tags}});
    EXPECT_EQ(answer.status, 304) << tags;
    EXPECT_EQ(answer.body, "") << tags;
    EXPECT_EQ(Header(answer, "ETag"), tag);
    EXPECT_EQ(Header(answer, "Cache-Control"), "no-cache");
  }
  for (const std::string& tags :
       {std::string(), std::string("\"other\""), tag.substr(1, tag.size() - 2), "\"x" + tag}) {
    EXPECT_EQ(Ask("/", {{"If-None-Match", tags}}).body, whole.body) << tags;
  }
  EXPECT_EQ(Ask("/page/index.html", {{"If-None-Match", tag}}).status, 304);
  std::set<std::string_view> tags;
  for (const EmbeddedFile& file : PageFiles()) tags.insert(file.etag);
  EXPECT_EQ(tags.size(), PageFiles().size()) << "another file has another tag";
}

TEST_F(PageFilesTest, WhatIsNoFileOfThePageIs404) {
  for (const char* path : {"/page/", "/page/x.js", "/page/../admin_api.cpp", "/page//etc/passwd", "/page/INDEX.html"}) {
    EXPECT_EQ(Ask(path).status, 404) << path;
  }
}

TEST_F(PageFilesTest, ThePageIsForAnybody) {
  for (const char* path : {"/", "/page/index.html", "/page/no-such-file"}) {
    EXPECT_EQ(routes_.AccessOf({"GET", path, "", "", "127.0.0.1", {}}), Access::kPublic) << path;
  }
  EXPECT_EQ(Ask("/", {}, "HEAD").status, 200);
  EXPECT_EQ(Ask("/", {}, "POST").status, 405);
}

}  // namespace
}  // namespace hookswitch
