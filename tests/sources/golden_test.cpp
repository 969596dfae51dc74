// Every tests/golden/sources/<type>/<case>.json or .form is a request's body, read by the platform's page
// core/sources/platforms/<type>.yaml; those of the type "json" by <case>.map.yaml. Beside it stands
//   <case>.headers          its headers, "Name: value" and a line each, and its query as "?: name=value", if it needs
//   any
// and what it must become, as JSON:
//   <case>.event.json       {"dedup_key": …, "event": …}, the event as CONTRACT writes it
//   <case>.aside.json       {"dedup_key": …, "why": …}, for what is no step of a call
//   <case>.refusal.json     {"status": …, "error": …, "detail": …}
//   <case>.events.json      a list of these, each in an object with its kind, for several events in one request
// The name of a case that is not from the platform's documentation begins with "made_up". With HSW_GOLDEN_OUT=<folder>,
// what the sources say now is written there, in a folder for each type: read it against the documentation before it
// becomes an expectation.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>

#include "core/base/time_text.h"
#include "core/sources/stored_request.h"
#include "tests/sources/mapped.h"

namespace hookswitch::test {
namespace {

namespace fs = std::filesystem;

const WallTime kArrival = *ParseTime("2026-03-04T09:02:03.114Z");

struct Outcome {
  std::string extension;
  json::value says;
};

Outcome Read(const Source& source, const GoldenCase& one) {
  const Headers kept = KeptOf(source, one.headers, {});
  const auto bodies = source.Split({one.body, kept, kArrival});
  if (!bodies) {
    auto [kind, says] = Says(source, {one.body, kept, kArrival});
    return {'.' + kind + ".json", std::move(says)};
  }
  json::array all;
  for (const std::string& body : *bodies) {
    auto [kind, says] = Says(source, {body, kept, kArrival});
    all.push_back(json::object{{kind, std::move(says)}});
  }
  return {".events.json", std::move(all)};
}

TEST(Golden, EveryRequestBecomesWhatIsWrittenBesideIt) {
  const char* out = std::getenv("HSW_GOLDEN_OUT");
  for (const GoldenCase& one : GoldenCases()) {
    SCOPED_TRACE(one.type + '/' + one.name);
    const Outcome outcome = Read(*SourceOf(one), one);
    const fs::path file = one.File(outcome.extension);
    const json::value expected = fs::exists(file) ? json::parse(ReadFile(file)) : json::value();
    const std::string shown = ToText(outcome.says, 2);
    if (out) {
      fs::create_directories(fs::path(out) / one.type);
      std::ofstream(fs::path(out) / one.type / (one.name + outcome.extension)) << shown << "\n";
    }
    EXPECT_TRUE(fs::exists(file)) << "no " << file.filename() << ", but the source says\n" << shown;
    if (fs::exists(file)) {
      EXPECT_TRUE(expected == outcome.says) << "the source says\n" << shown;
    }
  }
}

TEST(Golden, EveryExpectationHasItsRequest) {
  std::set<std::string> known;
  std::set<fs::path> folders;
  for (const GoldenCase& one : GoldenCases()) {
    known.insert(one.type + '/' + one.name);
    folders.insert(one.folder);
  }
  for (const auto& folder : folders) {
    for (const auto& entry : fs::directory_iterator(folder)) {
      const std::string name = entry.path().filename();
      EXPECT_TRUE(known.contains(folder.filename().string() + '/' + name.substr(0, name.find('.')))) << entry.path();
    }
  }
}

TEST(Golden, WhatIsStoredBecomesTheSameEvent) {
  for (const GoldenCase& one : GoldenCases()) {
    SCOPED_TRACE(one.type + '/' + one.name);
    const auto source = SourceOf(one);
    const Headers kept = KeptOf(*source, one.headers, {});
    const auto [kind, says] = Says(*source, {one.body, kept, kArrival});
    if (kind != "event") continue;
    const auto again = ReadAgain(*source, {"", HeaderLines(kept), one.body, kArrival});
    ASSERT_TRUE(std::holds_alternative<CallEvent>(again));
    EXPECT_EQ(ToText(says.at("event")), ToText(json::parse(ToJson(std::get<CallEvent>(again)))));
  }
}

TEST(Golden, NotesNameFieldsThatTheEventHas) {
  for (const GoldenCase& one : GoldenCases()) {
    SCOPED_TRACE(one.type + '/' + one.name);
    const auto source = SourceOf(one);
    const Headers kept = KeptOf(*source, one.headers, {});
    FieldPaths paths;
    const auto [kind, says] = Says(*source, {one.body, kept, kArrival, &paths});
    if (kind != "event") continue;
    const auto& event = says.at("event").as_object();
    for (const auto& [field, path] : paths.all()) {
      EXPECT_FALSE(path.empty()) << field;
      if (field == "event") continue;  // its type, which is no field
      const auto dot = field.find('.');
      const json::value& top = event.at(field.substr(0, dot));
      const json::value& value = dot == std::string::npos ? top : top.at(field.substr(dot + 1));
      EXPECT_FALSE(value.is_null()) << field << " from " << path;
    }
  }
}

}  // namespace
}  // namespace hookswitch::test
