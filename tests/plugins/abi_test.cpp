#include <gtest/gtest.h>

#include <array>

#include "hookswitch/sink.hpp"

extern "C" std::size_t HswSizesSeenByC(std::size_t which);

namespace {

TEST(Abi, HasTheSameSizesInCAndCpp) {
  const std::array sizes = {sizeof(hsw_outcome),  sizeof(hsw_message), sizeof(hsw_delivery), sizeof(hsw_request),
                            sizeof(hsw_response), sizeof(hsw_config),  sizeof(hsw_sink)};
  for (std::size_t i = 0; i < sizes.size(); ++i) EXPECT_EQ(HswSizesSeenByC(i), sizes[i]) << i;
}

TEST(SdkText, CutsBetweenCodePoints) {
  EXPECT_EQ(hsw::CutCodePoints("a\xF0\x9F\x98\x80z", 2), "a\xF0\x9F\x98\x80");
  EXPECT_EQ(hsw::CutBytes("a\xF0\x9F\x98\x80z", 4), "a");
  EXPECT_EQ(hsw::CutBytes("a\xF0\x9F\x98\x80z", 5), "a\xF0\x9F\x98\x80");
  EXPECT_EQ(hsw::CutBytes("", 0), "");
  EXPECT_EQ(hsw::CodePoints("a\xF0\x9F\x98\x80z"), 3u);
}

TEST(SdkText, EscapesWhatJsonAsksFor) {
  std::string out;
  hsw::AppendJsonString(out, "a\"b\\c\n\x01\xC3\xA9/");
  EXPECT_EQ(out, "\"a\\\"b\\\\c\\n\\u0001\xC3\xA9/\"");
}

std::uint32_t StatusFor(int http, std::uint32_t* retry_after_ms = nullptr, std::uint32_t* flags = nullptr,
                        std::uint32_t* scope = nullptr) {
  hsw_response raw{};
  raw.size = sizeof raw;
  raw.status = http;
  raw.retry_after_ms = 1500;
  hsw_outcome outcome{};
  hsw::FromHttp(hsw::Response(&raw)).CopyTo(&outcome);
  if (retry_after_ms) *retry_after_ms = outcome.retry_after_ms;
  if (flags) *flags = outcome.flags;
  if (scope) *scope = outcome.scope;
  return outcome.status;
}

TEST(SdkFromHttp, ClassifiesByStatus) {
  for (const int status : {200, 201, 202, 204}) EXPECT_EQ(StatusFor(status), std::uint32_t{HSW_DELIVERED}) << status;
  for (const int status : {408, 425, 429, 500, 502, 503, 504})
    EXPECT_EQ(StatusFor(status), std::uint32_t{HSW_RETRY}) << status;
  for (const int status : {400, 409, 413, 422, 431})
    EXPECT_EQ(StatusFor(status), std::uint32_t{HSW_REJECTED}) << status;
}

TEST(SdkFromHttp, SaysOfWhatItIsAboutWhatTheStatusSays) {
  std::uint32_t scope = 0;
  for (const int status : {301, 302, 307, 308, 401, 402, 407}) {
    EXPECT_EQ(StatusFor(status, nullptr, nullptr, &scope), std::uint32_t{HSW_MISCONFIGURED}) << status;
    EXPECT_EQ(scope, std::uint32_t{HSW_SCOPE_SINK}) << status;
  }
  for (const int status : {403, 404, 405, 406, 410, 415, 421, 426, 451, 501, 505}) {
    EXPECT_EQ(StatusFor(status, nullptr, nullptr, &scope), std::uint32_t{HSW_MISCONFIGURED}) << status;
    EXPECT_EQ(scope, std::uint32_t{HSW_SCOPE_UNKNOWN}) << status;
  }
}

TEST(SdkFromHttp, PassesThePauseOnAndSaysWhatMayHaveHappened) {
  std::uint32_t pause = 0, flags = 0;
  StatusFor(429, &pause, &flags);
  EXPECT_EQ(pause, 1500u);
  EXPECT_EQ(flags, 0u);
  StatusFor(503, &pause, &flags);
  EXPECT_EQ(pause, 1500u);
  EXPECT_EQ(flags, std::uint32_t{HSW_MAYBE_DELIVERED});
}

}  // namespace
