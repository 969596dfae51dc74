#include "core/cli/history_text.h"

#include "core/cli/printing.h"

namespace hookswitch::cli {
namespace {

const json::array& ListOf(const json::object& object, std::string_view key) {
  static const json::array kNone;
  const json::value* list = object.if_contains(key);
  return list && list->is_array() ? list->get_array() : kNone;
}

bool IsTrue(const json::object& object, std::string_view key) {
  const json::value* flag = object.if_contains(key);
  return flag && flag->is_bool() && flag->get_bool();
}

// Text as it is, line breaks and all; "" if there is none.
std::string_view RawText(const json::object& object, std::string_view key) {
  const json::value* text = object.if_contains(key);
  if (!text || !text->is_string()) return {};
  return text->get_string();
}

// Why a delivery is as it is: what holds it, else what went wrong.
std::string Why(const json::object& delivery) {
  std::string why = Text(delivery, "because");
  if (why != "-") return why;
  why = Text(delivery, "code");
  const std::string reason = Text(delivery, "reason");
  if (reason == "-") return why;
  return why == "-" ? reason : why + ": " + reason;
}

void PrintAttempts(std::ostream& out, const json::array& attempts, const std::string& indent, bool whole) {
  for (const auto& item : attempts) {
    const json::object& attempt = item.as_object();
    out << indent << "attempt " << Text(attempt, "number") << " (" << Text(attempt, "trigger") << ")  "
        << Text(attempt, "started_at") << "  " << Text(attempt, "latency_ms") << " ms  " << Text(attempt, "outcome");
    for (const char* key : {"code", "reason"}) {
      if (const std::string text = Text(attempt, key); text != "-") out << ": " << text;
    }
    if (const std::string status = Text(attempt, "http_status"); status != "-") out << " (HTTP " << status << ')';
    if (IsTrue(attempt, "may_have_been_delivered")) out << "; may have been delivered";
    out << '\n';
    if (const std::string action = Text(attempt, "action"); action != "-")
      out << indent << "  to do: " << action << '\n';
    if (!whole) continue;
    for (const char* key : {"request", "response"}) {
      const std::string_view text = RawText(attempt, key);
      if (text.empty()) continue;
      out << indent << "  " << key << ":\n";
      PrintIndented(out, text, indent + "    ");
    }
  }
}

void PrintRouting(std::ostream& out, const json::object& routing) {
  out << "\nrouting, by the rules of now (generation " << Text(routing, "generation") << "):\n";
  for (const auto& item : ListOf(routing, "rules")) {
    const json::object& rule = item.as_object();
    out << (IsTrue(rule, "matched") ? "  yes  " : "   no  ") << Text(rule, "name") << ": " << Text(rule, "why") << '\n';
  }
  const json::array& deliveries = ListOf(routing, "deliveries");
  if (deliveries.empty()) out << "  sent to nobody\n";
  for (const auto& item : deliveries) {
    out << "  -> " << Text(item.as_object(), "sink") << " (" << Text(item.as_object(), "rule") << ")\n";
  }
}

}  // namespace

void PrintEvents(std::ostream& out, const json::array& events) {
  Table table({"EVENT", "RECEIVED", "SOURCE", "STATUS", "AGENT", "CALL", "DELIVERIES"});
  for (const auto& item : events) {
    const json::object& event = item.as_object();
    std::string last = Text(event, "deliveries");
    if (const std::string note = Text(event, "note"); note != "-") last += "  (" + note + ')';
    table.Add({Text(event, "id"), Text(event, "received_at"), Text(event, "source"), Text(event, "status"),
               Text(event, "agent"), Text(event, "call_id"), std::move(last)});
  }
  table.Print(out);
}

void PrintDeliveries(std::ostream& out, const json::array& deliveries) {
  Table table({"DELIVERY", "STATE", "SINK", "RULE", "ACCEPTED", "STATUS", "AGENT", "CALL", "TRIES", "WHY"});
  for (const auto& item : deliveries) {
    const json::object& delivery = item.as_object();
    table.Add({Text(delivery, "id"), Text(delivery, "state"), Text(delivery, "sink"), Text(delivery, "rule"),
               Text(delivery, "accepted_at"), Text(delivery, "status"), Text(delivery, "agent"),
               Text(delivery, "call_id"), Text(delivery, "attempts"), Why(delivery)});
  }
  table.Print(out);
}

void PrintRefused(std::ostream& out, const json::array& refused) {
  Table table({"REFUSED", "SOURCE", "FROM", "ANSWER", "ERROR", "PATH", "WHY"});
  for (const auto& item : refused) {
    const json::object& one = item.as_object();
    table.Add({Text(one, "at"), Text(one, "source"), Text(one, "peer"), Text(one, "http_status"), Text(one, "error"),
               Text(one, "path"), Text(one, "detail")});
  }
  table.Print(out);
}

void PrintEvent(std::ostream& out, const json::object& event) {
  PrintMember(out, "event", Text(event, "id"));
  PrintMember(out, "received", Text(event, "received_at"));
  for (const char* key : {"source", "status", "agent"}) PrintMember(out, key, Text(event, key));
  PrintMember(out, "call", Text(event, "call_id"));
  PrintMember(out, "note", Text(event, "note"));
  PrintMember(out, "not read", Text(event, "normalized_because"));
  for (const auto& item : ListOf(event, "headers")) {
    PrintMember(out, "header", Text(item.as_object(), "name") + ": " + Text(item.as_object(), "value"));
  }
  out << "\ndeliveries:\n";
  const json::array& deliveries = ListOf(event, "deliveries");
  if (deliveries.empty()) out << "  none\n";
  for (const auto& item : deliveries) {
    const json::object& delivery = item.as_object();
    out << "  " << Text(delivery, "id") << "  " << Text(delivery, "sink") << "  " << Text(delivery, "state") << "  ("
        << Text(delivery, "rule") << ')';
    if (const std::string why = Why(delivery); why != "-") out << "  " << why;
    out << '\n';
    PrintAttempts(out, ListOf(delivery, "attempts"), "    ", false);
  }
  if (const json::value* routing = event.if_contains("routing"); routing && routing->is_object()) {
    PrintRouting(out, routing->get_object());
  }
  out << "\nraw:\n";
  PrintIndented(out, RawText(event, "raw"), "  ");
  if (const std::string_view bytes = RawText(event, "raw_base64"); !bytes.empty())
    out << "  in base64: " << bytes << '\n';
}

void PrintDelivery(std::ostream& out, const json::object& delivery) {
  PrintMember(out, "delivery", Text(delivery, "id"));
  const std::string held_by = Text(delivery, "held_by");
  PrintMember(out, "state", Text(delivery, "state") + (held_by == "-" ? "" : " (" + held_by + ')'));
  PrintMember(out, "why", Why(delivery));
  for (const char* key : {"sink", "rule", "template", "event"}) PrintMember(out, key, Text(delivery, key));
  PrintMember(out, "call", Text(delivery, "call_id"));
  for (const char* key : {"agent", "status"}) PrintMember(out, key, Text(delivery, key));
  PrintMember(out, "accepted", Text(delivery, "accepted_at"));
  PrintMember(out, "replayed", Text(delivery, "replayed_at"));
  PrintMember(out, "due", Text(delivery, "due"));
  if (IsTrue(delivery, "is_fallback")) PrintMember(out, "made", "because another sink gave it up");
  if (IsTrue(delivery, "is_replay")) PrintMember(out, "made", "by a replay");
  if (const std::string next = Text(delivery, "fallback"); next != "-")
    PrintMember(out, "fallback", next + " took over");
  out << '\n';
  PrintAttempts(out, ListOf(delivery, "attempts"), "", true);
}

std::string JoinedIds(const json::object& answer) {
  std::string ids;
  for (const auto& id : ListOf(answer, "deliveries")) {
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
  const std::size_t shown = ListOf(answer, "deliveries").size();
  if (shown == 0) return;
  const bool more = Text(answer, IsTrue(answer, "dry_run") ? "matched" : "changed") != std::to_string(shown);
  out << (more ? "the first of them:" : "they are:") << JoinedIds(answer) << '\n';
}

}  // namespace hookswitch::cli
