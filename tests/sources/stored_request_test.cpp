#include "core/sources/stored_request.h"

#include <gtest/gtest.h>

#include <array>

namespace hookswitch {
namespace {

class ReadsParts final : public Source {
 public:
  explicit ReadsParts(bool forms) : forms_(forms) {}
  std::variant<Normalized, Refusal> Normalize(const RawRequest&) const override { return Refusal{}; }
  std::span<const std::string_view> KeptHeaders() const override { return kHeaders; }
  std::span<const std::string_view> KeptParameters() const override { return kParameters; }
  bool ReadsForms() const override { return forms_; }

 private:
  static constexpr std::array<std::string_view, 1> kHeaders = {"x-event"};
  static constexpr std::array<std::string_view, 2> kParameters = {"kind", "a b"};
  bool forms_;
};

const Headers kSent = {
    {"X-Event", "ended"}, {"Authorization", "secret"}, {"Content-Type", "multipart/form-data; boundary=b"}};

TEST(StoredRequest, KeepsWhatTheSourceNamesAndNothingElse) {
  const Headers kept = KeptOf(ReadsParts(false), kSent, "token=secret&kind=a%20b&a+b=1&kind");
  EXPECT_EQ(kept, (Headers{{"X-Event", "ended"}, {"?", "kind=a%20b&a+b=1&kind"}}));
  EXPECT_EQ(KeptOf(ReadsParts(false), {}, "token=secret"), Headers{});
}

TEST(StoredRequest, KeepsTheContentTypeOfAForm) {
  const Headers kept = KeptOf(ReadsParts(true), kSent, "");
  EXPECT_EQ(kept, (Headers{kSent[0], kSent[2]}));
  EXPECT_EQ(KeptOf(ReadsParts(true), Headers{{"content-type", "application/json"}}, ""), Headers{});
}

TEST(StoredRequest, KeepsTheSameOfWhatWasKept) {
  const Headers kept = KeptOf(ReadsParts(true), kSent, "token=secret&kind=1");
  const Headers again = ParseHeaderLines(HeaderLines(kept));
  EXPECT_EQ(again, kept);
  EXPECT_EQ(KeptOf(ReadsParts(true), again, {}), kept);
}

/// Reads every body as the final event of a call that says nothing.
class SaysNothing final : public Source {
 public:
  std::variant<Normalized, Refusal> Normalize(const RawRequest&) const override {
    CallEvent event;
    event.call_id = "c-1";
    event.stage = Stage::kFinal;
    return Normalized{std::move(event), "key"};
  }
  std::span<const std::string_view> KeptHeaders() const override { return {}; }
};

TEST(StoredRequest, WhatWasCarriedIsReadAgain) {
  const std::string lines = HeaderLines(Headers{{std::string(kCarriedName), R"({"duration":73})"}});
  FieldPaths paths;
  const auto read = ReadAgain(SaysNothing(), {"e-1", lines, "{}", {}}, &paths);
  ASSERT_TRUE(std::get_if<CallEvent>(&read));
  EXPECT_EQ(std::get<CallEvent>(read).duration, 73);
  EXPECT_EQ(paths.Of("duration"), "carried");
  EXPECT_FALSE(IsHeader(kCarriedName));
  EXPECT_FALSE(IsHeader(kQueryName));
  EXPECT_TRUE(IsHeader("X-Event"));
}

}  // namespace
}  // namespace hookswitch
