#include "core/cli/history_commands.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <map>
#include <memory>
#include <utility>

#include "core/base/encoding.h"
#include "core/cli/admin_client.h"
#include "core/cli/history_text.h"
#include "core/cli/printing.h"

namespace hookswitch::cli {
namespace {

constexpr std::size_t kMostPerPage = 1000;

// The options of `events` and `deliveries`.
struct Selection {
  std::map<std::string, std::string> filter;  ///< keys of the admin API
  std::string id;
  std::size_t limit = 50;
  bool all = false, dry_run = false, refused = false, unmask = false;
};

using Run = std::function<int(const Options& options, const Selection& selection)>;

// Follows the cursors of `list` ("events", "deliveries") until there are enough items.
int List(const Options& options, const Selection& selection, const std::string& list,
         void (*print)(std::ostream& out, const View& view, const json::array& items)) {
  auto client = AdminClient::Make(options);
  if (!client) return Fail(client.error().message);
  std::string target = "/api/v1/" + list + '?';
  for (const auto& [name, value] : selection.filter) target += name + '=' + PercentEncoded(value) + '&';
  json::array items;
  json::value cursor;
  std::string unknown;
  do {
    std::string page = target + "limit=" + std::to_string(std::min(selection.limit - items.size(), kMostPerPage));
    if (cursor.is_string()) page += "&cursor=" + PercentEncoded(cursor.get_string());
    const auto reply = client->Send("GET", page);
    if (!reply) return Fail(reply.error().message);
    if (!reply->ok()) return Refused(*reply);
    const json::value* part = reply->body.if_contains(list);
    const json::value* next = reply->body.if_contains("cursor");
    if (!part || !part->is_array() || !next) return Fail("not an answer of hookswitch");
    items.insert(items.end(), part->get_array().begin(), part->get_array().end());
    cursor = *next;
    unknown = Text(reply->body, "unknown");
  } while (cursor.is_string() && items.size() < selection.limit);
  if (items.empty() && unknown != "-") return Fail(unknown);
  if (options.format == Format::kJson) {
    std::cout << ToText(json::object{{list, std::move(items)}, {"cursor", std::move(cursor)}}) << '\n';
    return kFine;
  }
  if (items.empty()) {
    std::cerr << "no " << (selection.refused ? "refused requests" : list) << " match\n";
    return kFine;
  }
  print(std::cout, client->ViewOf(options), items);
  if (cursor.is_string()) std::cerr << "there are more; --limit shows them\n";
  return kFine;
}

int Show(const Options& options, const Selection& selection, const std::string& list,
         void (*print)(std::ostream& out, const View& view, const json::object& item)) {
  std::string target = "/api/v1/" + list + '/' + PathSegment(selection.id);
  if (selection.unmask) target += "/unmask";
  return SendAndPrint(options, selection.unmask ? "POST" : "GET", target, {},
                      [print](const json::object& item, const View& view) { print(std::cout, view, item); });
}

int ShowEvent(const Options& options, const Selection& selection) {
  return Show(options, selection, "events", PrintEvent);
}

int ShowDelivery(const Options& options, const Selection& selection) {
  return Show(options, selection, "deliveries", PrintDelivery);
}

constexpr const char* kOneOrMany = "give either one ID or what is meant by options";

/// The filter of a replay or purge as the body of its request.
std::string BulkBody(const Selection& selection) {
  json::object body;
  for (const auto& [name, value] : selection.filter) body[name] = value;
  if (selection.all) body["all"] = true;
  if (selection.dry_run) body["dry_run"] = true;
  return ToText(body);
}

int ReplayEvents(const Options& options, const Selection& selection) {
  if (selection.id.empty()) {
    return SendAndPrint(options, "POST", "/api/v1/events/replay", BulkBody(selection),
                        [](const json::object& answer, const View&) { PrintEventReplay(std::cout, answer); });
  }
  if (!selection.filter.empty() || selection.all || selection.dry_run) return Fail(kOneOrMany, kUsage);
  return SendAndPrint(options, "POST", "/api/v1/events/" + PathSegment(selection.id) + "/replay", {},
                      [](const json::object& answer, const View&) {
                        std::cout << "routed again by the current rules:" << JoinedIds(answer) << '\n';
                      });
}

int Bulk(const Options& options, const Selection& selection, const std::string& verb) {
  return SendAndPrint(options, "POST", "/api/v1/deliveries/" + verb, BulkBody(selection),
                      [&](const json::object& answer, const View&) { PrintBulk(std::cout, verb, answer); });
}

int ReplayDeliveries(const Options& options, const Selection& selection) {
  if (selection.id.empty()) return Bulk(options, selection, "replay");
  if (!selection.filter.empty() || selection.all || selection.dry_run) return Fail(kOneOrMany, kUsage);
  return SendAndPrint(
      options, "POST", "/api/v1/deliveries/" + PathSegment(selection.id) + "/replay", {},
      [](const json::object& answer, const View&) { std::cout << Text(answer, "id") << ": is tried again\n"; });
}

int PurgeDeliveries(const Options& options, const Selection& selection) {
  return Bulk(options, selection, "purge");
}

int ListEvents(const Options& options, const Selection& selection) {
  if (selection.refused) {
    for (const auto& [key, value] : selection.filter) {
      if (key != "source") return Fail("--refused goes with --source and --limit only, not with " + key, kUsage);
    }
    return List(options, selection, "refused", PrintRefused);
  }
  return List(options, selection, "events", PrintEvents);
}

int ListDeliveries(const Options& options, const Selection& selection) {
  return List(options, selection, "deliveries", PrintDeliveries);
}

/// Adds commands that share their options.
class Adder {
 public:
  Adder(const Options& options, const std::function<void(CLI::App*)>& add_remote, int& exit_code)
      : options_(options), add_remote_(add_remote), exit_code_(exit_code) {}

  CLI::App* Add(CLI::App& parent, const char* name, const char* help, Run run) {
    CLI::App* command = parent.add_subcommand(name, help);
    add_remote_(command);
    // A command that lists has subcommands; it is called after them, and their result counts then.
    command->callback(
        [command, run = std::move(run), &options = options_, &exit_code = exit_code_, selection = selection_] {
          if (command->get_subcommands().empty()) exit_code = run(options, *selection);
        });
    own_options_from_[command] = command->get_options().size();
    // An option before the command's name would seem to apply to it: with --limit, a purge of everything.
    command->preparse_callback([command, &parent, from = own_options_from_[&parent]](std::size_t) {
      const auto options = parent.get_options();
      const auto given = std::find_if(options.begin() + from, options.end(), [](auto* one) { return !one->empty(); });
      if (from != 0 && given != options.end()) {
        throw CLI::ArgumentMismatch((*given)->get_name() + " stands before " + command->get_name() +
                                    ": an option comes after the command that it is for");
      }
    });
    return command;
  }
  void AddId(CLI::App* command, const char* help, bool required = true) {
    command->add_option("id", selection_->id, help)->type_name("ID")->required(required);
  }
  void AddFilter(CLI::App* command, const char* option, const char* key, const char* value_name, const char* help) {
    command
        ->add_option_function<std::string>(
            option, [selection = selection_, key](const std::string& value) { selection->filter[key] = value; }, help)
        ->type_name(value_name);
  }
  void AddSearch(CLI::App* command) {
    AddFilter(command, "--search", "search", "TEXT",
              "found by words, agent:sales, status:failed, duration:>2m … (OPERATING.md)");
  }
  void AddLimit(CLI::App* command) {
    command->add_option("--limit", selection_->limit, "at most so many, newest first")
        ->type_name("N")
        ->check(CLI::Range(std::size_t{1}, std::size_t{1'000'000}))
        ->default_str("50");
  }
  void AddRefused(CLI::App* command) {
    command->add_flag("--refused", selection_->refused, "the requests that were refused, and why, instead of events");
  }
  void AddUnmask(CLI::App* command) {
    command->add_flag("--unmask", selection_->unmask,
                      "also what inspector.bodies: masked withholds; the router keeps that somebody asked");
  }
  void AddBulk(CLI::App* command) {
    command->add_flag("--all", selection_->all, "whatever sink, rule and call they are of");
    command->add_flag("--dry-run", selection_->dry_run, "only say how many they are");
  }
  void AddEventFilters(CLI::App* command) {
    AddFilter(command, "--agent", "agent", "AGENT", "of this agent: its id, its name, or a glob");
    AddFilter(command, "--status", "status", "STATUS",
              "of calls with this status, or of a group: ended, terminal, unsuccessful");
    AddFilter(command, "--call-id", "call_id", "ID", "of this call");
    AddFilter(command, "--source", "source", "NAME", "of this source");
    AddFilter(command, "--since", "since", "TIME", "from then on: 2h ago, or 2026-03-04T09:02:03Z");
    AddFilter(command, "--until", "until", "TIME", "before then");
  }
  void AddDeliveryFilters(CLI::App* command, const char* states) {
    AddFilter(command, "--state", "state", "STATE", states);
    AddFilter(command, "--sink", "sink", "NAME", "to this sink");
    AddFilter(command, "--rule", "rule", "NAME", "by this rule");
    AddFilter(command, "--event", "event", "ID", "of this event");
    AddEventFilters(command);
  }

 private:
  const Options& options_;
  const std::function<void(CLI::App*)>& add_remote_;
  int& exit_code_;
  const std::shared_ptr<Selection> selection_ = std::make_shared<Selection>();
  /// Where each command's own options begin; those before are shared by all commands.
  std::map<const CLI::App*, std::size_t> own_options_from_;
};

}  // namespace

void AddHistoryCommands(CLI::App& program, const Options& options, const std::function<void(CLI::App*)>& add_remote,
                        int& exit_code) {
  Adder adder(options, add_remote, exit_code);
  CLI::App* events = adder.Add(program, "events", "list, show or replay the events of a running router", ListEvents);
  adder.AddEventFilters(events);
  adder.AddSearch(events);
  adder.AddRefused(events);
  adder.AddLimit(events);
  CLI::App* event = adder.Add(*events, "show", "an event, how it is read and routed, and what became of it", ShowEvent);
  adder.AddId(event, "the event's id");
  adder.AddUnmask(event);
  CLI::App* again =
      adder.Add(*events, "replay", "route one event again by the current rules, or all that have something in common",
                ReplayEvents);
  adder.AddId(again, "the event's id", false);
  adder.AddEventFilters(again);
  adder.AddSearch(again);
  adder.AddBulk(again);

  CLI::App* deliveries = adder.Add(program, "deliveries",
                                   "list, show, replay or purge the deliveries of a running router", ListDeliveries);
  adder.AddDeliveryFilters(deliveries, "pending, held, delivered, dead, canceled, fell_back; several with commas");
  adder.AddLimit(deliveries);
  CLI::App* delivery = adder.Add(*deliveries, "show", "a delivery and each attempt at it", ShowDelivery);
  adder.AddId(delivery, "the delivery's id");
  adder.AddUnmask(delivery);
  CLI::App* replay = adder.Add(*deliveries, "replay", "try one delivery again, or all that have something in common",
                               ReplayDeliveries);
  adder.AddId(replay, "the delivery's id", false);
  adder.AddDeliveryFilters(replay, "dead (default), canceled, delivered, fell_back; several with commas");
  adder.AddBulk(replay);
  CLI::App* purge = adder.Add(*deliveries, "purge", "cancel deliveries that have something in common", PurgeDeliveries);
  adder.AddDeliveryFilters(purge, "dead (default), pending, held; several with commas");
  adder.AddBulk(purge);
}

}  // namespace hookswitch::cli
