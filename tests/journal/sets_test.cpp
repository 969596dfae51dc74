#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "core/journal/indexes.h"

namespace hookswitch {
namespace {

TEST(DedupSet, AgreesWithAMapThroughInsertionsAndErasures) {
  std::mt19937 random(1);
  DedupSet set;
  std::map<Digest, EventSeq> model;
  EventSeq next = 1;
  for (int i = 0; i < 60'000; ++i) {
    const Digest digest = DigestOf(std::to_string(random() % 20'000));
    const auto known = model.find(digest);
    ASSERT_EQ(set.Find(digest), known == model.end() ? 0 : known->second);
    if (known == model.end()) {
      set.Insert(digest, next);
      model[digest] = next++;
    } else if (random() % 2 == 0) {
      set.Erase(digest, known->second);
      model.erase(known);
    }
    ASSERT_EQ(set.size(), model.size());
  }
  for (const auto& [digest, event] : model) ASSERT_EQ(set.Find(digest), event);
}

TEST(DedupSet, ErasingAnEarlierEventLeavesTheLaterOneOfTheSameKey) {
  DedupSet set;
  const Digest digest = DigestOf("a");
  set.Insert(digest, 5);
  set.Erase(digest, 3);
  EXPECT_EQ(set.Find(digest), 5);
}

TEST(PendingSet, AgreesWithASetAlsoAfterChangesWereTakenBack) {
  std::mt19937 random(2);
  PendingSet set;
  std::set<DeliverySeq> model, before;
  const auto sink_of = [](DeliverySeq delivery) { return delivery % 3 == 0 ? "ops" : "oncall"; };
  for (int i = 0; i < 50'000; ++i) {
    if (i % 100 == 0) set.Begin(), before = model;
    const DeliverySeq delivery = 1 + static_cast<DeliverySeq>(random() % 5'000);
    const bool pending = random() % 3 == 0;
    set.Set(delivery, sink_of(delivery), pending);
    pending ? (void)model.insert(delivery) : (void)model.erase(delivery);
    if (i % 700 == 350) set.Rollback(), model = before;
    ASSERT_EQ(set.size(), model.size());
    ASSERT_EQ(set.Floor(10'000), model.empty() ? 10'000 : *model.begin());
  }
  for (DeliverySeq delivery = 1; delivery <= 5'000; ++delivery) {
    ASSERT_EQ(set.Contains(delivery), model.contains(delivery));
  }
  const auto ops = static_cast<std::uint64_t>(std::ranges::count_if(model, [](DeliverySeq d) { return d % 3 == 0; }));
  EXPECT_EQ(set.CountOf("ops"), ops);
  EXPECT_EQ(set.CountOf("oncall"), model.size() - ops);
  EXPECT_EQ(set.CountOf("nobody"), 0u);
  ASSERT_LT(ops, model.size() - ops);
  EXPECT_EQ(set.WithAtLeast(ops + 1), std::vector<std::string>{"oncall"});
  EXPECT_EQ(set.WithAtLeast(ops).size(), 2u);
}

TEST(PendingSet, NumbersFarApartTakeNoRoomBetween) {
  PendingSet set;
  constexpr DeliverySeq kFar = DeliverySeq{1} << 52;
  set.Set(1, "ops", true);
  set.Set(kFar, "ops", true);
  EXPECT_EQ(set.Floor(kFar + 1), 1);
  set.Set(1, "ops", false);
  EXPECT_EQ(set.Floor(kFar + 1), kFar);
  EXPECT_EQ(set.size(), 1u);
}

}  // namespace
}  // namespace hookswitch
