#include <gtest/gtest.h>

#include <future>

#include "core/admin/preview.h"
#include "tests/delivery/delivery_fakes.h"

namespace hookswitch {
namespace {

ShownDelivery Delivery() {
  auto event = std::make_shared<CallEvent>();
  event->call_id = "call-1";
  return {.event = std::move(event), .body = "as posted", .sink = "ops", .rule = "all"};
}

TEST(MessagePreview, ARequestIsShownWithItsSecretsMasked) {
  const auto sink = std::make_shared<FakeSink>();
  sink->render = [](const SinkDelivery& delivery) {
    HttpRequest request;
    request.url = "https://example.com/hunter2";
    request.headers = {{"Authorization", "Bearer abcdef"}, {"X-Key", "hunter2"}};
    request.body = delivery.raw_body().value() + " hunter2";
    return request;
  };
  EXPECT_EQ(json::value(Preview(sink, Delivery())), json::parse(R"({
    "method": "POST", "url": "https://example.com/***", "body": "as posted ***",
    "headers": {"Authorization": "Bearer ***", "X-Key": "***"}})"));
}

TEST(MessagePreview, EveryStepIsShownByAStandInForTheResponseBefore) {
  const auto sink = std::make_shared<FakeSink>();
  sink->interpret = [](const SinkDelivery& delivery, const HttpResponse&) {
    Outcome outcome;
    outcome.kind = delivery.step < 2 ? Outcome::Kind::kNext : Outcome::Kind::kDelivered;
    outcome.state = "left-by-" + std::to_string(delivery.step);
    return outcome;
  };
  const json::object shown = Preview(sink, Delivery());
  EXPECT_EQ(shown.at("body"), "call-1");
  ASSERT_EQ(shown.at("then").as_array().size(), 2u);
  EXPECT_EQ(shown.at("then").at(1).at("body"), "call-1 step 2 left-by-1");
  EXPECT_TRUE(shown.at("then").at(1).at("after").is_string());
}

TEST(MessagePreview, WhatASinkDoesNotSendSaysWhy) {
  const auto sink = std::make_shared<FakeSink>();
  sink->render = [](const SinkDelivery&) {
    Outcome outcome;
    outcome.reason = "not for hunter2";
    return outcome;
  };
  EXPECT_EQ(Preview(sink, Delivery()).at("not_sent"), "not for ***");
  DeliveryPlan plan;
  plan.lanes["ops"].unavailable_reason = "its plugin is gone";
  const json::object unavailable = PreviewBy(plan, Delivery());
  EXPECT_EQ(unavailable.at("sink"), "ops");
  EXPECT_EQ(unavailable.at("not_sent"), "its plugin is gone");
  EXPECT_EQ(PreviewBy(DeliveryPlan(), Delivery()).at("not_sent"), "the config does not have this sink");
}

TEST(MessagePreview, APluginThatDoesNotReturnIsLeftBehind) {
  const auto sink = std::make_shared<FakeSink>();
  std::promise<void> ended;
  sink->render = [end =
                      ended.get_future().share()](const SinkDelivery& delivery) -> std::variant<HttpRequest, Outcome> {
    delivery.call->Enter(7);
    end.wait();
    return HttpRequest{};
  };
  const json::object shown = Preview(sink, Delivery(), std::chrono::milliseconds(20));
  EXPECT_TRUE(shown.at("not_sent").as_string().starts_with("the plugin does not say what it would send")) << shown;
  EXPECT_EQ(sink->given_up, std::vector<std::uint64_t>{7}) << "the sink goes on with another instance";
  ended.set_value();
}

TEST(MessagePreview, ACallSinkShowsWhatItWouldWriteOrTheEvent) {
  struct Writer : FakeSink {
    Writer() : FakeSink(Kind::kCall) {}
    std::optional<std::variant<HttpRequest, Outcome>> Preview(const SinkDelivery&) override { return written; }
    std::optional<std::variant<HttpRequest, Outcome>> written;
  };
  const auto sink = std::make_shared<Writer>();
  EXPECT_EQ(json::parse(Preview(sink, Delivery()).at("event").as_string()).at("call_id"), "call-1");
  HttpRequest line;
  line.url = "/var/log/hunter2";
  line.body = "a line";
  sink->written = line;
  EXPECT_EQ(json::value(Preview(sink, Delivery())), json::parse(R"({"to": "/var/log/***", "writes": "a line"})"));
}

}  // namespace
}  // namespace hookswitch
