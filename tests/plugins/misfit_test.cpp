// Wrong plugins do not compile, and the compiler's words say what would be right.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

namespace {

using testing::HasSubstr;

struct Compiled {
  bool fine = false;
  std::string said;
};

/// Compiles a plugin whose class has the given base and members, without making a file of it.
Compiled Compile(const std::string& head, const std::string& members, const std::string& end) {
  const std::filesystem::path file =
      std::filesystem::path(testing::TempDir()) / ("misfit-" + std::to_string(::getpid()) + ".cpp");
  std::ofstream(file) << "#include <hookswitch/sink.hpp>\n"
                      << head << " {\n public:\n  Odd(const hsw::Config&, hsw::Host) {}\n  " << members << "\n};\n"
                      << end << '\n';
  const std::string line = std::string(HSW_TEST_CXX) + " -std=c++20 -Wall -Wextra -Werror -fsyntax-only -I '" +
                           HSW_TEST_SDK + "' '" + file.string() + "' 2>&1";
  FILE* output = ::popen(line.c_str(), "r");
  if (!output) return {};
  Compiled compiled;
  std::array<char, 4096> chunk{};
  while (const std::size_t n = std::fread(chunk.data(), 1, chunk.size(), output)) compiled.said.append(chunk.data(), n);
  compiled.fine = ::pclose(output) == 0;
  std::filesystem::remove(file);
  return compiled;
}

constexpr const char* kHttp = R"(HSW_HTTP_SINK(Odd, "odd", "1", "odd", "{}"))";
constexpr const char* kCall = R"(HSW_CALL_SINK(Odd, "odd", "1", "odd", "{}"))";
constexpr const char* kRender = "void Render(const hsw::Delivery&, hsw::Request&) {}\n  ";
constexpr const char* kDeliver =
    "hsw::Outcome Deliver(const hsw::Call&, const hsw::Delivery&) { return hsw::Outcome::Delivered(); }\n  ";

struct Misfit {
  const char* name;
  const char* kind;    ///< the macro
  const char* member;  ///< what does not fit
  const char* words;   ///< what the compiler must say
  const char* head = "class Odd";
};

const Misfit kMisfits[] = {
    {"InterpretOfAResponseThatMayChange", kHttp,
     "hsw::Outcome Interpret(const hsw::Delivery&, hsw::Response&) { return hsw::Outcome::Delivered(); }",
     "hsw::Outcome Interpret(const hsw::Delivery&, const hsw::Response&)"},
    {"InterpretWithoutADelivery", kHttp,
     "hsw::Outcome Interpret(const hsw::Response&) { return hsw::Outcome::Delivered(); }",
     "hsw::Outcome Interpret(const hsw::Delivery&, const hsw::Response&)"},
    {"InterpretThatReturnsNothing", kHttp, "void Interpret(const hsw::Delivery&, const hsw::Response&) {}",
     "hsw::Outcome Interpret(const hsw::Delivery&, const hsw::Response&)"},
    {"APrivateInterpret", kHttp,
     "private: hsw::Outcome Interpret(const hsw::Delivery&, const hsw::Response&) { return hsw::Outcome::Delivered(); "
     "}",
     "hsw::Outcome Interpret(const hsw::Delivery&, const hsw::Response&)"},
    {"InterpretOverloadsOfWhichNoneFits", kHttp, "void Interpret(int) {} void Interpret(long) {}",
     "hsw::Outcome Interpret(const hsw::Delivery&, const hsw::Response&)"},
    {"InterpretOfAFinalClass", kHttp, "void Interpret(const hsw::Delivery&, const hsw::Response&) {}",
     "hsw::Outcome Interpret(const hsw::Delivery&, const hsw::Response&)", "class Odd final"},
    {"AnInheritedInterpret", kHttp, "", "hsw::Outcome Interpret(const hsw::Delivery&, const hsw::Response&)",
     "struct Base { void Interpret(const hsw::Delivery&, const hsw::Response&) {} };\nclass Odd : public Base"},
    {"CheckThatIsNotStatic", kHttp, "void Check(const hsw::Config&, hsw::Report&) {}",
     "static void Check(const hsw::Config&, hsw::Report&)"},
    {"CheckThatReturnsItsVerdict", kCall, "static bool Check(const hsw::Config&, hsw::Report&) { return true; }",
     "static void Check(const hsw::Config&, hsw::Report&)"},
    {"AdviseThatIsNotConst", kHttp, "hsw::Options Advise() { return {}; }", "hsw::Options Advise() const"},
    {"ReopenWithAnArgument", kCall, "void Reopen(int) {}", "void Reopen()"},
    {"PreviewWithoutARequest", kCall, "void Preview(const hsw::Delivery&) {}",
     "void Preview(const hsw::Delivery&, hsw::Request&)"},
    {"PreviewOfAnHttpSink", kHttp, "void Preview(const hsw::Delivery&, hsw::Request&) {}", "Preview is for call sinks"},
    {"DeliverOfAnHttpSink", kHttp, kDeliver, "the other would never be called"},
    {"InterpretOfACallSink", kCall,
     "hsw::Outcome Interpret(const hsw::Delivery&, const hsw::Response&) { return hsw::Outcome::Delivered(); }",
     "Interpret is for HTTP sinks"},
};

class Misfits : public testing::TestWithParam<Misfit> {};

TEST_P(Misfits, DoNotCompileAndAreToldTheirForm) {
  const Misfit& misfit = GetParam();
  const char* needed = misfit.kind == kHttp ? kRender : kDeliver;
  const Compiled compiled = Compile(misfit.head, std::string(needed) + misfit.member, misfit.kind);
  EXPECT_FALSE(compiled.fine);
  EXPECT_THAT(compiled.said, HasSubstr(misfit.words));
}

INSTANTIATE_TEST_SUITE_P(Each, Misfits, testing::ValuesIn(kMisfits),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(Misfit, TheMemberThatMustBeThereIsToldToo) {
  EXPECT_THAT(Compile("class Odd", "hsw::Outcome Render(const hsw::Delivery&, hsw::Request&);", kHttp).said,
              HasSubstr("void Render(const hsw::Delivery&, hsw::Request&)"));
  EXPECT_THAT(Compile("class Odd", "void Deliver(const hsw::Call&, const hsw::Delivery&) {}", kCall).said,
              HasSubstr("hsw::Outcome Deliver(const hsw::Call&, const hsw::Delivery&)"));
}

TEST(Misfit, EveryMemberInItsFormCompiles) {
  const std::string common =
      "static void Check(const hsw::Config&, hsw::Report&) {}\n  hsw::Options Advise() const { return {}; }\n  "
      "void Reopen() {}\n  ";
  const std::string interpret =
      "hsw::Outcome Interpret(const hsw::Delivery&, const hsw::Response& r) { return hsw::FromHttp(r); }";
  const std::string preview = "void Preview(const hsw::Delivery&, hsw::Request&) {}";
  for (const char* head : {"class Odd", "class Odd final"}) {
    const Compiled http = Compile(head, kRender + common + interpret, kHttp);
    EXPECT_TRUE(http.fine) << http.said;
    const Compiled call = Compile(head, kDeliver + common + preview, kCall);
    EXPECT_TRUE(call.fine) << call.said;
  }
}

}  // namespace
