#pragma once
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "core/admin/event_search.h"
#include "core/admin/indexer.h"
#include "core/admin/search_query.h"
#include "core/base/json.h"
#include "core/sources/source.h"
#include "tests/admin/fake_router.h"
#include "tests/fakes/fake_clock.h"
#include "tests/fakes/memory_journal.h"
#include "tests/journal/temp_folder.h"
#include "tests/routing/build.h"

namespace hookswitch {

/// A router that reads and routes stored events as a real one does.
struct ReadingRouter : FakeRouter {
  ReadingRouter() {
    config::Source& source = config->sources.emplace_back();
    source.name = source.type = "bolna";
    config->agents["agent-1"].name = "Zoë's billing";
    for (const char* sink : {"ops", "sales", "oncall"}) config->sinks.emplace_back().name = sink;
    using test::Kind;
    config->rules = {
        test::MakeRule("failed", {test::Statuses(UnsuccessfulStatuses())}, {"ops", "oncall"}),
        test::MakeRule("ended", {test::Statuses(EndedStatuses())}, {"ops"}),
        test::MakeRule("long", {test::Number(Kind::kMinDuration, 120)}, {"sales"}),
    };
    config::Problems problems;
    routes = RouteTable::Compile(*config, problems);
    sources["bolna"] = MakeSource(source, std::make_shared<const AgentMap>(config->agents));
  }
  EventReading Read(const StoredEvent& stored) override { return ReadEvent(stored, sources, routes); }
  std::shared_ptr<const CallEvent> Normalize(const StoredEvent& stored) override {
    return ReadEvent(stored, sources, nullptr).call;
  }

  SourceMap sources;
  std::shared_ptr<const RouteTable> routes;
};

/// Events in a journal in memory, and an indexer that follows it when it is told to.
class SearchFixture : public testing::Test {
 protected:
  /// A call as Bolna tells it; `more` overwrites top-level keys.
  static json::object Call(const std::string& id, const std::string& status, const json::object& more = {}) {
    json::object body{{"id", id}, {"status", status}, {"agent_id", "agent-2"}};
    for (const auto& [key, value] : more) body[key] = value;
    return body;
  }

  /// Accepts a body as the ingress does; returns the event's number.
  EventSeq Accept(const json::object& body) { return Accept(ToText(body)); }
  EventSeq Accept(const std::string& body) {
    auto read = router_.sources.at("bolna")->Normalize({body, {}, clock_.Wall()});
    const auto* normalized = std::get_if<Normalized>(&read);
    EXPECT_NE(normalized, nullptr) << body;
    if (normalized == nullptr) return 0;
    NewEvent event;
    event.source = "bolna";
    event.body = body;
    event.received_at = clock_.Wall();
    event.dedup = DigestOf(normalized->dedup_key);
    event.content = normalized->content;
    std::vector<Route> routes;
    std::vector<NewDelivery> deliveries;
    if (const auto* call = std::get_if<CallEvent>(&normalized->what)) {
      router_.routes->Match(*call, routes);
      event.call_id = call->call_id;
      event.agent = call->AgentLabel();
      event.status = ToString(call->status);
      for (const Route& route : routes) {
        deliveries.push_back({.sink = route.sink, .rule = route.rule, .template_name = route.template_name});
      }
    } else {
      event.note = std::get<NotACall>(normalized->what).why;
    }
    event.deliveries = deliveries;
    const auto accepted = journal_->Append(event);
    EXPECT_TRUE(accepted);
    return accepted ? accepted->event : 0;
  }
  void End(DeliverySeq delivery, DeliveryState state) {
    AttemptRecord record;
    record.delivery = delivery;
    record.number = 1;
    record.state = state;
    record.outcome.kind = state == DeliveryState::kDelivered ? Outcome::Kind::kDelivered : Outcome::Kind::kRejected;
    journal_->Record(std::move(record));
  }
  std::vector<DeliverySeq> DeliveriesOf(EventSeq event) {
    std::vector<DeliverySeq> all;
    const auto found = journal_->DeliveriesOf(event);
    EXPECT_TRUE(found);
    if (!found) return all;
    for (const auto& one : *found) all.push_back(one.seq);
    return all;
  }

  /// Everything there is to be done.
  void Index() {
    while (indexer_->Pass()) {
    }
  }
  /// As after a restart: the process ended in peace, or was killed.
  void Restart(bool in_peace = true) {
    if (in_peace) indexer_->Stop();
    indexer_.reset();
    journal_ = std::make_unique<MemoryJournal>(disk_);
    MakeIndexer();
  }
  void MakeIndexer() { indexer_ = std::make_unique<Indexer>(path_, *journal_, router_, clock_); }

  SearchFilter Parse(const std::string& text) {
    const KnownNames names(router_.config, router_.lanes);
    SearchQuery query = ParseSearch(text, clock_.Wall(), names);
    EXPECT_FALSE(query.error) << text << ": " << query.error->detail;
    return std::move(query.filter);
  }
  /// The numbers of what a search finds, over all pages of `limit`.
  std::vector<EventSeq> Find(const std::string& text, bool with_index = true, std::size_t limit = 1000) {
    const SearchFilter filter = Parse(text);
    const Holds holds(router_.lanes, router_);
    EventSearch search(*journal_, *journal_, clock_, router_, with_index ? indexer_.get() : nullptr);
    std::vector<EventSeq> found;
    EventSeq before = 0;
    do {
      const auto page = search.Find(filter, holds, before, limit, MonoTime::max());
      EXPECT_TRUE(page) << page.error().message;
      if (!page) return found;
      for (const EventSummary& event : page->items) found.push_back(event.seq);
      before = page->next;
    } while (before != 0);
    return found;
  }

  TempFolder folder_;
  const std::string path_ = folder_ / "journal.db";
  FakeClock clock_;
  ReadingRouter router_;
  std::shared_ptr<MemoryJournal::Disk> disk_ = MemoryJournal::MakeDisk();
  std::unique_ptr<MemoryJournal> journal_ = std::make_unique<MemoryJournal>(disk_);
  std::unique_ptr<Indexer> indexer_ = std::make_unique<Indexer>(path_, *journal_, router_, clock_);
};

}  // namespace hookswitch
