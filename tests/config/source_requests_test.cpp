// How the requests of a source come: methods, limits, handshakes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/config/loader.h"
#include "core/config/platforms.h"
#include "tests/config/memory_environment.h"

namespace hookswitch::config {
namespace {

using testing::ElementsAre;

Source Read(const std::string& keys) {
  MemoryEnvironment memory;
  memory.files["router.yaml"] = "sources: {any: {type: json, path: /any, map: {call_id: id}" + keys +
                                "}}\nsinks: {ops: {plugin: slack}}\nrules: [{send: [ops]}]\n";
  const Loaded loaded = Load("router.yaml", memory.Get());
  EXPECT_TRUE(loaded.config) << AllText(loaded.problems);
  return loaded.config ? loaded.config->sources.at(0) : Source();
}

TEST(SourceRequests, ComeByPostAreRefusedWhenTooLargeAndHaveNoHandshake) {
  const Source source = Read("");
  EXPECT_THAT(source.methods, ElementsAre("POST"));
  EXPECT_FALSE(source.max_body);
  EXPECT_EQ(source.oversized, Oversized::kReject);
  EXPECT_EQ(source.handshake, Handshake::kNone);
}

TEST(SourceRequests, AreAsTheSourceSays) {
  const Source source = Read(", methods: [GET], max_body: 32MiB, oversized: skip, handshake: cloudevents");
  EXPECT_THAT(source.methods, ElementsAre("GET"));
  EXPECT_EQ(source.max_body, std::uint64_t{32} << 20);
  EXPECT_EQ(source.oversized, Oversized::kSkip);
  EXPECT_EQ(source.handshake, Handshake::kCloudEvents);
}

TEST(SourceRequests, ThatAreTooLargeAreSkippedOrRefusedAsThePageOfThePlatformSays) {
  Problems problems;
  const auto platform =
      ReadPlatform("any", "title: Any\noversized: skip\nhandshake: cloudevents\nmap: {call_id: id}\n", problems);
  ASSERT_TRUE(platform) << AllText(problems);
  EXPECT_EQ(platform->oversized, Oversized::kSkip);
  EXPECT_EQ(platform->handshake, Handshake::kCloudEvents);
}

}  // namespace
}  // namespace hookswitch::config
