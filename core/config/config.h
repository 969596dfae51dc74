#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/ip_address.h"
#include "core/base/secret.h"
#include "core/base/token_bucket.h"
#include "core/config/node.h"
#include "core/config/problem.h"
#include "core/config/verify_config.h"
#include "core/event/call_event.h"
#include "core/event/outcome.h"

/// The config as typed values, with every default filled in; only the loader knows the defaults. Positions (`Mark
/// where`) are kept for problems found by higher layers.
namespace hookswitch::config {

using std::chrono::milliseconds;

/// host:port; `port` 0 picks a free one. An IPv6 host has no brackets here. A unix socket is "unix:/path", without
/// port.
struct Listen {
  std::string host;
  std::uint16_t port = 0;
  bool is_unix() const { return host.starts_with("unix:"); }
  bool operator==(const Listen&) const = default;
};

/// An IPv4 or IPv6 network; a single address has all bits. IPv4-mapped IPv6 addresses count as IPv4.
struct Network {
  std::string text;  ///< "127.0.0.0/8", as written
  IpAddress address;
  int bits = 0;
  bool operator==(const Network&) const = default;
};

struct Server {
  Listen listen{"0.0.0.0", 8000};
  std::string public_url;  ///< without a slash at its end; "" if unset
  std::vector<Network> trusted_proxies;
  std::uint64_t max_body = 1 << 20;      ///< bytes
  int max_connections = 8192;            ///< open at a time; see HttpServer for what happens beyond
  milliseconds request_timeout{10'000};  ///< of one request, first byte to last
  milliseconds drain_timeout{20'000};
  bool operator==(const Server&) const = default;
};

struct Admin {
  enum class Right { kMetrics, kRead, kChange };  ///< each includes those before it
  struct Token {
    std::string name;
    Secret token;
    Right may = Right::kRead;
    bool operator==(const Token&) const = default;
  };
  std::vector<Listen> listen{{"127.0.0.1", 8001}};
  Secret token;               ///< has every right
  std::vector<Token> tokens;  ///< without any token, none is required (loopback and unix sockets only)
  bool operator==(const Admin&) const = default;
};

/// A schema of a PostgreSQL database.
struct Postgres {
  Secret url;
  std::string schema = "hookswitch";
  bool operator==(const Postgres&) const = default;
};

struct Journal {
  std::string path = "/var/lib/hookswitch/journal.db";  ///< absolute
  std::optional<Postgres> postgres;                     ///< instead of `path`
  /// What lies on this machine beside the journal begins with this: `path`, or a file in the state_dir.
  std::string beside = path;
  milliseconds retention_age = std::chrono::hours(24 * 7);
  std::uint64_t retention_size = std::uint64_t{2} << 30;  ///< bytes
  std::uint64_t max_backlog = 1'000'000;  ///< pending deliveries of one sink; events that exceed it are answered 503
  std::uint64_t keep_bodies = 2048;       ///< bytes of each request and response to keep; 0: none
  bool operator==(const Journal&) const = default;
};

/// This router among those that share a journal.
struct Cluster {
  std::string name;  ///< the host's by default
  milliseconds lease = std::chrono::seconds(15);
  bool operator==(const Cluster&) const = default;
};

/// What the admin API shows of calls' content (what was said, who was called, what was sent).
enum class Bodies {
  kFull,
  kMasked,  ///< withheld until somebody with the right to change asks to see one event
  kOff      ///< always withheld
};

enum class LogLevel { kDebug, kInfo, kWarn, kError };

/// How a sender authenticates: a secret, in exactly one place.
struct Auth {
  enum class Place { kHeader, kBearer, kQuery };
  Place place = Place::kHeader;
  std::string name;  ///< header or query parameter; empty for kBearer
  Secret secret;
  bool operator==(const Auth&) const = default;
};

using hookswitch::Rate;

struct Mapping;

/// What is done with a body over `max_body`.
enum class Oversized { kReject, kSkip };
/// How a platform asks whether it may send events to a URL.
enum class Handshake { kNone, kCloudEvents };

struct Source {
  Mark where;
  std::string name;
  std::string type;                ///< "bolna", "json", or the name of a platform's page
  std::string title;               ///< for people; "" takes the type's own
  std::string path;                ///< "/bolna/webhook"
  std::vector<Network> allow_ips;  ///< empty: any
  std::optional<Auth> auth;
  std::optional<Verify> verify;
  std::string public_url;  ///< its own or the server's; without a slash at its end; "" if unset
  std::optional<Rate> rate_limit;
  std::string currency = "USD";  ///< of amounts that arrive without one
  std::vector<std::string> methods{"POST"};
  std::optional<std::uint64_t> max_body;  ///< bytes; unset: server.max_body
  std::shared_ptr<const Mapping> map;     ///< of `type: json`, or of the platform's page; nullptr for bolna
  Oversized oversized = Oversized::kReject;
  Handshake handshake = Handshake::kNone;
};

struct Agent {
  std::string name;
  std::vector<std::string> tags;
};

struct Retry {
  std::vector<milliseconds> schedule;  ///< wait before attempt 2, 3, …; the last one repeats
  milliseconds give_up_after{};        ///< from a delivery's first failure
  /// Longest Retry-After that is respected.
  milliseconds max_retry_after{3'600'000};
  bool operator==(const Retry&) const = default;
};

/// When a failing sink is stopped, except for probes.
struct Breaker {
  int failures = 5;                                           ///< in a row
  int rate = 50;                                              ///< percent of failures within `window`
  milliseconds window{60'000}, wait{2000}, max_wait{60'000};  ///< first and longest wait for a probe
  bool operator==(const Breaker&) const = default;
};

/// Outcome of an HTTP status (never kNext), by "404" or "4xx"; the exact one takes precedence.
using Classify = std::map<std::string, Outcome::Kind, std::less<>>;

struct Sink {
  Mark where;
  std::string name;
  std::string plugin;  ///< "slack"
  Mark plugin_where;
  Node config;                     ///< the plugin's own, a map; validated with its schema by core/plugins
  std::optional<Rate> rate_limit;  ///< unset: what the plugin advises
  int concurrency = 0;             ///< 0: what the plugin advises
  milliseconds timeout{10'000};    ///< of one attempt
  Retry retry;
  Breaker breaker;
  std::optional<milliseconds> max_age;  ///< from acceptance; unset: no limit
  Classify classify;
  Transport transport;          ///< for HTTP sinks only, which core/plugins checks
  Mark tls_where, proxy_where;  ///< of the keys, if present
  std::string fallback;         ///< another sink's name; "" for none
  Mark fallback_where;
  std::string notify_problems_to;  ///< another sink's name, or defaults.notify_problems_to; "" for none
  Mark notify_where;
  milliseconds notify_after{300'000};  ///< how long it must fail before that sink is notified
};

/// A time window of the week in minutes since Monday 00:00 local time, half-open; may wrap past the week's end.
struct Window {
  std::uint8_t days = 0;               ///< bit 0 is Monday: the day the window starts on
  int from_minute = 0, to_minute = 0;  ///< of the day; to <= from crosses midnight
};
struct Schedule {
  Mark where;
  std::string name;
  std::string timezone;  ///< IANA name; the schedule's own or defaults.timezone
  std::vector<Window> windows;
};

/// One text to compare with: exact, a glob (has `*` or `?`), a substring or an RE2 regex.
struct Pattern {
  enum class Mode { kExact, kGlob, kContains, kRegex };
  Mark where;
  Mode mode = Mode::kExact;
  std::string text;
  bool ignore_case = false;  ///< of kExact and kGlob
};

/// One node of a `when` tree, types checked, names resolved as far as the config alone can.
struct Condition {
  enum class Kind {
    kAll,
    kAny,
    kNot,  // children
    kSource,
    kAgent,
    kTags,
    kFrom,
    kTo,  // patterns, any of
    kHangupBy,
    kHangupReason,  // patterns, any of
    kTranscript,
    kSummary,    // patterns (kContains or kRegex), any of
    kSentiment,  // patterns, any of
    kData,       // `path`, patterns, any of
    kDataRange,  // `path`, `least`, `most`: the value is a number between them
    kStatus,     // statuses
    kStage,      // stages, `settles`
    kDirection,  // directions
    kMinDuration,
    kMaxDuration,  // number: seconds
    kMinCost,
    kMaxCost,    // number in `currency`
    kVoicemail,  // flag
    kSuccess,    // flag
    kDuring,     // patterns hold schedule names, any of
    kHas,        // patterns hold field names, all of
  };
  Kind kind = Kind::kAll;
  Mark where;
  std::vector<Condition> children;
  std::vector<Pattern> patterns;
  std::string path;
  StatusSet statuses = 0;
  std::vector<Direction> directions;
  double number = 0;
  std::string currency;
  bool flag = false;
  StageSet stages = 0;
  bool settles = false;  ///< an ended event is taken for a final one, and held until that comes (the rule's `settle`)
  std::optional<double> least, most;

  /// The stages that fulfil a kStage.
  StageSet TakenStages() const { return settles ? static_cast<StageSet>(stages | Bit(Stage::kEnded)) : stages; }
};

struct SendTarget {
  Mark where;
  std::string sink;
  std::string template_name;  ///< "" is the default message
  Mark template_where;        ///< of the name, if present
};

struct Rule {
  Mark where;
  std::string name;  ///< unique; "rule-3" where none is given
  Condition when;    ///< kAll of all the rule's conditions, including defaults.status
  std::vector<SendTarget> send;
  bool stop = false;
  bool drop = false;
  bool leaves_status = false;  ///< neither it nor defaults.status names a status or a stage
  bool newest_only = false;    ///< per_call: latest
  milliseconds settle{};       ///< how long an ended event is held for the final one; 0: not held
};

struct Template {
  Mark where;
  std::string name;
  std::string title;  ///< mustache; "" takes the default
  Mark title_where;
  std::string text;  ///< mustache; "" for none
  Mark text_where;
  bool fields = false;      ///< show the default grid below
  bool transcript = false;  ///< show the transcript below
};

struct Config {
  std::string file;                                      ///< the main file's path, as given
  std::vector<std::shared_ptr<const SourceFile>> files;  ///< all that were read, the main file first
  Server server;
  Admin admin;
  Journal journal;
  Cluster cluster;
  Bodies bodies = Bodies::kFull;  ///< inspector.bodies
  LogLevel log_level = LogLevel::kInfo;
  std::vector<std::string> plugin_paths;             ///< absolute; empty: beside the program
  std::vector<Source> sources;                       ///< in file order, as all lists here
  std::map<std::string, Agent, std::less<>> agents;  ///< by the platform's agent id
  std::string timezone = "UTC";                      ///< defaults.timezone
  std::string notify_problems_to;                    ///< defaults.notify_problems_to
  Mark timezone_where;                               ///< of defaults.timezone, if present
  std::vector<Sink> sinks;
  std::vector<Schedule> schedules;
  std::vector<Rule> rules;
  std::vector<Template> templates;
  std::vector<SendTarget> unmatched;  ///< empty: drop
};

}  // namespace hookswitch::config
