// Each promise is seen to be broken by a sink that breaks it, and by that alone.
#include "core/conformance/promises.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "core/conformance/child.h"

namespace hookswitch::conformance {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// "promise: detail" of each that is broken.
std::vector<std::string> Broken(const std::string& plugin, const std::string& fault) {
  const std::filesystem::path file = std::string(HSW_CONFORMANCE_FOLDER) + "/" + plugin + ".so";
  auto sink = plugins::OpenLibrary(file, file);
  if (!sink) return {sink.error().message};
  Subject subject{std::make_shared<Plugin>(), R"({"fault":")" + fault + R"("})", {}};
  subject.plugin->sink = *sink;
  subject.plugin->info = plugins::Describe(*sink, file);
  std::vector<std::string> broken;
  const bool all = CheckPromises(subject, [&](const Verdict& verdict) {
    if (!verdict.kept) broken.push_back(verdict.promise + ": " + verdict.detail);
  });
  EXPECT_EQ(all, broken.empty());
  return broken;
}

TEST(Promises, AreKeptByASinkWithoutAFault) {
  EXPECT_THAT(Broken("faulty", "none"), IsEmpty());
  EXPECT_THAT(Broken("faulty_call", "none"), IsEmpty());
}

TEST(Promises, AConfigThatIsRefusedEndsTheCheck) {
  EXPECT_THAT(Broken("faulty", ""), ElementsAre(HasSubstr("no such fault")));
}

TEST(Promises, ACrashInCreateIsTold) {
  ::setenv("HSW_FAULTY_CRASHES", "1", 1);
  const auto broken = Broken("faulty", "none");
  ::unsetenv("HSW_FAULTY_CRASHES");
  EXPECT_THAT(broken, ElementsAre(HasSubstr("bad configs harm nothing: it ends the process")));
}

struct Fault {
  std::string plugin, fault, promise, detail;
};

class BrokenPromise : public testing::TestWithParam<Fault> {};

TEST_P(BrokenPromise, IsTold) {
  const auto broken = Broken(GetParam().plugin, GetParam().fault);
  EXPECT_THAT(broken, testing::Contains(
                          testing::AllOf(testing::StartsWith(GetParam().promise + ": "), HasSubstr(GetParam().detail))))
      << testing::PrintToString(broken);
}

INSTANTIATE_TEST_SUITE_P(
    Each, BrokenPromise,
    testing::Values(
        Fault{"faulty", "crashes on long titles", "any message becomes a request or a reason", "ends the process"},
        Fault{"faulty", "throws", "any message becomes a request or a reason", "an exception comes out"},
        Fault{"faulty", "refuses without a word", "any message becomes a request or a reason", "no outcome"},
        Fault{"faulty", "does not escape", "any message becomes a request or a reason", "says that it is JSON"},
        Fault{"faulty", "has no URL", "any message becomes a request or a reason", "URL"},
        Fault{"faulty", "always throws", "any message becomes a request or a reason", "it throws: exception"},
        Fault{"faulty", "refuses everything", "any message becomes a request or a reason",
              "the first one ends rejected, no_room"},
        Fault{"faulty", "sets Content-Length", "any message becomes a request or a reason",
              "the header Content-Length is the HTTP client's"},
        Fault{"faulty", "sets Host", "any message becomes a request or a reason",
              "the header Host is the HTTP client's"},
        Fault{"faulty", "sets Connection", "any message becomes a request or a reason",
              "the header Connection is the HTTP client's"},
        Fault{"faulty", "sets Keep-Alive", "any message becomes a request or a reason",
              "the header Keep-Alive is the HTTP client's"},
        Fault{"faulty", "sets Proxy-Authorization", "any message becomes a request or a reason",
              "the header Proxy-Authorization is the HTTP client's"},
        Fault{"faulty", "counts", "render is pure: the same for the same", "the second request differs"},
        Fault{"faulty", "looks at the clock", "render is pure: the same for the same", "the second request differs"},
        Fault{"faulty", "forgets an answer", "any answer has a meaning", "no outcome is left of HTTP 422"},
        Fault{"faulty", "gives up at 429", "any answer has a meaning", "a 429 is not tried again"},
        Fault{"faulty", "gives up at 503", "any answer has a meaning", "a server that is down"},
        Fault{"faulty", "takes 301 as delivered", "any answer has a meaning", "a redirect is a success, of HTTP 301"},
        Fault{"faulty", "takes 302 as delivered", "any answer has a meaning", "a redirect is a success, of HTTP 302"},
        Fault{"faulty", "takes 303 as delivered", "any answer has a meaning", "a redirect is a success, of HTTP 303"},
        Fault{"faulty", "takes 307 as delivered", "any answer has a meaning", "a redirect is a success, of HTTP 307"},
        Fault{"faulty", "takes 308 as delivered", "any answer has a meaning", "a redirect is a success, of HTTP 308"},
        Fault{"faulty", "gives no advice", "any answer has a meaning", "does not say what to do"},
        Fault{"faulty", "never ends", "steps end", "more than 16 steps"},
        Fault{"faulty", "trusts its state", "a foreign state or memory harms nothing", "ends the process"},
        Fault{"faulty", "shares a value", "calls at the same time do not disturb each other",
              "when several are rendered"},
        Fault{"faulty_call", "is late", "any message is delivered or refused, in time", "it returns after"},
        Fault{"faulty_call", "does not listen", "a delivery that is canceled ends", "nobody waits any more"},
        Fault{"faulty_call", "has no reason", "any message is delivered or refused, in time", "without a reason"},
        Fault{"faulty_call", "leaves threads", "a delivery leaves nothing behind", "threads stay"}),
    [](const auto& info) {
      std::string name = info.param.plugin + "_" + info.param.fault;
      for (char& c : name) c = c == ' ' || c == '-' ? '_' : c;
      return name;
    });

// What a sanitizer's allocator does not count.
#ifndef HSW_SANITIZED
INSTANTIATE_TEST_SUITE_P(Memory, BrokenPromise,
                         testing::Values(Fault{"faulty", "leaks", "a call leaves nothing behind",
                                               "bytes of memory stay"},
                                         Fault{"faulty", "leaks instances", "instances come and go without a trace",
                                               "bytes of memory stay"}),
                         [](const auto& info) {
                           std::string name = info.param.fault;
                           for (char& c : name) c = c == ' ' ? '_' : c;
                           return name;
                         });
#endif

TEST(Child, SaysHowItEnded) {
  using namespace std::chrono_literals;
  EXPECT_EQ(InChild([] { return std::string(100'000, 'x'); }, 20s).value(), std::string(100'000, 'x'));
  EXPECT_EQ(InChild([] { return std::string(); }, 20s).value(), "");
  EXPECT_THAT(InChild([]() -> std::string { std::_Exit(3); }, 20s).error().message, HasSubstr("exit code 3"));
  EXPECT_THAT(InChild([]() -> std::string { throw std::runtime_error("lost"); }, 20s).value(), HasSubstr("lost"));
  const auto hangs = []() -> std::string {
    for (;;) ::pause();
  };
  EXPECT_THAT(InChild(hangs, 100ms).error().message, HasSubstr("does not end"));
}

}  // namespace
}  // namespace hookswitch::conformance
