#include "core/base/ids.h"

#include <gtest/gtest.h>

#include <limits>

#include "core/base/text.h"

namespace hookswitch {
namespace {

WallTime At(std::int64_t ms) {
  return WallTime(std::chrono::milliseconds(ms));
}

TEST(EventId, LeadsBackToItsRow) {
  for (const EventSeq seq :
       {EventSeq{1}, EventSeq{31}, EventSeq{32}, EventSeq{1} << 40, std::numeric_limits<EventSeq>::max()}) {
    const std::string id = EventId(At(1772614923114), 0xBEEF, seq);
    EXPECT_EQ(id.size(), 26u);
    EXPECT_EQ(EventSeqOf(id), seq) << id;
    EXPECT_EQ(EventSeqOf(ToLower(id)), seq) << id;
  }
}

TEST(EventId, SortsByTimeThenBySeq) {
  EXPECT_LT(EventId(At(1000), 0xFFFF, 9), EventId(At(1001), 0, 1));
  EXPECT_LT(EventId(At(1000), 7, 9), EventId(At(1000), 7, 10));
}

TEST(EventId, HasTheLayoutOfAUlid) {
  // The time of the example in github.com/ulid/spec: 01ARYZ6S41 is 1469918176385.
  EXPECT_EQ(EventId(At(1469918176385), 0, 1), "01ARYZ6S410000000000000001");
}

TEST(EventId, RefusesWhatIsNone) {
  const std::string good = EventId(At(1772614923114), 1, 7);
  for (const std::string& id :
       {std::string(), good.substr(1), good + "0", std::string("8") + good.substr(1), std::string(26, '0'),
        good.substr(0, 25) + "I", good.substr(0, 25) + "O", good.substr(0, 25) + "-"}) {
    EXPECT_FALSE(EventSeqOf(id)) << id;
  }
}

TEST(DeliveryId, LeadsBackToItsRow) {
  EXPECT_EQ(DeliveryId(127), "d-7f");
  for (const DeliverySeq seq : {DeliverySeq{1}, DeliverySeq{4096}, std::numeric_limits<DeliverySeq>::max()}) {
    EXPECT_EQ(DeliverySeqOf(DeliveryId(seq)), seq);
  }
  for (const char* id : {"", "d-", "d-0", "d--5", "7f", "d-7g", "d-7f ", "e-7f", "d-ffffffffffffffffff"})
    EXPECT_FALSE(DeliverySeqOf(id)) << id;
}

TEST(Digest, IsTheFrontOfSha256) {
  // FIPS 180-2, appendix B.1: SHA-256("abc").
  const Digest wanted = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea,
                         0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23};
  EXPECT_EQ(DigestOf("abc"), wanted);
  EXPECT_NE(DigestOf(""), DigestOf(std::string_view("\0", 1)));
}

}  // namespace
}  // namespace hookswitch
