#include <iostream>

#include "core/base/encoding.h"
#include "core/cli/admin_client.h"
#include "core/cli/commands.h"
#include "core/cli/history_text.h"
#include "core/cli/printing.h"

namespace hookswitch::cli {
namespace {

/// GET `target`. An answer other than 200 is an error with what it says, unless `any_status`.
Result<json::object> Get(AdminClient& client, const std::string& target, bool any_status = false) {
  auto response = client.Ask("GET", target);
  if (!response) return std::move(response).error();
  auto object = ObjectOf(*response);
  if (!object) return std::move(object).error();
  if (response->status != 200 && !any_status) {
    return Error{ErrorCode::kInvalid, Text(*object, "error") + ": " + Text(*object, "detail")};
  }
  return object;
}

const json::object& ObjectAt(const json::object& object, std::string_view key) {
  static const json::object kNone;
  const json::value* value = object.if_contains(key);
  return value && value->is_object() ? value->get_object() : kNone;
}

json::array ArrayAt(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value && value->is_array() ? value->get_array() : json::array();
}

/// The newest event of each source.
Result<json::array> SourcesOf(AdminClient& client, const json::object& status) {
  json::array sources;
  for (const auto& name : ArrayAt(status, "sources")) {
    const std::string source(name.as_string());
    const auto newest = Get(client, "/api/v1/events?limit=1&source=" + PercentEncoded(source));
    if (!newest) return newest.error();
    const json::array events = ArrayAt(*newest, "events");
    json::object shown{{"source", source}, {"last_event_at", nullptr}, {"last_event", nullptr}};
    if (!events.empty()) {
      shown["last_event_at"] = events[0].as_object().at("received_at");
      shown["last_event"] = events[0].as_object().at("id");
    }
    sources.push_back(std::move(shown));
  }
  return sources;
}

/// What does not go away by itself.
json::array NeedsOf(const json::object& parts, const json::array& sinks, bool has_dead) {
  json::array needs;
  for (const auto& [name, note] : parts) {
    // Sinks are judged by their state: most troubles of theirs end by themselves.
    if (note != "ok" && !std::string_view(name).starts_with("sink ")) {
      needs.push_back(json::string(std::string(name) + ": " + Text(parts, name)));
    }
  }
  for (const auto& item : sinks) {
    const json::object& sink = item.as_object();
    const std::string state = Text(sink, "state");
    const bool goes_on = state != "misconfigured" && state != "unavailable" && state != "removed";
    const json::array places = ArrayAt(sink, "places");
    if (!goes_on) needs.push_back(json::string("sink " + Text(sink, "sink") + " is " + state));
    for (const auto& place : places) {
      needs.push_back(json::string("sink " + Text(sink, "sink") + " is refused at " + Text(place.as_object(), "name")));
    }
  }
  if (has_dead) needs.push_back("there are dead deliveries: `hookswitch deliveries --state dead` lists them");
  return needs;
}

void PrintStatus(const View& view, const json::object& status, const json::array& sources, const json::array& sinks,
                 const json::array& needs) {
  const json::object& journal = ObjectAt(status, "journal");
  std::cout << "hookswitch " << Text(status, "version") << ", started " << view.Moment(status, "started_at") << '\n';
  PrintMember(std::cout, "config", Text(status, "config") + " (generation " + Text(status, "generation") + ')');
  PrintMember(std::cout, "ingress", Text(status, "ingress"));
  PrintMember(std::cout, "admin", Text(status, "admin"));
  PrintMember(std::cout, "journal",
              Text(journal, "events") + " events, " + Text(journal, "pending") + " deliveries pending, " +
                  Text(journal, "bytes_on_disk") + " bytes on disk");
  std::cout << '\n';
  Table table({{"SOURCE", 8}, {"LAST EVENT"}, {"EVENT"}});
  for (const auto& item : sources) {
    const json::object& source = item.as_object();
    table.Add({Text(source, "source"), view.Age(source, "last_event_at"), Text(source, "last_event")});
  }
  table.Print(std::cout, view.width);
  std::cout << '\n';
  PrintSinks(std::cout, view, sinks);
  std::cout << '\n' << (needs.empty() ? "nothing needs attention\n" : "needs attention:\n");
  for (const auto& need : needs) std::cout << "  " << Printable(need.as_string()) << '\n';
}

}  // namespace

int ShowStatus(const Options& options) {
  auto client = AdminClient::Make(options);
  if (!client) return Fail(client.error().message);
  const auto status = Get(*client, "/api/v1/status");
  if (!status) return Fail(status.error().message);
  const auto lanes = Get(*client, "/api/v1/sinks");
  if (!lanes) return Fail(lanes.error().message);
  const auto ready = Get(*client, "/readyz", /*any_status=*/true);
  if (!ready) return Fail(ready.error().message);
  const auto dead = Get(*client, "/api/v1/deliveries?state=dead&limit=1");
  if (!dead) return Fail(dead.error().message);
  auto sources = SourcesOf(*client, *status);
  if (!sources) return Fail(sources.error().message);
  const json::array sinks = ArrayAt(*lanes, "sinks");
  const json::array needs = NeedsOf(ObjectAt(*ready, "parts"), sinks, !ArrayAt(*dead, "deliveries").empty());
  if (options.format == Format::kJson) {
    json::object all = *status;
    all["sources"] = std::move(*sources);
    all["sinks"] = sinks;
    all["needs_attention"] = needs;
    std::cout << ToText(all) << '\n';
  } else {
    PrintStatus(client->ViewOf(options), *status, *sources, sinks, needs);
  }
  return needs.empty() ? kFine : kProblems;
}

}  // namespace hookswitch::cli
