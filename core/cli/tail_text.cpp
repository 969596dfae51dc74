#include "core/cli/tail_text.h"

#include <chrono>
#include <cmath>
#include <utility>
#include <vector>

#include "core/base/text.h"
#include "core/base/time_text.h"
#include "core/cli/history_text.h"

namespace hookswitch::cli {
namespace {

constexpr std::size_t kWordWidth = 9;
constexpr std::string_view kBetween = "  ";

Colour ColourOfState(std::string_view state) {
  if (state == "delivered") return Colour::kGreen;
  if (state == "dead") return Colour::kRed;
  if (state == "retry" || state == "held" || state == "fell_back") return Colour::kYellow;
  return Colour::kDim;
}

/// One line: what is absent ("-") is left out.
class LineOf {
 public:
  LineOf(const Paint& paint, const std::string& time) : paint_(paint), text_(paint(Colour::kDim, time)) {}
  LineOf& Word(Colour colour, std::string_view word) {
    text_ += std::string(kBetween) + paint_(colour, word);
    if (word.size() < kWordWidth) text_ += std::string(kWordWidth - word.size(), ' ');
    return *this;
  }
  LineOf& Add(const std::string& part, Colour colour = Colour::kPlain) {
    if (!part.empty() && part != "-") text_ += std::string(kBetween) + paint_(colour, part);
    return *this;
  }
  std::string Take() { return std::move(text_); }

 private:
  const Paint& paint_;
  std::string text_;
};

std::string NowOf(const View& view) {
  return view.Time({{"now", ToRfc3339(view.now)}}, "now");
}

std::string DurationOf(const json::object& event) {
  const json::value* duration = event.if_contains("duration");
  if (!duration || !duration->is_number()) return {};
  const double seconds = duration->to_number<double>();
  return HumanDuration(std::chrono::milliseconds(std::llround(seconds * 1000)));
}

bool IsTrueAt(const json::object& object, std::string_view key) {
  const json::value* flag = object.if_contains(key);
  return flag && flag->is_bool() && flag->get_bool();
}

}  // namespace

std::string TailText::Line(const View& view, std::string_view kind, const json::object& message) {
  if (kind == "event") return Event(view, message);
  if (kind == "delivery") return Delivery(view, message);
  if (kind == "refused") return Refused(view, message);
  if (kind == "sink") return Sink(view, message);
  if (kind == "reload") return Reload(view, message);
  if (kind == "gap") return Gap(view, message);
  return {};
}

std::string TailText::Event(const View& view, const json::object& event) const {
  LineOf line(paint_, view.Time(event, "received_at"));
  line.Word(Colour::kBlue, IsTrueAt(event, "revised") ? "revised" : "event");
  line.Add(Text(event, "status"), Colour::kBold).Add(DurationOf(event)).Add(Text(event, "agent"));
  line.Add(Text(event, "source")).Add(Text(event, "call_id")).Add(Text(event, "note"), Colour::kYellow);
  std::vector<std::string> sinks;
  for (const auto& one : ListAt(event, "outcomes")) {
    if (one.is_object()) sinks.push_back(Text(one.get_object(), "sink"));
  }
  line.Add(sinks.empty() ? "-> nobody" : "-> " + Joined(sinks));
  return line.Add(Text(event, "id"), Colour::kDim).Take();
}

std::string TailText::Delivery(const View& view, const json::object& delivery) const {
  std::string state = Text(delivery, "state");
  const bool was_tried = Text(delivery, "attempts") != "0";
  if (state == "pending") {
    if (!was_tried) return {};
    state = "retry";
  }
  LineOf line(paint_, NowOf(view));
  line.Word(ColourOfState(state), state).Add(Text(delivery, "sink"), Colour::kBold);
  line.Add(Text(delivery, "status")).Add(Text(delivery, "agent"));
  if (const std::string ms = Text(delivery, "latency_ms"); was_tried && ms != "-") line.Add(ms + " ms");
  if (state != "delivered") line.Add(WhyOf(delivery), ColourOfState(state));
  if (state == "retry") line.Add("next " + view.Age(delivery, "due"));
  if (const std::string next = Text(delivery, "fallback"); next != "-") line.Add("-> " + next);
  return line.Add(Text(delivery, "id"), Colour::kDim).Take();
}

std::string TailText::Refused(const View& view, const json::object& refused) const {
  LineOf line(paint_, view.Time(refused, "at"));
  line.Word(Colour::kRed, "refused").Add(Text(refused, "http_status")).Add(Text(refused, "error"), Colour::kBold);
  line.Add(Text(refused, "source")).Add(Text(refused, "peer")).Add(Text(refused, "path"));
  return line.Add(Text(refused, "detail")).Take();
}

std::string TailText::Sink(const View& view, const json::object& sink) {
  const std::string state = Text(sink, "state"), why = Text(sink, "because");
  const auto shown = sinks_.try_emplace(Text(sink, "sink")).first;
  const std::string now = state + ' ' + why;
  // A sink is told of whenever its numbers change, too.
  if (shown->second == now) return {};
  const bool was_known = !std::exchange(shown->second, now).empty();
  if (state == "open" && !was_known) return {};
  LineOf line(paint_, NowOf(view));
  line.Word(Colour::kYellow, "sink").Add(shown->first, Colour::kBold);
  line.Add(state, state == "open" ? Colour::kGreen : Colour::kYellow).Add(why);
  if (const std::string waiting = Text(sink, "pending"); waiting != "0" && waiting != "-") line.Add(waiting + " wait");
  return line.Take();
}

std::string TailText::Reload(const View& view, const json::object& reload) const {
  LineOf line(paint_, NowOf(view));
  if (IsTrueAt(reload, "ok")) {
    return line.Word(Colour::kBlue, "reload").Add("generation " + Text(reload, "generation")).Take();
  }
  const std::size_t problems = ListAt(reload, "problems").size();
  line.Word(Colour::kRed, "reload").Add("failed", Colour::kBold);
  return line.Add(std::to_string(problems) + (problems == 1 ? " problem" : " problems")).Take();
}

std::string TailText::Gap(const View& view, const json::object& gap) const {
  std::vector<std::string> kinds;
  for (const auto& kind : ListAt(gap, "kinds")) {
    if (kind.is_string()) kinds.push_back(OneLine(kind.get_string()));
  }
  const std::string missed = Text(gap, "missed");
  LineOf line(paint_, NowOf(view));
  line.Word(Colour::kYellow, "gap");
  return line.Add((missed == "-" ? "some" : missed) + " left out: " + Joined(kinds)).Take();
}

}  // namespace hookswitch::cli
