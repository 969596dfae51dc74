// Requests that are changed at random: a source refuses nothing whose call it can tell, and mixes up no two calls.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>

#include "core/base/encoding.h"
#include "core/base/query_string.h"
#include "core/base/text.h"
#include "core/sources/form.h"
#include "tests/sources/mapped.h"

namespace hookswitch::test {
namespace {

using Random = std::mt19937;

// HSW_PROPERTY_ROUNDS: how many changes of each request; more for a longer run.
int Rounds() {
  const char* rounds = std::getenv("HSW_PROPERTY_ROUNDS");
  return rounds ? std::atoi(rounds) : 25;
}

std::size_t Below(Random& random, std::size_t count) {
  return count == 0 ? 0 : random() % count;
}

json::value Odd(Random& random) {
  switch (Below(random, 12)) {
    case 0: return nullptr;
    case 1: return true;
    case 2: return -1;
    case 3: return 1e300;
    case 4: return 18446744073709551615u;
    case 5: return "";
    case 6: return "null";
    case 7: return json::array{1, json::object{{"a", nullptr}}, "x"};
    case 8: return json::object{{"role", 1}, {"content", json::array{nullptr}}, {"value", json::object{}}};
    case 9: return json::string(100'000, 'x');
    case 10: return "{\"a\":[1,{\"b\":\"[2]\"}]}";
    default: return "\xF0\x9F\x98\x80 caf\xC3\xA9\t\r\n\x01";
  }
}

/// A place in a body: where it is as the path of a mapping, and what holds it.
struct Place {
  std::string path;
  json::value* value;
};
void Collect(json::value& value, const std::string& path, std::vector<Place>& places) {
  if (!path.empty()) places.push_back({path, &value});
  if (auto* object = value.if_object()) {
    for (auto& member : *object) {
      std::string below = path;
      AppendToPath(below, member.key());
      Collect(member.value(), below, places);
    }
  } else if (auto* list = value.if_array()) {
    for (std::size_t i = 0; i < list->size(); ++i) Collect((*list)[i], path + '[' + std::to_string(i) + ']', places);
  }
}

// "a.b" is on the way to "a.b", "a.b.c" and "a.b[0]"; to be sure, so is "a[1]" to "a[*]".
bool IsOnTheWay(const std::string& changed, const std::string& path) {
  if (const auto star = path.find('*'); star != std::string::npos && changed.starts_with(path.substr(0, star))) {
    return true;
  }
  return path.starts_with(changed) &&
         (path.size() == changed.size() || path[changed.size()] == '.' || path[changed.size()] == '[');
}

// Whether the call's id may depend on what is at `changed`.
bool TellsTheCall(const config::Mapping& mapping, const std::string& changed) {
  const auto on_the_way = [&](const config::ValuePath& path) { return IsOnTheWay(changed, ToText(path)); };
  return mapping.call_id.empty() || std::ranges::any_of(mapping.call_id, [&](const config::ValueRule& rule) {
           return std::ranges::any_of(rule.paths, on_the_way) ||
                  std::ranges::any_of(rule.when, on_the_way, &config::ValueMatch::path);
         });
}

void ExpectSound(const std::pair<std::string, json::object>& said) {
  if (said.first != "refusal") return;
  const auto status = said.second.at("status").to_number<int>();
  EXPECT_TRUE(status == 400 || status == 422) << ToText(said.second);
  EXPECT_TRUE(IsUtf8(said.second.at("detail").as_string()));
}

TEST(MappedProperty, AChangedMemberNeverHidesOrChangesTheCall) {
  Random random(20260304);
  for (const GoldenCase& one : GoldenCases()) {
    SCOPED_TRACE(one.type + '/' + one.name);
    boost::system::error_code is_no_json;
    const json::value body = json::parse(one.body, is_no_json);
    if (is_no_json || !body.is_object()) continue;
    const auto source = SourceOf(one);
    const Headers kept = KeptOf(*source, one.headers, {});
    const auto mapping = MappingOf(one);
    const auto before = Says(*source, {one.body, kept, WallTime{}});
    for (int round = 0; round < Rounds(); ++round) {
      json::value changed = body;
      std::vector<Place> places;
      Collect(changed, "", places);
      if (places.empty()) break;
      const Place& place = places[Below(random, places.size())];
      SCOPED_TRACE(place.path);
      *place.value = Odd(random);
      const std::string text = ToText(changed);
      const auto after = Says(*source, {text, kept, WallTime{}});
      ExpectSound(after);
      EXPECT_EQ(after, Says(*source, {text, kept, WallTime{}}));
      if (before.first != "event" || TellsTheCall(*mapping, place.path)) continue;
      ASSERT_NE(after.first, "refusal") << ToText(after.second);
      if (after.first != "event") continue;
      EXPECT_EQ(after.second.at("event").at("call_id"), before.second.at("event").at("call_id"));
    }
  }
}

TEST(MappedProperty, AChangedFieldOfAFormNeverHidesOrChangesTheCall) {
  Random random(20260306);
  for (const GoldenCase& one : GoldenCases()) {
    SCOPED_TRACE(one.type + '/' + one.name);
    if (FormKindOf(one.body, "") != FormKind::kUrlEncoded) continue;
    const auto source = SourceOf(one);
    const auto mapping = MappingOf(one);
    const Headers kept = KeptOf(*source, one.headers, {});
    const auto before = Says(*source, {one.body, kept, WallTime{}});
    for (int round = 0; round < Rounds(); ++round) {
      auto fields = FormFields(one.body);
      const std::size_t at = Below(random, fields.size());
      const std::string name = fields[at].first;
      SCOPED_TRACE(name);
      const json::value odd = Odd(random);
      fields[at].second = payload::AnyText(&odd, std::string::npos);
      if (Below(random, 8) == 0) fields.push_back(fields.front());
      std::string body;
      for (const auto& field : fields) {
        body += (body.empty() ? "" : "&") + FormEncoded(field.first) + '=' + FormEncoded(field.second);
      }
      const auto after = Says(*source, {body, kept, WallTime{}});
      ExpectSound(after);
      if (before.first != "event" || TellsTheCall(*mapping, name) || TellsTheCall(*mapping, "form:" + name)) continue;
      ASSERT_NE(after.first, "refusal") << ToText(after.second);
      if (after.first != "event") continue;
      EXPECT_EQ(after.second.at("event").at("call_id"), before.second.at("event").at("call_id"));
    }
  }
}

TEST(MappedProperty, ChangedBytesAreReadOrRefused) {
  Random random(20260305);
  for (const GoldenCase& one : GoldenCases()) {
    SCOPED_TRACE(one.type + '/' + one.name);
    const auto source = SourceOf(one);
    const Headers kept = KeptOf(*source, one.headers, {});
    for (int round = 0; round < Rounds(); ++round) {
      std::string body = one.body;
      for (std::size_t changes = 1 + Below(random, 3); changes != 0 && !body.empty(); --changes) {
        const std::size_t at = Below(random, body.size());
        switch (Below(random, 4)) {
          case 0: body[at] = static_cast<char>(random()); break;
          case 1: body.erase(at, 1 + Below(random, 20)); break;
          case 2: body.resize(at); break;
          default: body.insert(at, body.substr(Below(random, body.size()), Below(random, 200)));
        }
      }
      const RawRequest request{body, kept, WallTime{}};
      const auto bodies = source->Split(request);
      for (const std::string& item : bodies.value_or(std::vector<std::string>())) {
        ExpectSound(Says(*source, {item, kept, WallTime{}}));
      }
      ExpectSound(Says(*source, request));
    }
  }
}

}  // namespace
}  // namespace hookswitch::test
