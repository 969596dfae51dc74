#include "core/cli/cli.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <system_error>
#include <vector>

#include "core/base/text.h"
#include "core/base/time_text.h"
#include "core/base/version.h"
#include "core/cli/command_table.h"
#include "core/cli/commands.h"
#include "core/cli/help_text.h"
#include "core/cli/history_commands.h"
#include "core/cli/man_pages.h"
#include "core/cli/sink_watch.h"
#include "core/cli/tail.h"

namespace hookswitch::cli {
namespace {

// Not CLI11's envname: it applies the variable for each command that has the option, and so overrides what was typed.
std::string FromEnvironment(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value && *value ? value : otherwise;
}

void AddConfig(CLI::App* command, Options& options) {
  command
      ->add_option("-c,--config", options.config,
                   "the config file; the default is $HOOKSWITCH_CONFIG, then /etc/hookswitch/hookswitch.yaml")
      ->type_name("FILE");
}

void AddEnvFile(CLI::App* command, Options& options) {
  command
      ->add_option("--env-file", options.env_file,
                   "variables for {env: NAME}, as systemd's EnvironmentFile= reads them, before the environment's "
                   "own; the default is $HOOKSWITCH_ENV_FILE")
      ->type_name("FILE");
}

void AddNoSecrets(CLI::App* command, Options& options) {
  command->add_flag("--no-secrets", options.no_secrets, "a secret that is not there is no error");
}

void AddFormat(CLI::App* command, Options& options) {
  command
      ->add_option_function<std::string>(
          "--format",
          [&options](const std::string& name) { options.format = name == "json" ? Format::kJson : Format::kText; },
          "how to print the result")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"text", "json"}))
      ->default_str("text");
}

// Signatures are not checked, so no header is needed but those that a mapping reads.
void AddHeaders(CLI::App* command, Options& options) {
  command
      ->add_option("--header", options.headers,
                   "a header of the request, 'Name: value'; may be given again. '?: name=value' is its query")
      ->type_name("HEADER")
      ->allow_extra_args(false);
  command
      ->add_option("--content-type", options.content_type,
                   "what the payload is; the default is by .json or .form, else by its first byte")
      ->type_name("TYPE");
}

void AddEvent(CLI::App* command, Options& options) {
  AddConfig(command, options);
  AddEnvFile(command, options);
  AddNoSecrets(command, options);
  AddFormat(command, options);
  command->add_option("--source", options.source, "the source the event comes from; needed if there are several")
      ->type_name("NAME");
  command->add_option("--event", options.event, "a file with the payload as the platform posts it; - reads stdin")
      ->type_name("FILE")
      ->required();
  AddHeaders(command, options);
  command->add_option("--at", options.at, "when it is received, e.g. 2026-03-04T09:02:03Z; the default is now")
      ->type_name("TIME");
  command->add_flag("--now", options.now,
                    "judge schedules by when it is received, also where the event has a time of its own");
}

void AddWide(CLI::App* command, Options& options) {
  command->add_flag("-w,--wide", options.wide, "every column as wide as it gets, as when it is piped");
}

void AddRemote(CLI::App* command, Options& options) {
  AddConfig(command, options);
  AddEnvFile(command, options);
  AddFormat(command, options);
  const auto problem = [](const std::string& url) {
    const bool is_address = url.starts_with("http://") || url.starts_with("https://") || url.starts_with("unix:/");
    return is_address ? "" : '"' + url + "\" is neither http://HOST:PORT nor unix:/PATH";
  };
  command
      ->add_option(
          "--url", options.url,
          "the admin listener: http://127.0.0.1:8001 or unix:/run/hookswitch/admin.sock; the default is the config's")
      ->type_name("URL")
      ->check(CLI::Validator(problem, ""));
}

}  // namespace

int Main(int argc, char** argv) {
  Options options;
  options.config = FromEnvironment("HOOKSWITCH_CONFIG", "/etc/hookswitch/hookswitch.yaml");
  options.env_file = FromEnvironment("HOOKSWITCH_ENV_FILE", "");
  std::error_code ignored;
  options.program = std::filesystem::read_symlink("/proc/self/exe", ignored);
  // The child process that inspects a plugin file; internal, so it is not in --help.
  if (argc == 3 && std::string_view(argv[1]) == "plugin-inspect-child") InspectChildMain(argv[2]);

  CLI::App app{"hookswitch: from voice-call webhooks to the people who should know"};
  app.set_version_flag("--version", "hookswitch " + std::string(kVersion));
  app.require_subcommand(1);
  int exit_code = kFine;
  auto command = [&](CLI::App& parent, const char* name, const char* help, auto run) {
    CLI::App* added = parent.add_subcommand(name, help);
    added->callback([&exit_code, &options, run] { exit_code = run(options); });
    return added;
  };

  CLI::App* serve = command(app, "serve", "run the router in the foreground; JSON log lines on stderr", Serve);
  AddConfig(serve, options);
  AddEnvFile(serve, options);
  serve->add_flag("--core-dumps", options.core_dumps,
                  "let a crash leave a core file, which holds the sinks' tokens; without it none is written");
  CLI::App* demo = command(app, "demo",
                           "try it: a router, a stand-in for Slack and made-up calls on this machine, and the URL of "
                           "the inspector; leaves nothing behind",
                           Demo);
  demo->add_option("--calls", options.count,
                   "end after so many calls, when their messages are delivered; without it, at Ctrl-C")
      ->check(CLI::Range(1, 1000));
  demo->add_flag("--to-slack", options.to_slack,
                 "send to the Slack webhook in $SLACK_WEBHOOK_URL instead of the stand-in");
  CLI::App* check =
      command(app, "check", "validate the config, its plugins and templates; every problem at once", Check);
  AddConfig(check, options);
  AddEnvFile(check, options);
  AddNoSecrets(check, options);
  AddFormat(check, options);
  CLI::App* route = command(app, "route", "read one payload and explain, rule by rule, where it would go", RouteEvent);
  AddEvent(route, options);
  route->add_flag("--explain-mapping", options.explain_mapping,
                  "say which part of the payload gave which field of the event, and which fields nothing gave");
  CLI::App* preview = command(app, "preview", "print exactly what each sink would send for one payload", Preview);
  AddEvent(preview, options);
  preview->add_option("--sink", options.sink, "only this sink, whether a rule names it or not")->type_name("NAME");
  CLI::App* test = command(app, "test", "run cases kept as data: events, and where they have to go", TestCases);
  AddConfig(test, options);
  AddEnvFile(test, options);
  AddNoSecrets(test, options);
  AddFormat(test, options);
  AddHeaders(test, options);
  test->add_option("cases", options.files, "files with cases")->type_name("FILE")->required();
  CLI::App* send_test = command(
      app, "send-test", "send one message, marked as a test, through the real sink, and explain a failure", SendTest);
  AddConfig(send_test, options);
  AddEnvFile(send_test, options);
  AddFormat(send_test, options);
  send_test->add_option("--sink", options.sink, "the sink to test")->type_name("NAME")->required();
  AddConfig(command(app, "schema", "print the JSON Schema of the config, plugins' own config included", Schema),
            options);

  CLI::App* doctor =
      command(app, "doctor",
              "look for what is wrong: config, plugins, journal, disk, clock, where sinks send to, whether "
              "senders reach the router, the usual mistakes",
              Doctor);
  AddRemote(doctor, options);
  doctor->add_flag("--no-network", options.no_network, "ask nobody but this machine");

  CLI::App* status =
      command(app, "status", "one screen of a running router; exit 1 if anything needs attention", ShowStatus);
  AddRemote(status, options);
  AddWide(status, options);
  CLI::App* reload =
      command(app, "reload", "make a running router read its config again, and wait for the result", Reload);
  AddRemote(reload, options);
  reload->add_flag("--all", options.all, "also every other router that shares its journal, without waiting for them");
  CLI::App* sinks = app.add_subcommand("sinks", "list, show, pause or resume the sinks of a running router");
  sinks->callback([&exit_code, &options, sinks] {
    // Also called after pause and resume, whose result counts then.
    if (sinks->get_subcommands().empty()) exit_code = options.watch ? WatchSinks(options) : ListSinks(options);
  });
  AddRemote(sinks, options);
  AddWide(sinks, options);
  CLI::Option* watch = sinks->add_flag("--watch", options.watch, "show them again and again, with their last hour");
  sinks
      ->add_option_function<std::string>(
          "--every", [&options](const std::string& text) { options.every = *ParseDuration(text); },
          "how long a picture stays: 5s")
      ->type_name("TIME")
      ->check(CLI::Validator(
          [](const std::string& text) {
            const auto every = ParseDuration(text);
            return every && every->count() > 0 ? "" : '"' + text + "\" is no time such as 5s";
          },
          ""))
      ->needs(watch)
      ->default_str("1s");
  sinks->add_option("--count", options.count, "end after so many pictures; without it, at Ctrl-C")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000))
      ->needs(watch);
  CLI::App* show = command(*sinks, "show", "a sink, what waits for it, and the places that refuse", ShowSink);
  CLI::App* pause = command(*sinks, "pause", "hold a sink's deliveries", PauseSink);
  pause
      ->add_option("--until", options.until,
                   "when the pause ends by itself: 2h, 18:00 (in defaults.timezone), or RFC 3339")
      ->type_name("TIME");
  pause->add_option("--because", options.reason, "why, for those who see it paused")->type_name("TEXT");
  CLI::App* resume = command(*sinks, "resume", "end a pause, and say whether the sink works", ResumeSink);
  for (CLI::App* verb : {show, pause, resume}) {
    verb->add_option("name", options.sink, "the sink's name")->type_name("NAME")->required();
    AddRemote(verb, options);
  }

  AddHistoryCommands(
      app, options,
      [&](CLI::App* added) {
        AddRemote(added, options);
        AddWide(added, options);
      },
      exit_code);
  AddTail(
      app, options, [&](CLI::App* added) { AddRemote(added, options); }, exit_code);
  CLI::App* mcp =
      command(app, "mcp", "the admin API for assistants, on stdin and stdout (Model Context Protocol)", Mcp);
  AddRemote(mcp, options);
  mcp->add_flag("--allow-changes", options.allow_changes,
                "tools that change something, too: replay, purge, pause, resume, test, reload");
  mcp->add_flag("--show-bodies", options.show_bodies, "with what callers said, who was called and what was sent");
  CLI::App* backup = command(app, "backup", "copy the journal while the router runs", Backup);
  AddConfig(backup, options);
  backup->add_option("--file", options.journal, "the journal; the default is the config's")->type_name("FILE");
  backup->add_option("target", options.file, "the file to write; it must not exist")->type_name("FILE")->required();
  CLI::App* journal = app.add_subcommand("journal", "look after the journal, move it");
  journal->require_subcommand(1);
  CLI::App* verify =
      command(*journal, "verify", "read everything in the journal and name what is damaged", VerifyTheJournal);
  AddConfig(verify, options);
  AddFormat(verify, options);
  verify->add_option("--file", options.file, "a journal; the default is the config's")->type_name("FILE");
  CLI::App* copy =
      command(*journal, "copy", "move the journal from a SQLite file to PostgreSQL, or back", CopyTheJournal);
  AddConfig(copy, options);
  AddEnvFile(copy, options);
  copy->add_option("--from", options.from, "the journal; the default is the config's")->type_name("FILE|URL");
  copy->add_option("--to", options.to, "where it goes; the default is the config's")->type_name("FILE|URL");
  copy->add_option("--schema", options.schema, "of the URL; the default is hookswitch")->type_name("NAME");
  copy->add_flag("--give-up", options.give_up, "end a copy that is not finished: routers may use --from again");

  CLI::App* source = app.add_subcommand("source", "look at the platforms that are built in");
  source->require_subcommand(1);
  AddFormat(command(*source, "list", "list the platforms, and how each signs its requests", SourceList), options);
  command(*source, "show", "print a platform's mapping as YAML, to start one's own from", SourceShow)
      ->add_option("name", options.name, "a type of sources, as `source list` names it")
      ->type_name("NAME")
      ->required();

  CLI::App* plugin = app.add_subcommand("plugin", "look at sink plugins, check one, begin one, try one");
  plugin->require_subcommand(1);
  CLI::App* list = command(*plugin, "list", "list the plugins that can be found", PluginList);
  AddConfig(list, options);
  AddFormat(list, options);
  CLI::App* inspect = command(*plugin, "inspect", "say what a plugin is and which config it takes", PluginInspect);
  inspect->add_option("plugin", options.file, "a name, or a path to a .so file")->type_name("PLUGIN")->required();
  AddConfig(inspect, options);
  AddFormat(inspect, options);
  CLI::App* promises = command(*plugin, "check", "check that a plugin keeps what every sink promises", PluginCheck);
  promises->add_option("plugin", options.file, "a name, or a path to a .so file; a call sink really delivers")
      ->type_name("PLUGIN")
      ->required();
  promises->add_option("--with", options.with, "a file with the plugin's config, YAML as below `config:`")
      ->type_name("FILE");
  CLI::Option* cases =
      promises->add_option("--cases", options.cases, "a folder with cases, *.json, to run as well")->type_name("DIR");
  promises->add_flag("--update", options.update, "write what came out into the cases, and check nothing")->needs(cases);
  promises->add_flag("--sanitize", options.sanitize,
                     "for a plugin that was built with -fsanitize=address: load the sanitizer's library first");
  AddConfig(promises, options);
  AddFormat(promises, options);
  CLI::App* fresh = command(*plugin, "new", "write a small project for a plugin of your own", PluginNew);
  fresh->add_option("name", options.name, "the plugin's name: what `plugin:` names in the config")
      ->type_name("NAME")
      ->required();
  fresh->add_option("--kind", options.kind, "http: says what to send; call: delivers itself")
      ->type_name("KIND")
      ->check(CLI::IsMember({"http", "call"}));
  fresh->add_option("--lang", options.language, "cpp or c")->type_name("LANGUAGE")->check(CLI::IsMember({"cpp", "c"}));
  CLI::App* receive =
      command(*plugin, "receive",
              "stand in for the service that an HTTP sink sends to: print what comes, and answer it", PluginReceive);
  receive->add_option("--listen", options.listen, "HOST:PORT")->type_name("ADDRESS")->capture_default_str();
  receive->add_option("--answer", options.answer, "the status of each answer")
      ->type_name("STATUS")
      ->check(CLI::Range(200, 599))
      ->capture_default_str();
  receive->add_option("--count", options.count, "end after so many requests; without it, at Ctrl-C")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000));

  CLI::App* completion = app.add_subcommand("completion", "print what makes a shell complete commands and options");
  completion->add_option("shell", options.shell, "bash, zsh or fish")
      ->type_name("SHELL")
      ->check(CLI::IsMember({"bash", "zsh", "fish"}))
      ->required();
  completion->callback([&app, &options] { std::cout << CompletionFor(options.shell, TableOf(app)); });
  AddHelpText(app);
  // What the build makes the manual from; internal, too.
  if (argc == 3 && std::string_view(argv[1]) == "man-pages") return WriteManPages(options, TableOf(app), argv[2]);

  std::vector<std::string> names;
  for (const CLI::App* known : app.get_subcommands({})) names.push_back(known->get_name());
  if (argc > 1 && argv[1][0] != '-' && std::find(names.begin(), names.end(), argv[1]) == names.end()) {
    const std::string near = Nearest(argv[1], names);
    std::cerr << "hookswitch: \"" << argv[1] << "\" is not a command"
              << (near.empty() ? std::string() : "; did you mean \"" + near + "\"?")
              << "\nhookswitch --help lists them\n";
    return kUsage;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kFine : kUsage;
  } catch (const std::exception& error) {
    std::cerr << "hookswitch: " << error.what() << '\n';
    return kProblems;
  }
  return exit_code;
}

}  // namespace hookswitch::cli
