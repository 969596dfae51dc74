#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/base/text.h"
#include "core/base/time_text.h"
#include "core/cli/history_text.h"
#include "core/cli/printing.h"
#include "core/cli/sink_watch.h"
#include "core/routing/schedule.h"

// Each tests/golden/tables/NAME.json is a list as the admin API answers it ("events", "deliveries", "refused",
// "sinks"); NAME.WIDTH.txt is what a terminal of so many columns shows of it in Kolkata on 2026-03-04 at 14:35:00, and
// NAME.wide.txt what a pipe gets.
namespace hookswitch::cli {
namespace {

namespace fs = std::filesystem;

const fs::path kFolder = HSW_SOURCE_DIR "/tests/golden/tables";

std::string ReadFile(const fs::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> Goldens() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(kFolder)) {
    if (entry.path().extension() == ".txt") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

View ViewOf(const routing::Zone& zone, std::size_t width) {
  return {width, &zone, *ParseTime("2026-03-04T09:05:00Z")};
}

class GoldenTable : public testing::TestWithParam<std::string> {};

TEST_P(GoldenTable, IsPrintedAsWritten) {
  const fs::path golden = GetParam();
  const std::string last = golden.extension().string().substr(1);
  const auto zone = routing::Zone::Find("Asia/Kolkata");
  const View view = ViewOf(*zone, last == "wide" ? 0 : std::stoul(last));
  const json::object answer = json::parse(ReadFile(kFolder / (golden.stem().string() + ".json"))).as_object();
  std::ostringstream out;
  if (const auto* events = answer.if_contains("events")) {
    PrintEvents(out, view, events->as_array());
  } else if (const auto* deliveries = answer.if_contains("deliveries")) {
    PrintDeliveries(out, view, deliveries->as_array());
  } else if (const auto* refused = answer.if_contains("refused")) {
    PrintRefused(out, view, refused->as_array());
  } else {
    PrintSinks(out, view, answer.at("sinks").as_array());
  }
  const fs::path text = kFolder / (GetParam() + ".txt");
  if (std::getenv("HSW_GOLDEN_UPDATE")) std::ofstream(text, std::ios::binary) << out.str();
  EXPECT_EQ(out.str(), ReadFile(text));
}

INSTANTIATE_TEST_SUITE_P(Tables, GoldenTable, testing::ValuesIn(Goldens()), [](const auto& info) {
  std::string name = info.param;
  std::ranges::replace_if(
      name, [](char c) { return c == '.' || c == '-'; }, '_');
  return name;
});

TEST(Table, IsAsWideAsTheTerminalDownToWhatMustStay) {
  Table table({{"ID"}, {"NAME", 4}, {"CALL", 6, 2}, {"NOTE", 4, 1}});
  table.Add({"d-7f", "a name of thirty-odd characters", "3f0c7c4e-9b1d-2a60", "-"});
  for (std::size_t width = 10; width <= 80; ++width) {
    std::ostringstream out;
    table.Print(out, width);
    std::string line;
    for (std::istringstream lines(out.str()); std::getline(lines, line);) {
      EXPECT_LE(CodePoints(line), width) << line;
    }
    EXPECT_NE(out.str().find("d-7f"), std::string::npos) << "what is not cut";
  }
}

TEST(SinkPicture, HasTheLastHourAndFitsTheTerminal) {
  const auto zone = routing::Zone::Find("Asia/Kolkata");
  json::array delivered(60, 0);
  delivered[0] = 100;  // an hour ago: counted, and older than the bars
  delivered[57] = 16;
  delivered[59] = 2;
  const json::array sinks{
      json::object{{"sink", "ops"},
                   {"state", "failing"},
                   {"because", "http_503: the service has trouble of its own"},
                   {"pending", 7},
                   {"in_flight", 1},
                   {"oldest", "2026-03-04T09:02:03Z"},
                   {"until", "2026-03-04T09:05:30Z"},
                   {"places", json::array()},
                   {"last_hour", json::object{{"delivered", delivered}, {"retried", {3}}, {"dead", {0, 1}}}}}};
  EXPECT_EQ(SinkPicture(ViewOf(*zone, 0), sinks),
            "SINK  STATE    WAITING  SENDING  OLDEST  NEXT TRY  SENT 1H  RETRIED  DEAD  LAST 30 MIN                   "
            "  WHY\n"
            "ops   failing  7        1        2m ago  in 30s    118      3        1     "
            "···························█·▁  http_503: the service has trouble of its own\n");
  std::istringstream lines(SinkPicture(ViewOf(*zone, 60), sinks));
  for (std::string line; std::getline(lines, line);) EXPECT_LE(CodePoints(line), 60U) << line;
}

TEST(SinkPicture, IsDrawnOverTheOneBeforeAndNeverScrolls) {
  EXPECT_EQ(Screen("a\nb\n", 24), "\x1b[Ha\x1b[K\nb\x1b[K\n\x1b[J");
  EXPECT_EQ(Screen("a\nb\nc\n", 3), "\x1b[Ha\x1b[K\nb\x1b[K\n\x1b[J");
}

TEST(View, AnAgeSaysHowLongAgoOrHowSoon) {
  const auto zone = routing::Zone::Find("UTC");
  const View view = ViewOf(*zone, 80);
  const std::pair<const char*, const char*> cases[] = {
      {"2026-03-04T09:05:00.4Z", "now"},  {"2026-03-04T09:04:59Z", "1s ago"},  {"2026-03-04T09:02:03Z", "2m ago"},
      {"2026-03-04T08:05:00Z", "1h ago"}, {"2026-03-03T09:04:00Z", "24h ago"}, {"2026-03-01T09:05:00Z", "3d ago"},
      {"2026-03-04T09:05:30Z", "in 30s"}, {"2026-03-04T12:05:00Z", "in 3h"}};
  for (const auto& [time, age] : cases) EXPECT_EQ(view.Age({{"at", time}}, "at"), age) << time;
  EXPECT_EQ(view.Age({{"at", nullptr}}, "at"), "-");
}

TEST(View, ATimeIsThatOfTheClocksOfItsZone) {
  const auto zone = routing::Zone::Find("America/New_York");
  const View view = ViewOf(*zone, 80);
  EXPECT_EQ(view.Time({{"at", "2026-03-04T09:02:03.5Z"}}, "at"), "04:02:03");
  EXPECT_EQ(view.Time({{"at", "2026-03-04T04:59:59Z"}}, "at"), "03-03 23:59") << "yesterday there";
  EXPECT_EQ(view.Time({{"at", "2026-01-01T04:59:59Z"}}, "at"), "2025-12-31");
  EXPECT_EQ(view.Moment({{"at", "2025-07-04T12:00:00Z"}}, "at"), "2025-07-04 08:00:00 -04:00 (242d ago)");
  EXPECT_EQ(view.Offset(), "-05:00");
}

TEST(Printing, NothingForeignMakesALineOrSteersATerminal) {
  EXPECT_EQ(OneLine("a\nb\tc\r\x1b[2J"), "a\\nb\\tc\\x0d\\x1b[2J");
  EXPECT_EQ(OneLine("\u0085\u2028\u202e\u200b\ufeff"), "\\x85\\u2028\\u202e\\u200b\\ufeff");
  EXPECT_EQ(OneLine("Priyā, 東京 🚨"), "Priyā, 東京 🚨");
  EXPECT_EQ(Printable("a\nb"), "a\nb");
}

}  // namespace
}  // namespace hookswitch::cli
