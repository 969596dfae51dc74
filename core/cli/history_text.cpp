#include "core/cli/history_text.h"

#include <algorithm>
#include <chrono>

#include "core/base/text.h"
#include "core/base/time_text.h"

namespace hookswitch::cli {
namespace {

bool IsTrue(const json::object& object, std::string_view key) {
  const json::value* flag = object.if_contains(key);
  return flag && flag->is_bool() && flag->get_bool();
}

// The text with its line breaks; "" if there is none.
std::string_view RawText(const json::object& object, std::string_view key) {
  const json::value* text = object.if_contains(key);
  if (!text || !text->is_string()) return {};
  return text->get_string();
}

/// A stored request or response, with a JSON body on several lines. One that was cut stays as it is.
std::string WithPrettyBody(std::string_view text) {
  const auto body = text.find("\n\n");
  if (body == std::string_view::npos) return std::string(text);
  json::error_code error;
  const json::value value = json::parse(text.substr(body + 2), error);
  if (error || value.is_primitive()) return std::string(text);
  return std::string(text.substr(0, body + 2)) + ToText(value, 2);
}

/// "240 ms", "12s"
std::string Time(const json::object& object, std::string_view key) {
  const json::value* ms = object.if_contains(key);
  if (!ms || !ms->is_int64()) return "-";
  const std::chrono::milliseconds time(ms->get_int64());
  return time < std::chrono::seconds(10) ? std::to_string(time.count()) + " ms" : HumanDuration(time);
}

/// What an attempt waited for, and how long connecting and the first byte took; "" if nothing is known.
std::string TimesOf(const json::object& attempt) {
  std::vector<std::string> waits, times;
  for (const auto& item : ListAt(attempt, "waits")) {
    waits.push_back(Text(item.as_object(), "for") + ' ' + Time(item.as_object(), "ms"));
  }
  if (!waits.empty()) times.push_back("waited: " + Joined(waits));
  if (const std::string time = Time(attempt, "connect_ms"); time != "-") times.push_back("connected after " + time);
  if (const std::string time = Time(attempt, "first_byte_ms"); time != "-") times.push_back("first byte after " + time);
  return Joined(times, "; ");
}

void PrintAttempts(std::ostream& out, const View& view, const json::array& attempts, const std::string& indent,
                   bool whole) {
  for (const auto& item : attempts) {
    const json::object& attempt = item.as_object();
    out << indent << "attempt " << Text(attempt, "number") << " (" << Text(attempt, "trigger") << ")  "
        << view.Moment(attempt, "started_at") << "  " << Text(attempt, "latency_ms") << " ms  "
        << Text(attempt, "outcome");
    for (const char* key : {"code", "reason"}) {
      if (const std::string text = Text(attempt, key); text != "-") out << ": " << text;
    }
    if (const std::string status = Text(attempt, "http_status"); status != "-") out << " (HTTP " << status << ')';
    if (IsTrue(attempt, "may_have_been_delivered")) out << "; may have been delivered";
    out << '\n';
    if (const std::string action = Text(attempt, "action"); action != "-")
      out << indent << "  to do: " << action << '\n';
    if (!whole) continue;
    if (const std::string times = TimesOf(attempt); !times.empty()) out << indent << "  " << times << '\n';
    for (const char* key : {"request", "response"}) {
      const std::string_view text = RawText(attempt, key);
      if (text.empty()) continue;
      out << indent << "  " << key << ":\n";
      PrintIndented(out, WithPrettyBody(text), indent + "    ");
    }
  }
}

void PrintWithheld(std::ostream& out, const json::object& shown) {
  std::string names;
  for (const auto& name : ListAt(shown, "masked")) {
    if (name.is_string()) names += (names.empty() ? "" : ", ") + OneLine(name.get_string());
  }
  if (!names.empty())
    PrintMember(out, "withheld", names + " (inspector.bodies); --unmask shows it where that is allowed");
}

void PrintRules(std::ostream& out, const json::object& routing) {
  for (const auto& item : ListAt(routing, "rules")) {
    const json::object& rule = item.as_object();
    out << (IsTrue(rule, "matched") ? "  yes  " : "   no  ") << Text(rule, "name") << ": " << Text(rule, "why") << '\n';
  }
  const json::array& deliveries = ListAt(routing, "deliveries");
  if (deliveries.empty()) out << "  sent to nobody\n";
  for (const auto& item : deliveries) {
    out << "  -> " << Text(item.as_object(), "sink") << " (" << Text(item.as_object(), "rule") << ")\n";
  }
}

void PrintRouting(std::ostream& out, const View& view, const json::object& event) {
  const json::object& config = ObjectAt(event, "config");
  const json::object& then = ObjectAt(event, "routing");
  const json::object& now = ObjectAt(event, "routing_now");
  const bool is_current = IsTrue(config, "is_current");
  if (then.empty()) {
    out << "\nrouting at its acceptance is not known: " << Text(event, "routing_because") << '\n';
  } else {
    out << "\nrouting by the rules at its acceptance (config " << Text(config, "hash").substr(0, 8) << " of "
        << view.Moment(config, "since") << (is_current ? ", the current one):\n" : "):\n");
    PrintRules(out, then);
  }
  if (now.empty() || (is_current && !then.empty())) return;
  if (!then.empty() && ListAt(then, "deliveries") == ListAt(now, "deliveries")) {
    out << "the current rules (generation " << Text(now, "generation") << ") route it alike\n";
    return;
  }
  out << "\nrouting by the current rules (generation " << Text(now, "generation") << "):\n";
  PrintRules(out, now);
}

}  // namespace

std::string WhyOf(const json::object& delivery) {
  std::string why = Text(delivery, "because");
  if (why != "-") return why;
  why = Text(delivery, "code");
  const std::string reason = Text(delivery, "reason");
  if (reason == "-") return why;
  return why == "-" ? reason : why + ": " + reason;
}

void PrintEvents(std::ostream& out, const View& view, const json::array& events) {
  Table table({{"AT " + view.Offset()},
               {"AGE"},
               {"STATUS", 9},
               {"AGENT", 10},
               {"SOURCE", 6, 3},
               {"SENT", 0, 2},
               {"NOTE", 12, 1},
               {"CALL", 9, 4},
               {"EVENT"}});
  for (const auto& item : events) {
    const json::object& event = item.as_object();
    table.Add({view.Time(event, "received_at"), view.Age(event, "received_at"), Text(event, "status"),
               Text(event, "agent"), Text(event, "source"), Text(event, "deliveries"), Text(event, "note"),
               Text(event, "call_id"), Text(event, "id")});
  }
  table.Print(out, view.width);
}

void PrintDeliveries(std::ostream& out, const View& view, const json::array& deliveries) {
  Table table({{"DELIVERY"},
               {"AT " + view.Offset()},
               {"AGE"},
               {"STATE"},
               {"SINK", 12},
               {"TRIES", 0, 1},
               {"AGENT", 10, 2},
               {"STATUS", 9, 3},
               {"RULE", 6, 4},
               {"CALL", 9, 5},
               {"WHY", 22}});
  for (const auto& item : deliveries) {
    const json::object& delivery = item.as_object();
    table.Add({Text(delivery, "id"), view.Time(delivery, "accepted_at"), view.Age(delivery, "accepted_at"),
               Text(delivery, "state"), Text(delivery, "sink"), Text(delivery, "attempts"), Text(delivery, "agent"),
               Text(delivery, "status"), Text(delivery, "rule"), Text(delivery, "call_id"), WhyOf(delivery)});
  }
  table.Print(out, view.width);
}

void PrintRefused(std::ostream& out, const View& view, const json::array& refused) {
  Table table({{"AT " + view.Offset()},
               {"AGE"},
               {"ANSWER", 0, 1},
               {"ERROR", 10},
               {"SOURCE", 6, 3},
               {"FROM", 9, 2},
               {"PATH", 14},
               {"WHY", 20}});
  for (const auto& item : refused) {
    const json::object& one = item.as_object();
    table.Add({view.Time(one, "at"), view.Age(one, "at"), Text(one, "http_status"), Text(one, "error"),
               Text(one, "source"), Text(one, "peer"), Text(one, "path"), Text(one, "detail")});
  }
  table.Print(out, view.width);
}

void PrintSinks(std::ostream& out, const View& view, const json::array& sinks) {
  Table table({{"SINK", 16}, {"STATE"}, {"WAITING"}, {"OLDEST"}, {"NEXT TRY"}, {"WHY", 24, 0, /*is_text=*/true}});
  for (const auto& item : sinks) {
    const json::object& sink = item.as_object();
    table.Add({Text(sink, "sink"), Text(sink, "state"), Text(sink, "pending"), view.Age(sink, "oldest"),
               view.Age(sink, "until"), Text(sink, "because")});
    for (const auto& part : ListAt(sink, "places")) {
      const json::object& place = part.as_object();
      table.Add({"  " + Text(place, "name"), "refused", Text(place, "waiting"), "-", view.Age(place, "next_try"),
                 Text(place, "because")});
    }
  }
  table.Print(out, view.width);
}

void PrintSink(std::ostream& out, const View& view, const json::object& sink) {
  for (const char* key : {"sink", "state"}) PrintMember(out, key, Text(sink, key));
  PrintMember(out, "why", Text(sink, "because"));
  PrintMember(out, Text(sink, "state") == "paused" ? "until" : "next try", view.Moment(sink, "until"));
  PrintMember(out, "waiting", Text(sink, "pending"));
  PrintMember(out, "in flight", Text(sink, "in_flight"));
  PrintMember(out, "oldest", view.Moment(sink, "oldest"));
  for (const auto& item : ListAt(sink, "places")) {
    const json::object& place = item.as_object();
    out << '\n';
    PrintMember(out, "place", Text(place, "name"));
    PrintMember(out, "refused", Text(place, "because"));
    PrintMember(out, "waiting", Text(place, "waiting"));
    PrintMember(out, "next try", view.Moment(place, "next_try"));
  }
}

void PrintEvent(std::ostream& out, const View& view, const json::object& event) {
  PrintMember(out, "event", Text(event, "id"));
  PrintMember(out, "received", view.Moment(event, "received_at"));
  for (const char* key : {"source", "status", "agent"}) PrintMember(out, key, Text(event, key));
  PrintMember(out, "call", Text(event, "call_id"));
  PrintMember(out, "note", Text(event, "note"));
  PrintMember(out, "not read", Text(event, "normalized_because"));
  PrintWithheld(out, event);
  // Only --format json shows the earlier content.
  for (const auto& item : ListAt(event, "revisions")) {
    PrintMember(out, "revised", view.Moment(item.as_object(), "until"));
  }
  for (const auto& item : ListAt(event, "headers")) {
    PrintMember(out, "header", Text(item.as_object(), "name") + ": " + Text(item.as_object(), "value"));
  }
  out << "\ndeliveries:\n";
  const json::array& deliveries = ListAt(event, "deliveries");
  if (deliveries.empty()) out << "  none\n";
  for (const auto& item : deliveries) {
    const json::object& delivery = item.as_object();
    out << "  " << Text(delivery, "id") << "  " << Text(delivery, "sink") << "  " << Text(delivery, "state") << "  ("
        << Text(delivery, "rule") << ')';
    if (const std::string why = WhyOf(delivery); why != "-") out << "  " << why;
    out << '\n';
    PrintAttempts(out, view, ListAt(delivery, "attempts"), "    ", false);
  }
  PrintRouting(out, view, event);
  out << "\nraw:\n";
  PrintIndented(out, RawText(event, "raw"), "  ");
  if (const std::string_view bytes = RawText(event, "raw_base64"); !bytes.empty())
    out << "  in base64: " << bytes << '\n';
}

void PrintDelivery(std::ostream& out, const View& view, const json::object& delivery) {
  PrintMember(out, "delivery", Text(delivery, "id"));
  const std::string held_by = Text(delivery, "held_by");
  PrintMember(out, "state", Text(delivery, "state") + (held_by == "-" ? "" : " (" + held_by + ')'));
  PrintMember(out, "why", WhyOf(delivery));
  for (const char* key : {"sink", "rule", "template", "event"}) PrintMember(out, key, Text(delivery, key));
  PrintMember(out, "call", Text(delivery, "call_id"));
  for (const char* key : {"agent", "status"}) PrintMember(out, key, Text(delivery, key));
  PrintMember(out, "accepted", view.Moment(delivery, "accepted_at"));
  PrintMember(out, "replayed", view.Moment(delivery, "replayed_at"));
  PrintMember(out, "due", view.Moment(delivery, "due"));
  if (IsTrue(delivery, "is_fallback")) PrintMember(out, "made", "as the fallback of another sink");
  if (IsTrue(delivery, "is_replay")) PrintMember(out, "made", "by a replay");
  PrintWithheld(out, delivery);
  if (const std::string next = Text(delivery, "fallback"); next != "-")
    PrintMember(out, "fallback", next + " took over");
  out << '\n';
  PrintAttempts(out, view, ListAt(delivery, "attempts"), "", true);
}

void PrintTest(std::ostream& out, const json::object& test) {
  const bool ok = IsTrue(test, "ok");
  const std::string status = Text(test, "http_status");
  out << Text(test, "sink") << ": " << (ok ? "delivered" : "not delivered: " + Text(test, "outcome")) << " ("
      << (status == "-" ? "" : "HTTP " + status + ", ") << Text(test, "latency_ms") << " ms)\n";
  if (ok) return;
  for (const char* key : {"code", "reason"}) PrintMember(out, key, Text(test, key));
  PrintMember(out, "to do", Text(test, "action"));
  for (const char* key : {"request", "response"}) {
    const std::string_view text = RawText(test, key);
    if (text.empty()) continue;
    out << key << ":\n";
    PrintIndented(out, WithPrettyBody(text), "  ");
  }
}

std::string JoinedIds(const json::object& answer) {
  std::string ids;
  for (const auto& id : ListAt(answer, "deliveries")) {
    if (id.is_string()) ids += ' ' + Printable(id.get_string());
  }
  return ids;
}

void PrintBulk(std::ostream& out, std::string_view verb, const json::object& answer) {
  const std::string matched = Text(answer, "matched");
  if (IsTrue(answer, "dry_run")) {
    out << matched << " match; nothing was changed (--dry-run)\n";
  } else {
    out << Text(answer, "changed") << " of " << matched << (verb == "purge" ? " purged\n" : " are tried again\n");
  }
  const std::size_t shown = ListAt(answer, "deliveries").size();
  if (shown == 0) return;
  const bool more = Text(answer, IsTrue(answer, "dry_run") ? "matched" : "changed") != std::to_string(shown);
  out << (more ? "the first of them:" : "they are:") << JoinedIds(answer) << '\n';
}

void PrintEventReplay(std::ostream& out, const json::object& answer) {
  const bool dry_run = IsTrue(answer, "dry_run");
  out << Text(answer, "matched") << " match; " << Text(answer, "changed")
      << (dry_run ? " would be sent again" : " are sent again");
  std::string_view before = ": ";
  const auto* sinks = answer.if_contains("by_sink");
  for (const auto& [sink, count] : sinks && sinks->is_object() ? sinks->get_object() : json::object()) {
    out << before << ToText(count) << " to " << OneLine(sink);
    before = ", ";
  }
  out << '\n';
  if (const std::string count = Text(answer, "no_rule"); count != "0")
    out << count << " are matched by no current rule\n";
  if (const std::string count = Text(answer, "not_a_call"); count != "0") out << count << " are no calls\n";
  if (dry_run) out << "nothing was changed (--dry-run)\n";
}

}  // namespace hookswitch::cli
