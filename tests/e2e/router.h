#pragma once
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/e2e/process.h"
#include "tests/fakes/fake_slack.h"
#include "tests/fakes/raw_client.h"

namespace hookswitch::e2e {

using fakes::FakeSlack;
using fakes::RawAnswer;
using fakes::RawClient;
using fakes::SlackBehaviour;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// The path of the program under test, and of the bundled plugins.
std::string Program();
std::string PluginFolder();

// The paths of two webhooks of the fake Slack.
inline constexpr std::string_view kOps = "/services/T0/B0/x1";
inline constexpr std::string_view kOncall = "/services/T0/B0/x2";

/// A config for a router in `dir`: a Bolna source, Slack sinks that point at a FakeSlack, one rule that sends
/// everything that ended to all of them. Change what a test is about, then Write().
class RouterConfig {
 public:
  explicit RouterConfig(const TempDir& dir)
      : journal("{path: " + (dir / "journal.db") + "}"), plugin_paths(PluginFolder()), dir_(dir) {}

  /// Adds a Slack sink; `more` are further lines of it ("retry: {…}"). The webhook URL stands in a file of its own.
  RouterConfig& Slack(const std::string& name, const std::string& url, std::vector<std::string> more = {});
  /// Writes DIR/hookswitch.yaml and returns its path.
  std::string Write() const;
  std::string Text() const;
  std::string Path() const { return dir_ / "hookswitch.yaml"; }

  std::string source = "{type: bolna, path: /bolna/webhook}";
  std::string server = "{listen: \"127.0.0.1:0\"}";
  std::string admin = "{listen: \"127.0.0.1:0\"}";
  std::string journal;
  std::string plugin_paths;
  std::string sinks;  ///< YAML lines, indented by two
  std::string rules;  ///< YAML lines; empty: everything to every Slack sink
  std::string more;   ///< further top-level YAML

 private:
  const TempDir& dir_;
  std::vector<std::string> names_;
};

/// A body as Bolna posts it. `changes` overwrite top-level keys of a completed call.
std::string Call(std::string_view id, const json::object& changes = {});
/// "00000000-0000-4000-8000-00000000002a" for 42: easy to find again in a message.
std::string CallId(std::size_t number);
/// The number of the CallId in `text`, or empty.
std::optional<std::size_t> CallNumberIn(std::string_view text);

/// A running `hookswitch serve`. A router that does not come up fails the test and leaves Ready() false.
class Router {
 public:
  /// `launcher`: what starts the program, given as its further arguments.
  explicit Router(const std::string& config_path, const std::vector<std::string>& environment = {},
                  std::vector<std::string> launcher = {});

  bool Ready() const { return ingress_ != 0; }
  std::uint16_t Ingress() const { return ingress_; }
  std::uint16_t Admin() const { return admin_; }
  Child& Process() { return child_; }

  RawAnswer Post(std::string_view body, const fakes::HeaderList& headers = {},
                 std::string_view path = "/bolna/webhook") const;
  // Of the admin listener; what it answers must be documented (core/admin/openapi.json).
  RawAnswer Get(std::string_view admin_path) const;
  RawAnswer PostAdmin(std::string_view admin_path, std::string_view body = {}) const;
  /// The body once `text` is in it, or as it is after 20 s. What is logged is shown a moment later: a delivery when it
  /// is committed, a sink when its next snapshot is published.
  std::string GetWith(std::string_view text, std::string_view admin_path) const;
  /// Waits for a log line with this event name.
  std::optional<std::string> WaitForEvent(std::string_view event, milliseconds timeout = seconds(20)) const;
  [[nodiscard]] bool WaitForEvents(std::string_view event, std::size_t count, milliseconds timeout = seconds(20)) const;
  std::string Log() const;
  /// Resident memory in bytes.
  std::size_t Rss() const;
  /// The most it has been.
  std::size_t PeakRss() const;
  std::size_t Threads() const;
  /// User and system time so far.
  milliseconds CpuTime() const;

  /// SIGTERM, then the exit code.
  std::optional<int> Stop(milliseconds timeout = seconds(30));
  void Kill();

 private:
  Child child_;
  std::uint16_t ingress_ = 0, admin_ = 0;
};

}  // namespace hookswitch::e2e
