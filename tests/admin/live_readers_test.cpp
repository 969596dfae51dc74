#include "core/admin/live_readers.h"

#include <gtest/gtest.h>

#include "tests/fakes/fake_clock.h"

namespace hookswitch {
namespace {

using namespace std::chrono_literals;

/// A stream whose reader takes `room` more bytes.
struct FakeStream final : BodyStream {
  struct Reader {
    std::string got;
    std::size_t room = 1 << 20;
    bool ended = false;
  };
  explicit FakeStream(std::shared_ptr<Reader> of) : reader(std::move(of)) {}
  ~FakeStream() override { reader->ended = true; }
  bool Write(std::string_view piece) override {
    if (piece.size() > reader->room) return false;
    reader->room -= piece.size();
    reader->got += piece;
    return true;
  }
  const std::shared_ptr<Reader> reader;
};

class LiveReadersTest : public testing::Test {
 protected:
  std::shared_ptr<FakeStream::Reader> Add(LiveKinds kinds = kAllLiveKinds, std::size_t room = 1 << 20) {
    auto reader = std::make_shared<FakeStream::Reader>();
    reader->room = room;
    readers_.Add(std::make_unique<FakeStream>(reader), kinds, "hello\n\n");
    return reader;
  }

  FakeClock clock_;
  LiveReaders readers_{clock_};
};

TEST_F(LiveReadersTest, EachGetsTheKindsThatItWants) {
  const auto all = Add(), events = Add(kLiveEvent), sinks = Add(kLiveSink);
  EXPECT_EQ(readers_.kinds(), kAllLiveKinds);
  const std::vector<LiveMessage> messages{{kLiveEvent, "e\n\n"}, {kLiveEvent | kLiveDelivery, "g\n\n"}};
  readers_.Send(messages);
  EXPECT_EQ(all->got, "hello\n\ne\n\ng\n\n");
  EXPECT_EQ(events->got, all->got);
  EXPECT_EQ(sinks->got, "hello\n\n");
}

TEST_F(LiveReadersTest, OneThatIsTooSlowIsDroppedAndOthersGoOn) {
  const auto slow = Add(kAllLiveKinds, 10), other = Add();
  const std::vector<LiveMessage> messages{{kLiveEvent, "event\n\n"}};
  readers_.Send(messages);
  EXPECT_TRUE(slow->ended);
  EXPECT_EQ(readers_.count(), 1u);
  readers_.Send(messages);
  EXPECT_EQ(other->got, "hello\n\nevent\n\nevent\n\n");
  Add(kAllLiveKinds, 3);
  EXPECT_EQ(readers_.count(), 1u) << "it takes not even the first message";
}

TEST_F(LiveReadersTest, ALargeTextGoesOutInPieces) {
  struct Pieces final : BodyStream {
    bool Write(std::string_view piece) override { return piece.size() <= 64 * 1024; }
  };
  readers_.Add(std::make_unique<Pieces>(), kAllLiveKinds, std::string(300'000, 'x'));
  readers_.Send(std::vector<LiveMessage>{{kLiveEvent, std::string(300'000, 'x')}});
  EXPECT_EQ(readers_.count(), 1u);
}

TEST_F(LiveReadersTest, AfterAWhileOfNothingThereIsAComment) {
  const auto reader = Add();
  clock_.Advance(14s);
  readers_.Tend();
  EXPECT_EQ(reader->got, "hello\n\n");
  clock_.Advance(1s);
  readers_.Tend();
  readers_.Tend();
  EXPECT_EQ(reader->got, "hello\n\n:\n\n");
  reader->room = 0;
  clock_.Advance(15s);
  readers_.Tend();
  EXPECT_TRUE(reader->ended) << "who has left is noticed then at the latest";
}

TEST_F(LiveReadersTest, AStreamEndsWithTheLifeOfACookie) {
  const auto reader = Add();
  clock_.Advance(12h - 1s);
  readers_.Tend();
  EXPECT_FALSE(reader->ended);
  clock_.Advance(1s);
  readers_.Tend();
  EXPECT_TRUE(reader->ended);
}

TEST_F(LiveReadersTest, AProbeDropsThoseThatHaveLeft) {
  const auto left = Add(), stays = Add();
  left->room = 0;
  readers_.Probe();
  EXPECT_EQ(readers_.count(), 1u);
  EXPECT_FALSE(stays->ended);
}

}  // namespace
}  // namespace hookswitch
