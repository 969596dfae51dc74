#pragma once
#include <chrono>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/app/generation.h"
#include "core/base/result.h"

/// One function per command of `hookswitch`; each prints to stdout (its result) and stderr (what went wrong) and
/// returns the exit code.
namespace hookswitch::cli {

inline constexpr int kFine = 0;
inline constexpr int kProblems = 1;
inline constexpr int kUsage = 2;

/// Prints why a command failed; returns `exit_code`.
int Fail(const std::string& why, int exit_code = kProblems);

enum class Format { kText, kJson };

/// Options that several commands share; each reads what it needs.
struct Options {
  std::filesystem::path program;  ///< this program's own file
  std::string config;             ///< -c
  std::string env_file;           ///< --env-file: "" is none
  bool no_secrets = false;        ///< --no-secrets
  Format format = Format::kText;
  std::string source;                ///< --source
  std::string event;                 ///< --event: a file, or "-" for stdin
  std::vector<std::string> headers;  ///< --header: 'Name: value'
  std::string content_type;          ///< --content-type
  bool explain_mapping = false;      ///< --explain-mapping
  std::string at;                    ///< --at: RFC 3339; "" is now
  std::string sink;                  ///< --sink
  std::string until;                 ///< --until: when a pause ends, as given
  std::string reason;                ///< --because
  std::string journal;               ///< --file of backup: the journal
  std::string url;                   ///< --url: where a running router's admin listener is; "" reads it from the config
  bool allow_changes = false;        ///< --allow-changes
  bool show_bodies = false;          ///< --show-bodies
  std::string from, to;              ///< --from, --to: a journal's path or URL
  std::string schema;                ///< --schema: of such a URL
  bool give_up = false;              ///< --give-up
  std::string file;                  ///< a plugin's name or file; a journal; where a backup goes
  std::string with;                  ///< --with: a file with a plugin's config
  std::string cases;                 ///< --cases: a folder
  bool wide = false;                 ///< --wide
  bool all = false;                  ///< --all: every router that shares the journal
  bool now = false;                  ///< --now
  bool update = false;               ///< --update
  bool core_dumps = false;           ///< --core-dumps
  bool sanitize = false;             ///< --sanitize
  std::string name;                  ///< of a new plugin, or of a platform
  std::string kind = "http";         ///< --kind: http or call
  std::string language = "cpp";      ///< --lang: cpp or c
  std::vector<std::string> files;    ///< of cases
  std::string shell;                 ///< bash, zsh or fish
  std::string listen = "127.0.0.1:9000";  ///< --listen of plugin receive
  int answer = 200;                       ///< --answer: an HTTP status
  int count = 0;            ///< --count: requests, or pictures, until it ends; --calls: calls; 0: it does not end
  bool no_network = false;  ///< --no-network
  bool watch = false;       ///< --watch
  std::chrono::milliseconds every{1000};  ///< --every: between two pictures
  /// Of the environment: the token for the admin listener. Without it the config's is taken.
  const char* token_variable = "HOOKSWITCH_ADMIN_TOKEN";
  bool to_slack = false;  ///< --to-slack
};

// serve.cpp
int Serve(const Options& options);

// demo.cpp
int Demo(const Options& options);

// offline.cpp: commands that read the config and need no router
int Check(const Options& options);
int RouteEvent(const Options& options);
int Preview(const Options& options);
int SendTest(const Options& options);
/// test_cases.cpp
int TestCases(const Options& options);
int Schema(const Options& options);

// remote.cpp: commands that send requests to a running router
int Reload(const Options& options);
int ListSinks(const Options& options);
int ShowSink(const Options& options);
int PauseSink(const Options& options);
int ResumeSink(const Options& options);

// doctor.cpp
int Doctor(const Options& options);

// status.cpp
int ShowStatus(const Options& options);

// mcp.cpp
int Mcp(const Options& options);

// journal_commands.cpp: commands for the journal itself, beside a running router or without one
int Backup(const Options& options);
int VerifyTheJournal(const Options& options);
/// Needs that no router uses them.
int CopyTheJournal(const Options& options);

// plugin_commands.cpp
int PluginList(const Options& options);
int PluginInspect(const Options& options);

// source_commands.cpp
int SourceList(const Options& options);
int SourceShow(const Options& options);

// plugin_check.cpp
int PluginCheck(const Options& options);

// plugin_new.cpp
int PluginNew(const Options& options);

// plugin_receive.cpp
int PluginReceive(const Options& options);

/// Prints problems to stderr as text, and a line that counts them, or to stdout as JSON.
void Print(std::span<const config::Problem> problems, Format format);

/// Runs `run` with the plugins that the config names, or those beside the program.
int WithPlugins(const Options& options, int (*run)(const Options&, PluginHost&));
/// The file of a plugin, by its name or path. Error: kNotFound.
Result<std::filesystem::path> FindPlugin(const PluginHost& plugins, const std::string& name_or_path);

/// A plugin host for commands. `config` may be nullptr: then it uses the plugins beside the program.
std::unique_ptr<PluginHost> PluginsFor(const config::Config* config, const std::filesystem::path& program);

}  // namespace hookswitch::cli
