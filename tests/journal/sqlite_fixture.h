#pragma once
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/journal/history.h"
#include "core/journal/sqlite_journal.h"
#include "tests/fakes/fake_clock.h"
#include "tests/journal/temp_folder.h"

namespace hookswitch {

/// A SQLite journal in a folder of its own, on a clock that the test moves.
class SqliteFixture : public testing::Test {
 protected:
  void TearDown() override { journal_.reset(); }

  Status Open() {
    journal_.reset();
    options_.path = path_;
    auto journal = OpenSqliteJournal(options_, clock_, tuning_);
    if (!journal) return journal.error();
    journal_ = std::move(*journal);
    return Ok();
  }
  Result<Accepted> Append(const std::string& key, std::size_t body_size = 100, std::vector<std::string> sinks = {}) {
    std::string body = key + " ";
    body.resize(body_size, 'b');
    std::vector<NewDelivery> deliveries;
    for (const std::string& sink : sinks) deliveries.push_back({.sink = sink, .rule = "rule", .template_name = ""});
    NewEvent event;
    event.source = "bolna";
    event.body = body;
    event.dedup = DigestOf(key);
    event.received_at = clock_.Wall();
    event.call_key = 7;
    event.deliveries = deliveries;
    event.config = config_ ? &*config_ : nullptr;
    return journal_->Append(event);
  }
  /// Ends `delivery` and waits until that is stored: records go with the next commit, so an append after it is enough.
  void Deliver(DeliverySeq delivery, EventSeq event, const std::string& memory = "") {
    AttemptRecord record;
    record.delivery = delivery;
    record.event = event;
    record.sink = "ops";
    record.call_key = 7;
    record.number = 1;
    record.state = DeliveryState::kDelivered;
    record.outcome.kind = Outcome::Kind::kDelivered;
    record.outcome.memory = memory;
    record.outcome.has_memory = !memory.empty();
    journal_->Record(record);
  }
  /// Runs `sql` on the file as an outsider would; the first column of the last row.
  std::string Shell(const std::string& sql) {
    sqlite3* db = nullptr;
    EXPECT_EQ(sqlite3_open(path_.c_str(), &db), SQLITE_OK);
    std::string answer;
    char* error = nullptr;
    sqlite3_exec(
        db, sql.c_str(),
        [](void* out, int, char** columns, char**) {
          *static_cast<std::string*>(out) = columns[0] != nullptr ? columns[0] : "";
          return 0;
        },
        &answer, &error);
    EXPECT_EQ(error, nullptr) << error;
    sqlite3_free(error);
    sqlite3_close(db);
    return answer;
  }

  TempFolder folder_;
  std::string path_ = folder_ / "journal.db";
  FakeClock clock_;
  SqliteOptions options_;
  SqliteTuning tuning_;
  std::optional<KeptConfig> config_;  ///< of the events that are appended
  std::unique_ptr<Journal> journal_;
};

}  // namespace hookswitch
