#include "core/cli/tail.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <string>
#include <utility>

#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/cli/admin_client.h"
#include "core/cli/paint.h"
#include "core/cli/tail_filter.h"
#include "core/cli/tail_text.h"

namespace hookswitch::cli {
namespace {

struct Tailing {
  TailFilter::Given filter;
  std::string color = "auto";
  int count = 0;  ///< lines until it ends; 0: it does not end
};

/// The line that shows `message`; "" if it is not shown.
std::string LineFor(const Options& options, AdminClient& client, const EventStreamParser::Message& message,
                    const json::object& data, TailText& text) {
  if (options.format == Format::kText) return text.Line(client.ViewOf(options), message.event, data);
  return ToText(json::object{{"kind", message.event}, {"data", data}});
}

int Tail(const Options& options, Tailing tailing) {
  auto client = AdminClient::Make(options);
  if (!client) return Fail(client.error().message);
  tailing.filter.more_agents = client->AgentNames(tailing.filter.agent);
  const auto filter = TailFilter::Make(std::move(tailing.filter));
  if (!filter) return Fail(filter.error().message, kUsage);
  TailText text(Paint(WantsColour(tailing.color)));
  int left = tailing.count;
  bool has_begun = false;
  const Status followed = client->Follow(
      "/api/v1/stream?kinds=" + filter->kinds(),
      [&](const EventStreamParser::Message& message) {
        json::error_code error;
        const json::value data = json::parse(message.data, error);
        if (message.event == "hello" && !std::exchange(has_begun, true)) {
          std::cerr << "following " << client->where() << "; Ctrl-C ends it" << std::endl;
        }
        if (error || !data.is_object() || message.event == "hello") return true;
        if (!filter->Wants(message.event, data.get_object())) return true;
        const std::string line = LineFor(options, *client, message, data.get_object(), text);
        if (line.empty()) return true;
        std::cout << line << std::endl;
        return static_cast<bool>(std::cout) && (tailing.count == 0 || --left > 0);
      },
      [](const std::string& reason) {
        std::cerr << "hookswitch: " << (reason.empty() ? "connected again" : reason + " Trying again.") << std::endl;
      });
  return followed ? kFine : Fail(followed.error().message);
}

}  // namespace

void AddTail(CLI::App& program, const Options& options, const std::function<void(CLI::App*)>& add_remote,
             int& exit_code) {
  CLI::App* tail = program.add_subcommand("tail", "follow what a running router receives, sends and refuses");
  add_remote(tail);
  const auto tailing = std::make_shared<Tailing>();
  TailFilter::Given& filter = tailing->filter;
  tail->add_option("--kind", filter.kinds, "only these: event, delivery, refused, sink, reload; several with commas")
      ->type_name("KIND")
      ->delimiter(',')
      ->check(CLI::IsMember({"event", "delivery", "refused", "sink", "reload"}));
  tail->add_option("--agent", filter.agent, "events and deliveries of this agent: its id, its name, or a glob")
      ->type_name("AGENT");
  tail->add_option("--status", filter.status,
                   "events and deliveries of calls with this status, or of a group: ended, terminal, unsuccessful")
      ->type_name("STATUS");
  tail->add_option("--call-id", filter.call_id, "events and deliveries of this call")->type_name("ID");
  tail->add_option("--source", filter.source, "events and refused requests of this source")->type_name("NAME");
  tail->add_option("--sink", filter.sink, "this sink, deliveries to it, and their events")->type_name("NAME");
  tail->add_option("--rule", filter.rule, "deliveries by this rule, and their events")->type_name("NAME");
  tail->add_option("--state", filter.states,
                   "deliveries in these states: pending, held, delivered, dead, canceled, fell_back")
      ->type_name("STATE")
      ->delimiter(',')
      ->check(CLI::IsMember({"pending", "held", "delivered", "dead", "canceled", "fell_back"}));
  tail->add_option("--count", tailing->count, "end after so many lines; without it, at Ctrl-C")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000));
  tail->add_option("--color", tailing->color, "auto: colours on a terminal, unless NO_COLOR is set")
      ->type_name("WHEN")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->default_str("auto");
  tail->callback([&options, &exit_code, tailing] { exit_code = Tail(options, *tailing); });
}

}  // namespace hookswitch::cli
