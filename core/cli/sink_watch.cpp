#include "core/cli/sink_watch.h"

#include <algorithm>
#include <iostream>
#include <sstream>
#include <thread>

#include "core/base/json.h"
#include "core/base/time_text.h"
#include "core/cli/admin_client.h"

namespace hookswitch::cli {
namespace {

constexpr std::size_t kBars = 30;  // minutes

std::int64_t NumberOf(const json::value& number) {
  return number.is_int64() ? number.get_int64() : 0;
}

std::int64_t SumOf(const json::array& numbers) {
  std::int64_t sum = 0;
  for (const auto& number : numbers) sum += NumberOf(number);
  return sum;
}

/// One character for each of the last minutes, as high as its number beside the highest.
std::string Bars(const json::array& minutes) {
  static constexpr std::string_view kBar[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  const std::size_t first = minutes.size() - std::min(minutes.size(), kBars);
  std::int64_t most = 0;
  for (std::size_t i = first; i < minutes.size(); ++i) most = std::max(most, NumberOf(minutes[i]));
  std::string bars;
  for (std::size_t i = first; i < minutes.size(); ++i) {
    const std::int64_t number = NumberOf(minutes[i]);
    bars += number <= 0 ? std::string_view("·") : kBar[(number * 8 - 1) / most];
  }
  return bars;
}

struct Answered {
  json::array sinks;
  std::string problem;  ///< why there is no answer
};

void Show(const Options& options, const AdminClient& client, const Answered& answered) {
  if (options.format == Format::kJson) {
    if (answered.problem.empty()) std::cout << ToText(json::object{{"sinks", answered.sinks}}) << std::endl;
    return;
  }
  const View view = client.ViewOf(options);
  std::string text = view.Time({{"now", ToRfc3339(view.now)}}, "now") + "  " + client.where() + '\n';
  text += answered.problem.empty() ? SinkPicture(view, answered.sinks) : answered.problem + '\n';
  const std::size_t height = TerminalHeight();
  std::cout << (height == 0 ? text + '\n' : Screen(text, height)) << std::flush;
}

}  // namespace

std::string SinkPicture(const View& view, const json::array& sinks) {
  Table table({{"SINK", 12},
               {"STATE"},
               {"WAITING"},
               {"SENDING", 0, 3},
               {"OLDEST"},
               {"NEXT TRY"},
               {"SENT 1H", 0, 2},
               {"RETRIED", 0, 4},
               {"DEAD", 0, 1},
               {"LAST 30 MIN", 0, 5},
               {"WHY", 24, 0, /*is_text=*/true}});
  for (const auto& item : sinks) {
    const json::object& sink = item.as_object();
    const json::object& hour = ObjectAt(sink, "last_hour");
    const auto sum = [&](const char* key) { return std::to_string(SumOf(ListAt(hour, key))); };
    table.Add({Text(sink, "sink"), Text(sink, "state"), Text(sink, "pending"), Text(sink, "in_flight"),
               view.Age(sink, "oldest"), view.Age(sink, "until"), sum("delivered"), sum("retried"), sum("dead"),
               Bars(ListAt(hour, "delivered")), Text(sink, "because")});
  }
  std::ostringstream out;
  table.Print(out, view.width);
  return std::move(out).str();
}

std::string Screen(const std::string& text, std::size_t height) {
  // ECMA-48: to the first column of the first line (CUP); clear to the line's end (EL), to the screen's end (ED).
  std::string screen = "\x1b[H";
  std::istringstream lines(text);
  std::size_t left = height;
  // A line break in the last line would scroll.
  for (std::string line; left > 1 && std::getline(lines, line); --left) screen += line + "\x1b[K\n";
  return screen + "\x1b[J";
}

int WatchSinks(const Options& options) {
  auto client = AdminClient::Make(options);
  if (!client) return Fail(client.error().message);
  for (int shown = 0; options.count == 0 || shown < options.count; ++shown) {
    if (shown > 0) std::this_thread::sleep_for(options.every);
    Answered answered;
    auto answer = client->Get("/api/v1/sinks");
    if (answer) {
      answered.sinks = ListAt(*answer, "sinks");
    } else if (shown == 0 || answer.error().code != ErrorCode::kUnavailable) {
      return Fail(answer.error().message);
    } else {
      answered.problem = answer.error().message;
    }
    Show(options, *client, answered);
    if (!std::cout) break;
  }
  return kFine;
}

}  // namespace hookswitch::cli
