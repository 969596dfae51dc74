#pragma once
#include <algorithm>

#include "tests/contract/journal_contract.h"

// What every journal keeps of the configs that events were routed by. The same suite as journal_contract.h, whose
// includer instantiates both.
namespace hookswitch {

inline KeptConfig MakeConfig(const std::string& text, std::int64_t since_ms) {
  return {.hash = DigestOf(text), .since = WallTime(std::chrono::milliseconds(since_ms)), .text = text};
}

TEST_P(JournalContract, AnEventNamesTheConfigThatRoutedIt) {
  const KeptConfig first = MakeConfig("rules: first", 1000), second = MakeConfig(
                                                                 "rules: s\xC3\xA9"
                                                                 "cond\n",
                                                                 2000);
  const auto append = [this](const char* key, const KeptConfig* config) {
    return WithEvent(key, {"ops"}, 7, [&](NewEvent event) {
      event.config = config;
      const auto accepted = journal_->Append(event);
      EXPECT_TRUE(accepted);
      return accepted ? accepted->event : 0;
    });
  };
  KeptConfig again = first;
  again.since += std::chrono::hours(1);
  const EventSeq a = append("a", &first), b = append("b", &second), c = append("c", &again), d = append("d", nullptr);
  const auto expect = [&](EventSeq event, const KeptConfig& config) {
    const auto stored = journal_->Load(event);
    ASSERT_TRUE(stored);
    const auto summary = journal_->history().FindEvent(event);
    ASSERT_TRUE(summary);
    EXPECT_EQ(summary->config, stored->config);
    const auto kept = journal_->history().LoadConfig(stored->config);
    ASSERT_TRUE(kept) << kept.error().message;
    EXPECT_EQ(kept->hash, config.hash);
    EXPECT_EQ(kept->text, config.text);
    EXPECT_EQ(kept->since, config.since) << "when it was stored for the first time";
  };
  const auto expect_all = [&] {
    expect(a, first);
    expect(b, second);
    expect(c, first);
    EXPECT_EQ(journal_->Load(d)->config, 0);
    EXPECT_EQ(journal_->Load(c)->config, journal_->Load(a)->config) << "stored once";
    EXPECT_NE(journal_->Load(b)->config, journal_->Load(a)->config);
    const auto listed = journal_->history().ListEvents({}, 0, 10);
    ASSERT_TRUE(listed);
    for (const EventSummary& event : listed->items) EXPECT_EQ(event.config, journal_->Load(event.seq)->config);
  };
  expect_all();
  Crash();
  expect_all();
  Open();
  expect_all();
  expect(append("e", &second), second);
  EXPECT_EQ(journal_->Load(5)->config, journal_->Load(b)->config);
  for (const std::int64_t none : {0, 99, -1}) {
    EXPECT_EQ(journal_->history().LoadConfig(none).error().code, ErrorCode::kNotFound);
  }
}

TEST_P(JournalContract, ADuplicateKeepsItsConfigAndARevisionHasThatWhichRoutedIt) {
  const KeptConfig first = MakeConfig("first", 1000), second = MakeConfig("second", 2000);
  const auto append = [this](const KeptConfig& config, std::uint64_t content) {
    WithEvent("a", {"ops"}, 7, [&](NewEvent event) {
      event.config = &config;
      event.content = content;
      EXPECT_TRUE(journal_->Append(event));
    });
    const auto stored = journal_->Load(1);
    EXPECT_TRUE(stored);
    const auto kept = journal_->history().LoadConfig(stored ? stored->config : 0);
    EXPECT_TRUE(kept);
    return kept ? kept->text : "";
  };
  EXPECT_EQ(append(first, 11), "first");
  EXPECT_EQ(append(second, 11), "first");
  EXPECT_EQ(append(second, 12), "second");
  EXPECT_EQ(append(first, 13), "first");
  Crash();
  EXPECT_EQ(append(first, 13), "first");
}

TEST_P(JournalContract, AConfigThatIsTooLargeHoldsUpNoEvent) {
  home_->LimitSize(100'000);
  Open();
  const KeptConfig large = MakeConfig(std::string(200'000, 'c'), 1000);
  const auto accepted = WithEvent("a", {"ops"}, 7, [&](NewEvent event) {
    event.config = &large;
    return journal_->Append(event);
  });
  ASSERT_TRUE(accepted) << accepted.error().message;
  EXPECT_EQ(journal_->Load(accepted->event)->config, 0);
  EXPECT_EQ(journal_->Stats().events, 1u);
}

}  // namespace hookswitch
