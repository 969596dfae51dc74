#include <iostream>

#include "core/base/encoding.h"
#include "core/base/time_text.h"
#include "core/cli/admin_client.h"
#include "core/cli/commands.h"
#include "core/cli/history_text.h"
#include "core/cli/printing.h"

namespace hookswitch::cli {
namespace {

/// The newest item of `list` that matches the filter; null if there is none. Follows cursors: a page may be empty, and
/// the next one not.
Result<json::value> NewestOf(AdminClient& client, const std::string& list, const std::string& filter) {
  const std::string target = "/api/v1/" + list + "?limit=1&" + filter;
  std::string cursor;
  for (;;) {
    const auto page = client.Get(target + cursor);
    if (!page) return page.error();
    const json::array& items = ListAt(*page, list);
    if (!items.empty()) return items.front();
    const json::value* next = page->if_contains("cursor");
    if (!next || !next->is_string()) return json::value(nullptr);
    cursor = "&cursor=" + PercentEncoded(next->get_string());
  }
}

/// The newest event of each source.
Result<json::array> SourcesOf(AdminClient& client, const json::object& status) {
  json::array sources;
  for (const auto& name : ListAt(status, "sources")) {
    const std::string source(name.as_string());
    const auto newest = NewestOf(client, "events", "source=" + PercentEncoded(source));
    if (!newest) return newest.error();
    json::object shown{{"source", source}, {"last_event_at", nullptr}, {"last_event", nullptr}};
    if (const json::object* event = newest->if_object()) {
      shown["last_event_at"] = event->at("received_at");
      shown["last_event"] = event->at("id");
    }
    sources.push_back(std::move(shown));
  }
  return sources;
}

/// " (since 3m ago, until 14:32:03)", or "".
std::string TimesOf(const View& view, const json::object& problem) {
  const std::string since = view.Age(problem, "since"), until = view.Time(problem, "until");
  std::string text;
  if (since != "-") text = "since " + since;
  if (until != "-") text += (text.empty() ? "until " : ", until ") + until;
  return text.empty() ? text : " (" + text + ')';
}

void PrintProblems(const View& view, const json::array& problems) {
  std::cout << (problems.empty() ? "nothing needs attention\n" : "needs attention:\n");
  for (const auto& item : problems) {
    const json::object& problem = item.as_object();
    std::cout << "  " << Text(problem, "text") << TimesOf(view, problem) << '\n';
    std::cout << "    " << Text(problem, "hint") << '\n';
  }
}

std::string Size(const json::object& object, std::string_view key) {
  const json::value* bytes = object.if_contains(key);
  boost::system::error_code not_a_number;
  return bytes ? HumanSize(bytes->to_number<std::uint64_t>(not_a_number)) : "-";
}

/// Nothing if the router is alone.
void PrintRouters(const View& view, const json::array& routers) {
  if (routers.size() < 2) return;
  Table table({{"ROUTER", 8}, {"VERSION"}, {"CONFIG"}, {"SEEN"}, {"DELIVERS TO"}});
  constexpr std::size_t kShortHash = 12;
  for (const auto& item : routers) {
    const json::object& router = item.as_object();
    std::string lanes;
    for (const auto& lane : ListAt(router, "lanes"))
      lanes += (lanes.empty() ? "" : ", ") + std::string(lane.as_string());
    boost::system::error_code not_a_number;
    const auto age = router.at("lease_age").to_number<double>(not_a_number);
    table.Add({Text(router, "name") + (router.at("this").as_bool() ? " (this)" : ""), Text(router, "version"),
               Text(router, "config").substr(0, kShortHash), std::to_string(static_cast<std::int64_t>(age)) + " s ago",
               lanes});
  }
  table.Print(std::cout, view.width);
  std::cout << '\n';
}

void PrintStatus(const View& view, const json::object& status, const json::array& routers, const json::array& sources,
                 const json::array& sinks, const json::array& problems) {
  const json::object& journal = ObjectAt(status, "journal");
  std::cout << "hookswitch " << Text(status, "version") << ", started " << view.Moment(status, "started_at") << '\n';
  PrintMember(std::cout, "config",
              Text(status, "config") + " (generation " + Text(status, "generation") + ", applied " +
                  view.Age(status, "applied_at") + ')');
  PrintMember(std::cout, "ingress", Text(status, "ingress"));
  PrintMember(std::cout, "admin", Text(status, "admin"));
  PrintMember(std::cout, "journal",
              Text(journal, "events") + " events, " + Text(journal, "pending") + " deliveries pending, " +
                  Size(journal, "bytes_on_disk") + " on disk");
  std::cout << '\n';
  PrintRouters(view, routers);
  Table table({{"SOURCE", 8}, {"LAST EVENT"}, {"EVENT"}});
  for (const auto& item : sources) {
    const json::object& source = item.as_object();
    table.Add({Text(source, "source"), view.Age(source, "last_event_at"), Text(source, "last_event")});
  }
  table.Print(std::cout, view.width);
  std::cout << '\n';
  PrintSinks(std::cout, view, sinks);
  std::cout << '\n';
  PrintProblems(view, problems);
}

}  // namespace

int ShowStatus(const Options& options) {
  auto client = AdminClient::Make(options);
  if (!client) return Fail(client.error().message);
  const auto status = client->Get("/api/v1/status");
  if (!status) return Fail(status.error().message);
  const auto lanes = client->Get("/api/v1/sinks");
  if (!lanes) return Fail(lanes.error().message);
  auto sources = SourcesOf(*client, *status);
  if (!sources) return Fail(sources.error().message);
  // An older router does not know of others, and one whose database is away cannot ask.
  const auto cluster = client->Get("/api/v1/cluster");
  const json::object others = cluster ? *cluster : json::object();
  const json::array& routers = ListAt(others, "routers");
  const json::array& sinks = ListAt(*lanes, "sinks");
  const json::array& problems = ListAt(*status, "problems");
  if (options.format == Format::kJson) {
    json::object all = *status;
    all["sources"] = std::move(*sources);
    all["sinks"] = sinks;
    all["routers"] = routers;
    std::cout << ToText(all) << '\n';
  } else {
    PrintStatus(client->ViewOf(options), *status, routers, *sources, sinks, problems);
  }
  return problems.empty() ? kFine : kProblems;
}

}  // namespace hookswitch::cli
