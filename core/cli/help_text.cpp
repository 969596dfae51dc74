#include "core/cli/help_text.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string>
#include <string_view>

namespace hookswitch::cli {
namespace {

constexpr const char* kOfProgram =
    R"(Exit status:
  0  fine
  1  problems
  2  wrong usage, or a file that cannot be read

Environment:
  HOOKSWITCH_CONFIG  the config file, where -c is not given
  HOOKSWITCH_ENV_FILE  a file of variables, where --env-file is not given
  HOOKSWITCH_ADMIN_TOKEN  the token of the admin API; counts before the config's
  HOOKSWITCH_MCP_TOKEN  the token of `hookswitch mcp`, where it is set

Files:
  /etc/hookswitch/hookswitch.yaml  the config: hookswitch.yaml(5)
  /var/lib/hookswitch/journal.db  events and deliveries
  /usr/share/doc/hookswitch  README.md, config/README.md (the config), config/OPERATING.md (the admin API, metrics, logs, what happens when), examples)";

struct More {
  std::string_view command;  ///< "journal verify"
  const char* text;
};

constexpr More kOfCommands[] = {
    {"serve",
     R"(Signals:
  SIGHUP  reload the config; a broken one changes nothing
  SIGTERM, SIGINT  stop accepting, finish what is in flight, and exit 0; a second one exits at once with 1)"},
    {"check", R"(Exit status:
  0  fine
  1  problems; warnings alone are none
  2  the config cannot be read)"},
    {"test",
     R"(A file is a YAML list of {name, source, event, at, expect}. event is a payload as the platform posts it, or a file with one, relative to that of the cases; source may be left out where there is one. With at, schedules are judged by it, else by the event's own time. expect has the sinks that get the event, no others, in any order: a name, or {sink, rule, contains} with the rule that names it and a part of what it would send; [] is nobody.

In place of event a case may have a series of {at, event, set, times, every}: events at times from the start, run by a router of its own whose clock jumps. set replaces values by JSON pointer, where {n} counts the repetitions. expect then has the messages in order of time, as {at, sink, rule, contains}, and no others.

Exit status:
  0  every case comes out as it says
  1  some do not, or the config has errors
  2  the config or the cases cannot be read)"},
    {"send-test", "Needs no router. Exits 1 if the message was not delivered, and says why and what to do."},
    {"schema", "For editors: # yaml-language-server: $schema=FILE as the config's first line names a file with it."},
    {"doctor",
     R"(Each finding is ok, a note, a warning or a problem, with what to do. Destinations are connected to, and asked for HEAD / where they speak HTTP; no message is sent. As the router may see other variables than a shell, --env-file names its file.

Exit status:
  0  no problem
  1  problems
  2  the config cannot be read)"},
    {"status", R"(Exit status:
  0  nothing needs attention
  1  something does, or the router does not answer)"},
    {"reload", "Exits 1, with every problem, if nothing was changed."},
    {"sinks",
     "On a terminal --watch draws over what it drew; piped, one picture follows the other, and with --format json one "
     "line the other."},
    {"sinks resume", "Waits for the first outcome, and exits 1 if the sink still fails."},
    {"tail",
     R"(A line is an event, an attempt that ended, a request that was refused, a sink whose state changed, or a reload. What is given must all hold; a kind of line that does not have what is asked for is left out. When the connection is lost, it connects again and goes on with what it missed; "gap" says what it could not.

With --format json each line is {"kind","data"}, where data is as GET /api/v1/stream has it: all deliveries, and sinks whenever their numbers change.)"},
    {"events replay", "Names either one ID, or by options all that have something in common; --dry-run only counts."},
    {"deliveries replay",
     "Names either one ID, or by options all that have something in common; --dry-run only counts."},
    {"backup", "The copy has everything that was answered before it began."},
    {"journal verify", R"(Exit status:
  0  sound
  1  damage
  2  cannot be read)"},
    {"journal copy",
     R"(Stop the routers of both first. Events, deliveries (also those that wait), attempts and history go into an empty journal, with their ids; then everything is read again and compared. Until that is done no router starts on either; afterwards none starts on --from. Ended at any moment, the same command goes on.

A URL is postgres://user@host:5432/database; its password is better in the config, or in PGPASSWORD or ~/.pgpass. An end that is not named is the config's.

Exit status:
  0  moved
  1  not, or not yet
  2  not possible with these)"},
    {"plugin check", "Exits 1 if a promise is not kept, or a case does not come out as it says."},
    {"completion",
     R"(Where to put it:
  bash  ~/.local/share/bash-completion/completions/hookswitch
  zsh  _hookswitch, in a folder of $fpath
  fish  ~/.config/fish/completions/hookswitch.fish)"},
};

}  // namespace

void AddHelpText(CLI::App& program) {
  for (const auto& [path, text] : kOfCommands) {
    CLI::App* command = &program;
    std::string_view rest = path;
    while (!rest.empty()) {
      const auto end = std::min(rest.find(' '), rest.size());
      command = command->get_subcommand(std::string(rest.substr(0, end)));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    command->footer(text);
  }
  program.footer(kOfProgram);
}

}  // namespace hookswitch::cli
