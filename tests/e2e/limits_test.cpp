// What the router does where a resource ends: it says so, loses nothing, and goes on by itself when there is more.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "tests/e2e/router.h"
#include "tests/e2e/small_disk.h"

namespace hookswitch::e2e {
namespace {

using testing::HasSubstr;
using testing::Not;

testing::AssertionResult IsReady(const Router& router, bool wanted, std::string_view part = {}) {
  const auto deadline = std::chrono::steady_clock::now() + seconds(20);
  RawAnswer answer;
  do {
    answer = router.Get("/readyz");
  } while (answer.status != (wanted ? 200 : 503) && std::chrono::steady_clock::now() < deadline);
  if (answer.status != (wanted ? 200 : 503)) {
    return testing::AssertionFailure() << answer.status << " " << answer.error << answer.body;
  }
  if (part.empty()) return testing::AssertionSuccess();
  const json::value* note = json::parse(answer.body).at("parts").as_object().if_contains(part);
  if (note == nullptr || *note == "ok") return testing::AssertionFailure() << part << " is not named: " << answer.body;
  return testing::AssertionSuccess();
}

void ExpectTryLater(const RawAnswer& answer) {
  EXPECT_EQ(answer.status, 503) << answer.body << answer.error;
  EXPECT_THAT(answer.Header("Retry-After"), Not(testing::IsEmpty()));
  EXPECT_THAT(answer.body, HasSubstr("\"error\""));
}

/// Changes a limit of a running process; the old one.
rlimit Limit(const Router& router, __rlimit_resource resource, rlim_t value) {
  rlimit old{};
  EXPECT_EQ(prlimit(const_cast<Router&>(router).Process().Pid(), resource, nullptr, &old), 0);
  rlimit changed = old;
  changed.rlim_cur = value;
  EXPECT_EQ(prlimit(const_cast<Router&>(router).Process().Pid(), resource, &changed, nullptr), 0);
  return old;
}

class Limits : public testing::Test {
 protected:
  Limits() { config_.Slack("ops", slack_.Url()); }

  /// Posts calls until one is not accepted; their bodies are large, so that a journal soon needs room.
  RawAnswer PostUntilRefused(const Router& router) {
    RawAnswer answer;
    do {
      answer = router.Post(Call(CallId(calls_), {{"summary", std::string(500'000, 'x')}}));
      if (answer.status == 200) ++calls_;
    } while (answer.status == 200 && calls_ < 1000);
    return answer;
  }
  /// Calls 0 to calls_ were accepted: each arrives.
  void ExpectAllArrive() {
    ASSERT_TRUE(slack_.WaitForPosted(calls_, seconds(60)));
    std::set<std::size_t> arrived;
    for (const auto& posted : slack_.Posted()) arrived.insert(CallNumberIn(posted.body).value_or(SIZE_MAX));
    EXPECT_EQ(arrived.size(), calls_);
    EXPECT_EQ(*arrived.rbegin(), calls_ - 1);
  }

  TempDir dir_;
  FakeSlack slack_;
  RouterConfig config_{dir_};
  std::size_t calls_ = 0;
};

TEST_F(Limits, AFullDiskIs503UntilThereIsRoomAndWhatIsStoredIsDelivered) {
  SmallDisk disk(64);
  if (!disk.Mounted()) GTEST_SKIP() << "no disk can be mounted here";
  config_.journal = "{path: " + (disk / "journal.db") + "}";
  slack_.GoDown();
  Router router(config_.Write());
  ASSERT_TRUE(router.Ready());
  for (; calls_ < 20; ++calls_) ASSERT_EQ(router.Post(Call(CallId(calls_))).status, 200);
  disk.Fill();
  ExpectTryLater(PostUntilRefused(router));
  EXPECT_TRUE(IsReady(router, false, "journal"));
  EXPECT_THAT(router.Get("/metrics").body, HasSubstr("hookswitch_journal_writable 0"));
  slack_.ComeBack();
  // No more than may be in flight without a durable record.
  EXPECT_TRUE(slack_.WaitForPosted(8));
  disk.Free();
  EXPECT_TRUE(IsReady(router, true));
  ASSERT_EQ(router.Post(Call(CallId(calls_++))).status, 200);
  ExpectAllArrive();
  EXPECT_EQ(router.Stop(), 0);
  EXPECT_EQ(slack_.PostedCount(), calls_) << "nothing was sent twice";
}

TEST_F(Limits, AJournalAtItsSizeLimitIs503UntilItIsRaised) {
  Router router(config_.Write());
  ASSERT_TRUE(router.Ready());
  ASSERT_EQ(router.Post(Call(CallId(calls_++))).status, 200);
  const rlimit old = Limit(router, RLIMIT_FSIZE, 4 << 20);
  ExpectTryLater(PostUntilRefused(router));
  EXPECT_TRUE(IsReady(router, false, "journal"));
  Limit(router, RLIMIT_FSIZE, old.rlim_cur);
  EXPECT_TRUE(IsReady(router, true));
  ASSERT_EQ(router.Post(Call(CallId(calls_++))).status, 200);
  ExpectAllArrive();
  EXPECT_EQ(router.Stop(), 0);
}

TEST_F(Limits, AJournalOnAReadOnlyDiskRefusesTheStartAndSaysSo) {
  SmallDisk disk(64);
  if (!disk.Mounted()) GTEST_SKIP() << "no disk can be mounted here";
  config_.journal = "{path: " + (disk / "journal.db") + "}";
  {
    Router router(config_.Write());
    ASSERT_EQ(router.Post(Call(CallId(calls_++))).status, 200);
    ExpectAllArrive();
    ASSERT_EQ(router.Stop(), 0);
  }
  ASSERT_TRUE(disk.MakeReadOnly());
  const Finished refused = RunProgram({Program(), "serve", "-c", config_.Path()});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, HasSubstr("start_failed"));
  EXPECT_THAT(refused.err, HasSubstr("journal.db"));
}

TEST_F(Limits, AFullBacklogIs503UntilItIsDelivered) {
  config_.journal = "{path: " + (dir_ / "journal.db") + ", max_backlog: 10}";
  slack_.GoDown();
  Router router(config_.Write());
  ASSERT_TRUE(router.Ready());
  EXPECT_TRUE(IsReady(router, true));
  for (; calls_ < 10; ++calls_) ASSERT_EQ(router.Post(Call(CallId(calls_))).status, 200);
  ExpectTryLater(router.Post(Call(CallId(calls_))));
  EXPECT_TRUE(IsReady(router, false, "backlog"));
  EXPECT_EQ(json::parse(router.Post(Call(CallId(0))).body).at("duplicate"), true) << "that needs no room";
  slack_.ComeBack();
  ASSERT_TRUE(slack_.WaitForPosted(10));
  EXPECT_TRUE(IsReady(router, true));
  ASSERT_EQ(router.Post(Call(CallId(calls_++))).status, 200);
  ExpectAllArrive();
}

TEST_F(Limits, AFullBacklogIsFeltByEventsForItsSinkAlone) {
  config_.journal = "{path: " + (dir_ / "journal.db") + ", max_backlog: 10}";
  config_.sinks += "  quiet: {plugin: file, config: {path: " + (dir_ / "quiet.jsonl") + "}}\n";
  config_.rules = "  - {when: {status: failed}, send: [quiet], stop: true}\n  - {send: [ops]}\n";
  slack_.GoDown();
  Router router(config_.Write());
  ASSERT_TRUE(router.Ready());
  for (; calls_ < 10; ++calls_) ASSERT_EQ(router.Post(Call(CallId(calls_))).status, 200);
  ExpectTryLater(router.Post(Call(CallId(calls_))));
  for (int i = 0; i < 5; ++i) ASSERT_EQ(router.Post(Call(CallId(100 + i), {{"status", "failed"}})).status, 200);
  EXPECT_TRUE(IsReady(router, true));
  EXPECT_THAT(router.Get("/readyz").body, HasSubstr("wait for ops"));
  slack_.ComeBack();
  ExpectAllArrive();
}

TEST_F(Limits, OneAddressCannotTakeEveryConnection) {
  Router router(config_.Write(), {}, {"/bin/sh", "-c", "ulimit -n 512; exec \"$0\" \"$@\""});
  ASSERT_TRUE(router.Ready());
  EXPECT_TRUE(router.WaitForEvent("connections_limited"));
  std::vector<std::unique_ptr<RawClient>> crowd;
  for (int i = 0; i < 400; ++i) {
    crowd.push_back(std::make_unique<RawClient>(router.Ingress(), seconds(20), "127.0.0.2"));
    crowd.back()->Send("POST /bolna/webhook HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n");
  }
  EXPECT_TRUE(IsReady(router, true));
  for (; calls_ < 20; ++calls_) ASSERT_EQ(router.Post(Call(CallId(calls_))).status, 200);
  // So many are told to come again at a time, the rest is closed without a word.
  RawAnswer answer;
  const auto deadline = std::chrono::steady_clock::now() + seconds(20);
  while (answer.status == 0 && std::chrono::steady_clock::now() < deadline) {
    answer = RawClient(router.Ingress(), seconds(20), "127.0.0.2").Receive();
  }
  ExpectTryLater(answer);
  ExpectAllArrive();
}

/// Connections that never become a request, each kind of them, opened again when they are closed.
class BadConnections {
 public:
  BadConnections(std::uint16_t port, std::size_t count) : port_(port), clients_(count) {
    for (std::size_t i = 0; i < count; ++i) Open(i);
    thread_ = std::thread([this] { Run(); });
  }
  ~BadConnections() {
    over_ = true;
    thread_.join();
  }

 private:
  void Open(std::size_t i) {
    static const std::string kDeaf = [] {
      std::string many;
      for (int n = 0; n < 200; ++n) many += "GET /bolna/webhook HTTP/1.1\r\nHost: h\r\n\r\n";
      return many;
    }();
    clients_[i] = std::make_unique<RawClient>(port_, std::chrono::milliseconds(10));
    switch (i % 4) {
      case 0: return;
      case 1: clients_[i]->Send("POST /bolna/webhook HTTP/1.1\r\nHost: h\r\nX-"); return;
      case 2:
        clients_[i]->Send("POST /bolna/webhook HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n" +
                          std::string(20'000, 'x'));
        return;
      default: clients_[i]->Send(kDeaf);
    }
  }
  void Run() {
    while (!over_) {
      for (std::size_t i = 0; i < clients_.size() && !over_; ++i) {
        // A head that drips; the others are looked after when they have been cut.
        const bool is_there = i % 4 == 1 ? clients_[i]->Send("x") : clients_[i]->IsOpen();
        if (!is_there) Open(i);
      }
    }
  }

  const std::uint16_t port_;
  std::vector<std::unique_ptr<RawClient>> clients_;
  std::atomic<bool> over_{false};
  std::thread thread_;
};

/// HSW_BAD_CONNECTIONS=3000 for all of them.
TEST_F(Limits, BadConnectionsDelayNobodyElse) {
  const char* wanted = std::getenv("HSW_BAD_CONNECTIONS");
  const std::size_t count = wanted != nullptr ? std::stoul(wanted) : 400;
  Router router(config_.Write());
  ASSERT_TRUE(router.Ready());
  std::vector<milliseconds> took;
  std::size_t threads = 0;
  {
    const BadConnections bad(router.Ingress(), count);
    for (; calls_ < 100; ++calls_) {
      const auto begin = std::chrono::steady_clock::now();
      RawClient good(router.Ingress(), seconds(20), "127.0.0.2");
      good.Send(fakes::RequestBytes("POST", "/bolna/webhook", Call(CallId(calls_))));
      const RawAnswer answer = good.Receive();
      ASSERT_EQ(answer.status, 200) << answer.body << answer.error;
      took.push_back(std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - begin));
      threads = std::max(threads, router.Threads());
    }
    EXPECT_LT(router.Rss(), 120u << 20);
    EXPECT_LT(threads, 40u);
  }
  std::sort(took.begin(), took.end());
  EXPECT_LT(took[took.size() - 2].count(), 250) << "p99";
  ExpectAllArrive();
}

TEST_F(Limits, WithoutDescriptorsDeliveriesWaitAndNothingIsLost) {
  slack_.GoDown();
  Router router(config_.Write());
  ASSERT_TRUE(router.Ready());
  ASSERT_EQ(router.Post(Call(CallId(calls_++))).status, 200);
  RawClient sender(router.Ingress());
  RawClient admin(router.Admin());
  const auto ask = [](RawClient& client, std::string_view method, std::string_view target, std::string_view body) {
    client.Send(fakes::RequestBytes(method, target, body));
    return client.Receive();
  };
  ASSERT_EQ(ask(admin, "GET", "/readyz", "").status, 200);
  ASSERT_EQ(ask(sender, "POST", "/bolna/webhook", Call(CallId(calls_++))).status, 200);
  const rlimit old = Limit(router, RLIMIT_NOFILE, 3);
  slack_.ComeBack();
  for (; calls_ < 20; ++calls_) {
    ASSERT_EQ(ask(sender, "POST", "/bolna/webhook", Call(CallId(calls_))).status, 200) << "accepting needs no new ones";
  }
  const RawAnswer ready = ask(admin, "GET", "/readyz", "");
  EXPECT_EQ(ready.status, 503);
  EXPECT_THAT(ready.body, HasSubstr("every file descriptor is in use"));
  EXPECT_EQ(slack_.PostedCount(), 0U);
  Limit(router, RLIMIT_NOFILE, old.rlim_cur);
  EXPECT_TRUE(IsReady(router, true));
  ExpectAllArrive();
  EXPECT_EQ(router.Stop(), 0);
}

/// The first answer of `sql` on a journal that no router has open.
std::string AskJournal(const std::string& path, const std::string& sql) {
  sqlite3* db = nullptr;
  EXPECT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
  std::string answer;
  EXPECT_EQ(sqlite3_exec(
                db, sql.c_str(),
                [](void* out, int, char** columns, char**) {
                  *static_cast<std::string*>(out) = columns[0] != nullptr ? columns[0] : "";
                  return 0;
                },
                &answer, nullptr),
            SQLITE_OK)
      << sqlite3_errmsg(db);
  sqlite3_close(db);
  return answer;
}

void Overwrite(const std::string& path, std::size_t at, std::string_view bytes) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(static_cast<std::streamoff>(at));
  file << bytes;
  ASSERT_TRUE(file.flush());
}

TEST_F(Limits, AFlippedByteAndATornPageCostOnlyWhatTheyHeld) {
  slack_.GoDown();
  {
    Router router(config_.Write());
    ASSERT_TRUE(router.Ready());
    for (; calls_ < 600; ++calls_) ASSERT_EQ(router.Post(Call(CallId(calls_))).status, 200);
    ASSERT_EQ(router.Stop(), 0);
  }
  const std::string path = dir_ / "journal.db";
  const std::size_t page_size = std::stoul(AskJournal(path, "PRAGMA page_size"));
  AskJournal(path, "PRAGMA wal_checkpoint(TRUNCATE)");
  // A flipped byte in a body, and a page of deliveries of which only the first half was written.
  const std::string file = ReadFile(path);
  const std::size_t body = file.find(CallId(300), file.find("Northwind"));
  ASSERT_NE(body, std::string::npos);
  Overwrite(path, body + 20, "#");
  const std::size_t page = std::stoul(AskJournal(
      path, "SELECT pageno FROM dbstat WHERE name = 'delivery' AND pagetype = 'leaf' ORDER BY path LIMIT 1 OFFSET 2"));
  Overwrite(path, (page - 1) * page_size + page_size / 2, std::string(page_size / 2, '\0'));

  slack_.ComeBack();
  Router router(config_.Path());
  ASSERT_TRUE(router.Ready()) << "one bad row never refuses the start";
  ASSERT_EQ(router.Post(Call(CallId(calls_++))).status, 200);
  EXPECT_TRUE(slack_.WaitForPosted(400, seconds(60)));
  EXPECT_TRUE(IsReady(router, true));
  const auto deadline = std::chrono::steady_clock::now() + seconds(30);
  while (json::parse(router.Get("/api/v1/status").body).at("journal").at("pending") != 0 &&
         std::chrono::steady_clock::now() < deadline) {
  }
  const std::string metrics = router.Get("/metrics").body;
  EXPECT_THAT(metrics, Not(HasSubstr("hookswitch_journal_bad_rows 0\n")));
  EXPECT_EQ(router.Stop(), 0);
  EXPECT_THAT(router.Log(), HasSubstr("journal_rows_damaged"));
  std::set<std::size_t> arrived;
  for (const auto& posted : slack_.Posted()) arrived.insert(CallNumberIn(posted.body).value_or(SIZE_MAX));
  EXPECT_FALSE(arrived.contains(SIZE_MAX));
  EXPECT_TRUE(arrived.contains(0));
  EXPECT_TRUE(arrived.contains(calls_ - 1)) << "the new one";
  EXPECT_LT(arrived.size(), calls_) << "the damage was met";
  RecordProperty("lost", static_cast<int>(calls_ - arrived.size()));
}

}  // namespace
}  // namespace hookswitch::e2e
