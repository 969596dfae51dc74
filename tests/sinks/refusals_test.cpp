// What each answer of each service is about: the rows of the tables in sinks/*/README.md that are no golden case.
#include <gtest/gtest.h>

#include "core/base/json.h"
#include "tests/sinks/load_sink.h"
#include "tests/sinks/services.h"

namespace hookswitch {
namespace {

using test::About;
using test::Answer;
using test::Service;

About AboutOf(const Outcome& outcome) {
  if (outcome.kind == Outcome::Kind::kRejected) return About::kMessage;
  if (outcome.kind != Outcome::Kind::kMisconfigured) return About::kLater;
  if (outcome.scope == Outcome::Scope::kPlace) return About::kPlace;
  return outcome.scope == Outcome::Scope::kSink ? About::kSink : About::kUnknown;
}

class Refusals : public testing::TestWithParam<Service> {};

TEST_P(Refusals, AreAboutWhatTheTableSays) {
  const Service& service = GetParam();
  auto sink = test::LoadSink(service.sink, service.At(9));
  ASSERT_TRUE(sink) << sink.error().message;
  CallEvent event;
  event.id = "01JD0000000000000000000000";
  Message message;
  message.title = "t";
  for (const Answer& answer : service.answers) {
    SCOPED_TRACE(std::to_string(answer.status) + " " + answer.body);
    Outcome outcome;
    for (std::uint32_t step = 0; step < static_cast<std::uint32_t>(answer.requests); ++step) {
      ASSERT_EQ(step == 0, outcome.state.empty()) << "a state leads to each further request";
      const SinkDelivery delivery{event, message, "d-1", "ops", "r", step + 1, step, outcome.state, ""};
      outcome = (*sink)->Interpret(delivery, {answer.status, {}, answer.body}, {});
    }
    // A webhook's last answer is 410: "remove it".
    const bool gone = service.sink == "webhook" && answer.status == 410;
    EXPECT_EQ(static_cast<int>(AboutOf(outcome)), static_cast<int>(gone ? About::kSink : answer.about))
        << ToString(outcome.kind) << " " << outcome.reason;
    EXPECT_EQ(answer.code.empty() ? "" : outcome.code, answer.code);
    EXPECT_FALSE(outcome.kind == Outcome::Kind::kMisconfigured && outcome.action.empty());
  }
}

INSTANTIATE_TEST_SUITE_P(Each, Refusals, testing::ValuesIn(test::Services()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace hookswitch
