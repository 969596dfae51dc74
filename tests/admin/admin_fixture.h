#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/admin/admin_api.h"
#include "core/base/json.h"
#include "tests/admin/documented_answer.h"
#include "tests/admin/fake_history.h"
#include "tests/admin/fake_router.h"
#include "tests/fakes/fake_clock.h"
#include "tests/fakes/memory_journal.h"

namespace hookswitch {

/// The whole admin API behind its guard, over a router and rows that the test sets. What it answers must be documented.
class AdminApiFixture : public testing::Test {
 public:
  using Headers = std::vector<std::pair<std::string, std::string>>;

 protected:
  AdminApiFixture() {
    router_.parts = {{"journal", false, ""}};
    router_.status.version = "9.9.9";
    router_.status.generation = 3;
    router_.status.journal.pending = 7;
    router_.resumed.how = Dispatcher::Resumed::How::kWorks;
  }

  /// What the server does with a request.
  Answer Ask(std::string_view method, std::string_view target, Headers headers = {}, std::string_view body = {}) {
    if (std::none_of(headers.begin(), headers.end(), [](const auto& header) { return header.first == "Host"; })) {
      headers.emplace_back("Host", "127.0.0.1:8001");
    }
    const auto mark = std::min(target.find('?'), target.size());
    const ServedRequest request{
        method, target.substr(0, mark), target.substr(std::min(mark + 1, target.size())), body, "127.0.0.1", headers};
    const HeadVerdict verdict = guard_.Judge(request, api_.routes().AccessOf(request));
    return Documented(
        method, target, body,
        verdict.answer ? *verdict.answer : api_.Handle(request, static_cast<const Caller&>(*verdict.context)));
  }
  Answer Post(std::string_view path, std::string_view body = {}) { return Ask("POST", path, {}, body); }
  void WithToken() {
    config::Admin admin;
    admin.token = Secret("s3cret");
    guard_.Use(admin);
  }
  static Headers Bearer(const std::string& token) { return {{"Authorization", "Bearer " + token}}; }

  static json::object Json(const Answer& answer) { return json::parse(answer.body).as_object(); }

  FakeClock clock_;
  MemoryJournal journal_{MemoryJournal::MakeDisk(), 0};
  FakeHistory rows_;
  FakeRouter router_;
  HistoryApi history_{rows_, journal_, clock_, router_};
  Metrics metrics_;
  AdminGuard guard_{config::Admin{}, clock_, metrics_};
  AdminApi api_{router_, history_, guard_, clock_, metrics_};
};

}  // namespace hookswitch
