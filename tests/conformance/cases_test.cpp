#include "core/conformance/cases.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

namespace hookswitch::conformance {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// Shows what it was given.
class Mirror : public Sink {
 public:
  explicit Mirror(Kind kind = Kind::kHttp) : kind_(kind) {}
  Kind kind() const override { return kind_; }
  SinkAdvice Advice() const override { return {}; }
  std::variant<HttpRequest, Outcome> Render(const SinkDelivery& delivery) override {
    if (delivery.message.title == "refuse") {
      Outcome refused;
      refused.kind = Outcome::Kind::kRejected;
      refused.code = "refused";
      return refused;
    }
    HttpRequest request;
    request.url = "https://example.com/";
    request.headers = {{"X-Tag", "a"}, {"X-Tag", "b"}, {"X-Attempt", std::to_string(delivery.attempt)}};
    request.body = delivery.message.text;
    if (delivery.message.title == "form") {
      request.headers = {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}};
    }
    if (delivery.message.title == "smuggle") request.headers = {{"Content-Length", "5"}};
    return request;
  }
  Outcome Interpret(const SinkDelivery&, const HttpResponse& response,
                    std::optional<std::chrono::milliseconds> retry_after) override {
    Outcome outcome;
    outcome.code = std::to_string(response.headers.size());
    outcome.reason = std::to_string(response.body.size());
    if (response.status == 200) outcome.kind = Outcome::Kind::kDelivered;
    if (response.status == 202) outcome.kind = Outcome::Kind::kNext;
    if (response.status == 429) outcome.retry_after = retry_after;
    return outcome;
  }
  Outcome Deliver(const SinkDelivery&, std::chrono::milliseconds timeout, const std::function<bool()>&) override {
    Outcome outcome;
    outcome.kind = Outcome::Kind::kDelivered;
    outcome.remote_id = std::to_string(timeout.count());
    return outcome;
  }
  void Reopen() override {}
  std::string Mask(std::string_view text, std::size_t) const override { return std::string(text); }

 private:
  const Kind kind_;
};

class Cases : public testing::Test {
 protected:
  Cases() : file_(std::filesystem::path(testing::TempDir()) / ("case-" + std::to_string(::getpid()) + ".json")) {}
  ~Cases() override { std::filesystem::remove(file_); }

  CaseVerdict Check(const std::string& text, bool update = false, Sink::Kind kind = Sink::Kind::kHttp) {
    std::ofstream(file_) << text;
    return CheckCase(file_, update, [kind](const json::object*) -> Result<std::shared_ptr<Sink>> {
      return std::shared_ptr<Sink>(std::make_shared<Mirror>(kind));
    });
  }
  std::string Problem(const std::string& text) { return Check(text).problem; }
  std::string File() const {
    std::stringstream text;
    text << std::ifstream(file_).rdbuf();
    return text.str();
  }
  const std::filesystem::path file_;
};

TEST_F(Cases, AWordThatIsNoneIsAnErrorWithTheNearest) {
  const std::pair<const char*, const char*> bad[] = {
      {R"({"mesage": {"title": "x"}})", R"("mesage" is not a key of a case; did you mean "message"?)"},
      {R"({"message": {"titel": "x"}})", R"("titel" is not a key of message; did you mean "title"?)"},
      {R"({"steps": [{"xyz": {}}]})", R"("xyz" is not a key of steps/0; there is answer, outcome, request)"},
      {R"({"answer": {"stauts": 200}})", R"(did you mean "status"?)"},
      {R"({"answer": {"status": 200}, "outcome": {"knid": "retry"}})", R"(did you mean "kind"?)"},
      {R"({"message": {"title": "x"}, "request": {"heders": {}}})", R"(did you mean "headers"?)"},
      {R"({"steps": [{"answr": {}}]})", R"("answr" is not a key of steps/0; did you mean "answer"?)"},
      {R"({"steps": [{"answer": {"stat": 1}}]})", R"("stat" is not a key of steps/0/answer)"},
      {R"({"message": {"title": "x"}, "event": {"agnet": {}}})", "agnet"},
      {R"({"message": {"title": "x", "severity": "fatal"}})", "fatal is none of"},
      {R"({"message": {"title": "x"}, "now": "yesterday"})", "not a time"},
  };
  for (const auto& [text, words] : bad) EXPECT_THAT(Problem(text), HasSubstr(words)) << text;
}

TEST_F(Cases, AValueThatIsNoneIsAnErrorWithItsPlace) {
  const std::pair<const char*, const char*> bad[] = {
      {R"({"config": ["x"], "message": {"title": "x"}})", "config is not a map"},
      {R"({"config": null, "message": {"title": "x"}})", "config is not a map"},
      {R"({"event": ["x"], "message": {"title": "x"}})", "event is not a map"},
      {R"({"message": ["x"]})", "message is not a map"},
      {R"({"message": {"title": 5}})", "message/title is not a text"},
      {R"({"message": {"title": {"times": 5}}})", "message/title/repeat is missing"},
      {R"({"message": {"title": {"repeat": "x"}}})", "message/title/times is missing"},
      {R"({"message": {"title": {"repeat": "x", "times": "5"}}})", "message/title/times is not a whole number"},
      {R"({"message": {"title": {"base64": "*"}}})", "message/title: not base64: *"},
      {R"({"message": {"at": "yesterday"}})", "message/at: not a time: yesterday"},
      {R"({"message": {"fields": {}}})", "message/fields is not a list"},
      {R"({"message": {"fields": [["a", "b"], ["Agent"]]}})", "message/fields/1 is not a list of two texts"},
      {R"({"message": {"fields": [["a", "b", "c"]]}})", "message/fields/0 is not a list of two texts"},
      {R"({"message": {"fields": [["a", 5]]}})", "message/fields/0/1 is not a text"},
      {R"({"message": {"links": ["a"]}})", "message/links/0 is not a list"},
      {R"({"message": {"title": "x"}, "now": "yesterday"})", "now: not a time: yesterday"},
      {R"({"message": {"title": "x"}, "state": 5})", "state is not a text"},
      {R"({"message": {"title": "x"}, "raw": 5})", "raw is not a text"},
      {R"({"message": {"title": "x"}, "attempt": -1})", "attempt is less than 1"},
      {R"({"message": {"title": "x"}, "attempt": 0})", "attempt is less than 1"},
      {R"({"message": {"title": "x"}, "attempt": "2"})", "attempt is not a whole number"},
      {R"({"message": {"title": "x"}, "request": {"headers": ["x"]}})", "request/headers is not a map"},
      {R"({"message": {"title": "x"}, "attempt": 4294967297})", "attempt is more than 2147483647"},
      {R"({"message": {"title": "x"}, "request": {"body": {"repeat": "x", "times": "5"}}})",
       "request/body/times is not a whole number"},
      {R"({"answer": {"body": "x"}})", "answer/status is missing"},
      {R"({"answer": {"status": "200"}})", "answer/status is not a whole number"},
      {R"({"answer": {"status": 200, "headers": ["x"]}})", "answer/headers is not a map"},
      {R"({"answer": {"status": 200, "headers": {"X": 5}}})", "answer/headers/X is not a text"},
      {R"({"answer": {"status": 200, "retry_after_ms": "5"}})", "answer/retry_after_ms is not a whole number"},
      {R"({"steps": [{"request": {}}]})", "steps/0/answer is missing"},
      {R"({"steps": [{"answer": {}}]})", "steps/0/answer/status is missing"},
      {R"({"steps": [{"answer": {"status": 200, "headers": []}}]})", "steps/0/answer/headers is not a map"},
  };
  for (const auto& [text, words] : bad) EXPECT_EQ(Problem(text), words) << text;
}

TEST_F(Cases, WhatIsWantedAndDoesNotComeOutIsADifference) {
  EXPECT_THAT(Problem(R"({"answer": {"status": 200}, "outcome": {"kind": "delivered", "code": "0", "reason": "0"},
                          "request": {"method": "POST"}})"),
              HasSubstr("request: should be"));
  EXPECT_THAT(Problem(R"({"message": {"title": "refuse"}, "request": {"method": "POST"}})"),
              AllOf(HasSubstr("request: should be"), HasSubstr("refused")));
}

TEST_F(Cases, AreComparedByValue) {
  EXPECT_THAT(Problem(R"({"message": {"title": "x", "text": "{\"b\": 1.0, \"a\": [1, 2]}"},
    "request": {"headers": {"X-Attempt": "1", "X-Tag": ["a", "b"]}, "body": {"a": [1, 2], "b": 1},
                "url": "https://example.com/", "method": "POST"}})"),
              IsEmpty());
  const auto differs = Problem(R"({"message": {"title": "x", "text": "{\"b\": 1, \"a\": [1, 2]}"},
    "request": {"headers": {"X-Attempt": "1", "X-Tag": ["a", "b"]}, "body": {"a": [1, 3], "b": 1},
                "url": "https://example.com/", "method": "POST"}})");
  EXPECT_EQ(differs, "request/body/a/1: should be 3\n          and is 2");
}

TEST_F(Cases, OfALongTextTheDifferenceIsShown) {
  const std::string text(5000, 'x');
  const auto differs = Problem(R"({"message": {"title": "x", "text": ")" + text + R"(y"},
    "request": {"headers": {"X-Attempt": "1", "X-Tag": ["a", "b"]}, "body": ")" +
                               text + R"(z",
                "url": "https://example.com/", "method": "POST"}})");
  EXPECT_THAT(differs, AllOf(HasSubstr("xz\""), HasSubstr("xy\"")));
  EXPECT_LT(differs.size(), 300U);
}

TEST_F(Cases, AFormIsComparedByField) {
  const std::string begin = R"({"message": {"title": "form", "text": "b=2&a=x+y&b=3"}, "request": {"headers":
    {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}, "method": "POST",
    "url": "https://example.com/", "body": )";
  EXPECT_THAT(Problem(begin + R"("a=x%20y&b=2&b=3"}})"), IsEmpty());
  EXPECT_THAT(Problem(begin + R"({"a": "x y", "b": ["2", "3"]}}})"), IsEmpty());
  EXPECT_EQ(Problem(begin + R"("a=x%20z&b=2&b=3"}})"), "request/body/a: should be \"x z\"\n          and is \"x y\"");
}

TEST_F(Cases, BytesAreComparedAsBase64) {
  EXPECT_THAT(Problem(R"({"message": {"title": "x", "text": {"base64": "//4="}}, "request": {"method": "POST",
    "url": "https://example.com/", "headers": {"X-Attempt": "1", "X-Tag": ["a", "b"]}, "body": {"base64": "//4="}}})"),
              IsEmpty());
  EXPECT_THAT(Problem(R"({"answer": {"status": 200, "body": {"base64": "//4="}},
                          "outcome": {"kind": "delivered", "code": "0", "reason": "2"}})"),
              IsEmpty());
}

TEST_F(Cases, TheAttemptIsTheOneThatIsAskedFor) {
  EXPECT_THAT(Problem(R"({"attempt": 3, "message": {"title": "x", "text": "1"}, "request": {"method": "POST",
    "url": "https://example.com/", "headers": {"X-Attempt": "3", "X-Tag": ["a", "b"]}, "body": 1}})"),
              IsEmpty());
}

TEST_F(Cases, HaveAsManyStepsAsADeliveryMayHave) {
  json::array steps;
  for (std::uint32_t i = 0; i < 2 * kMostSteps; ++i) {
    steps.push_back(json::object{{"answer", {{"status", 202}}}});
  }
  EXPECT_THAT(Check(json::serialize(json::object{{"steps", steps}}), true).changed, Not(IsEmpty()));
  EXPECT_EQ(json::parse(File()).at("steps").as_array().size(), kMostSteps);
}

TEST_F(Cases, ACallSinkHasTheTimeThatIsGiven) {
  EXPECT_THAT(
      Check(R"({"timeout_ms": 250, "outcome": {"kind": "delivered", "remote_id": "250"}})", false, Sink::Kind::kCall)
          .problem,
      IsEmpty());
}

TEST_F(Cases, RetryAfterIsReadAsLive) {
  const std::string end = R"("outcome": {"kind": "retry", "code": "1", "reason": "0", "retry_after_ms": 5000}})";
  for (const char* status : {"429", "503"}) {  // of the second the sink forgets it
    const std::string answer = R"({"now": "2026-03-04T09:00:00Z", "answer": {"status": )" + std::string(status);
    EXPECT_THAT(Problem(answer + R"(, "headers": {"retry-after": "5"}}, )" + end), IsEmpty());
    EXPECT_THAT(Problem(answer + R"(, "headers": {"Retry-After": "Wed, 04 Mar 2026 09:00:05 GMT"}}, )" + end),
                IsEmpty());
  }
}

TEST_F(Cases, HeadersOfAnAnswerMayComeSeveralTimes) {
  EXPECT_THAT(Problem(R"({"answer": {"status": 200, "headers": {"Set-Cookie": ["a", "b"], "X": "c"}},
                          "outcome": {"kind": "delivered", "code": "3", "reason": "0"}})"),
              IsEmpty());
}

TEST_F(Cases, ARequestThatWouldNotBeSentIsAProblem) {
  EXPECT_THAT(Problem(R"({"message": {"title": "smuggle"}, "request": {}})"), HasSubstr("it cannot be sent"));
}

TEST_F(Cases, AnUpdateSaysWhatItChangedAndWritesNothingElse) {
  const std::string text = R"({"answer": {"status": 200}, "outcome": {"kind": "retry", "code": "0", "reason": "0"}})";
  const auto changed = Check(text, true);
  EXPECT_THAT(changed.problem, IsEmpty());
  EXPECT_EQ(changed.changed, "outcome/kind: was \"retry\", is \"delivered\"");
  EXPECT_THAT(File(), HasSubstr("\"kind\": \"delivered\""));
  const std::string right = File() + "  \n";
  const auto same = Check(right, true);
  EXPECT_THAT(same.changed, IsEmpty());
  EXPECT_EQ(File(), right);
}

TEST_F(Cases, AnUpdateTakesOutWhatDoesNotComeOut) {
  const auto changed = Check(R"({"answer": {"status": 200}, "request": {"method": "POST"}})", true);
  EXPECT_THAT(changed.changed, AllOf(HasSubstr("request: was"), HasSubstr("outcome: was nothing")));
  EXPECT_THAT(File(), Not(HasSubstr("request")));
}

}  // namespace
}  // namespace hookswitch::conformance
