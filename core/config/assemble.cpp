#include "core/config/assemble.h"

#include <algorithm>
#include <filesystem>

#include "core/base/host_name.h"
#include "core/base/text.h"
#include "core/config/map_reader.h"
#include "core/config/platforms.h"
#include "core/config/scalars.h"
#include "core/config/secrets.h"
#include "core/config/source_config.h"
#include "core/config/transport.h"
#include "core/config/when.h"

namespace hookswitch::config {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

LogLevel ParseLevel(std::string_view name) {
  if (name == "debug") return LogLevel::kDebug;
  if (name == "warn") return LogLevel::kWarn;
  if (name == "error") return LogLevel::kError;
  return LogLevel::kInfo;
}

Bodies ParseBodies(std::string_view name) {
  if (name == "masked") return Bodies::kMasked;
  if (name == "off") return Bodies::kOff;
  return Bodies::kFull;
}

constexpr seconds kShortestLease{3};

class Assembler {
 public:
  Assembler(const Environment& environment, Problems& problems) : environment_(environment), problems_(problems) {}

  Config Make(const Sections& sections) {
    Config config;
    ReadServer(sections.server, config.server);
    ReadAdmin(sections.admin, config);
    ReadJournal(sections.journal, config.journal);
    ReadCluster(sections, config);
    if (const Node* bodies = MapReader(sections.inspector, "inspector", problems_).Scalar("bodies"))
      config.bodies = ParseBodies(bodies->scalar);
    if (const Node* level = MapReader(sections.log, "log", problems_).Scalar("level"))
      config.log_level = ParseLevel(level->scalar);
    ReadPlugins(sections.plugins, config.plugin_paths);
    const MapReader defaults(sections.defaults, "defaults", problems_);
    defaults.Text("timezone", config.timezone);
    if (const Node* zone = defaults.Get("timezone")) config.timezone_where = zone->where;
    defaults.Text("notify_problems_to", config.notify_problems_to);
    StatusSet default_status = EndedStatuses();
    if (sections.defaults && sections.defaults->Find("status")) {
      default_status = MakeStatuses(sections.defaults->Find("status"));
      default_status_is_written_ = true;
    }
    for (const auto* entry : sections.sources) config.sources.push_back(MakeSource(*entry, config.server));
    for (const auto* entry : sections.agents) config.agents.emplace(entry->key, MakeAgent(*entry));
    for (const auto* entry : sections.sinks) config.sinks.push_back(MakeSink(*entry, defaults));
    for (const auto* entry : sections.schedules) config.schedules.push_back(MakeSchedule(*entry, config.timezone));
    for (const auto* entry : sections.templates) config.templates.push_back(MakeTemplate(*entry));
    for (const Node* node : sections.rules) {
      config.rules.push_back(MakeRule(*node, config.rules.size() + 1, default_status));
    }
    if (sections.unmatched) config.unmatched = MakeTargets(sections.unmatched->Find("send"));
    return config;
  }

 private:
  void ReadServer(const Node* node, Server& server) {
    const MapReader reader(node, "server", problems_);
    reader.Address("listen", server.listen);
    reader.Text("public_url", server.public_url);
    while (server.public_url.ends_with('/')) server.public_url.pop_back();
    reader.Networks("trusted_proxies", server.trusted_proxies);
    reader.Size("max_body", server.max_body);
    reader.Integer("max_connections", server.max_connections);
    reader.Duration("request_timeout", server.request_timeout, MapReader::Zero::kRefused);
    reader.Duration("drain_timeout", server.drain_timeout, MapReader::Zero::kAllowed);
  }

  void ReadAdmin(const Node* node, Config& config) {
    const MapReader reader(node, "admin", problems_);
    Admin& admin = config.admin;
    const Node* token = reader.Get("token");
    if (token) {
      if (auto secret = ResolveSecret(*token, "admin.token", environment_, problems_)) admin.token = std::move(*secret);
    }
    const Node* tokens = reader.Get("tokens");
    if (tokens) ReadAdminTokens(*tokens, admin);
    const bool asks_token = token || (tokens && !tokens->list.empty());
    const auto addresses = reader.Addresses("listen");
    if (!addresses.empty()) admin.listen.clear();
    for (const auto& [at, listen] : addresses) {
      if (!asks_token && !HasFaultyKey(*node, problems_) && !listen.is_unix() && !IsLoopback(listen.host)) {
        reader.Error(*at, "admin.listen can be reached from other machines, so admin.token is required",
                     "add token: {env: HOOKSWITCH_ADMIN_TOKEN}");
      }
      const bool has_port = listen.is_unix() || listen.port != 0;
      if (has_port && listen == config.server.listen) reader.Error(*at, "admin.listen is the address of server.listen");
      if (has_port && std::ranges::find(admin.listen, listen) != admin.listen.end()) {
        reader.Error(*at, "admin.listen names \"" + at->scalar + "\" twice");
      }
      admin.listen.push_back(listen);
    }
  }

  void ReadAdminTokens(const Node& list, Admin& admin) {
    for (const Node& item : list.list) {
      const MapReader reader(&item, "admin.tokens[]", problems_);
      Admin::Token token;
      reader.Text("name", token.name);
      if (const Node* may = reader.Scalar("may")) {
        token.may = may->scalar == "change"    ? Admin::Right::kChange
                    : may->scalar == "metrics" ? Admin::Right::kMetrics
                                               : Admin::Right::kRead;
      }
      const Node* name = reader.Scalar("name");
      const Node* secret = reader.Get("token");
      if (!name || !secret) continue;
      if (token.name == "admin.token") {
        reader.Error(*name, "admin.tokens[].name \"admin.token\" stands for admin.token itself", "choose another name");
      }
      const auto same_name = [&](const Admin::Token& other) { return other.name == token.name; };
      if (std::ranges::any_of(admin.tokens, same_name)) {
        reader.Error(*name, "admin.tokens names \"" + token.name + "\" twice");
      }
      auto value = ResolveSecret(*secret, reader.Name("token"), environment_, problems_);
      if (!value) continue;
      token.token = std::move(*value);
      const auto same = std::ranges::find(admin.tokens, token.token, &Admin::Token::token);
      if (same != admin.tokens.end() || token.token == admin.token) {
        reader.Error(*secret,
                     "the token of \"" + token.name + "\" is that of " +
                         (same != admin.tokens.end() ? '"' + same->name + '"' : std::string("admin.token")) + " too",
                     "give each its own, or who did what cannot be told");
      }
      admin.tokens.push_back(std::move(token));
    }
  }

  void ReadJournal(const Node* node, Journal& journal) {
    const MapReader reader(node, "journal", problems_);
    reader.Text("path", journal.path);
    if (const Node* path = reader.Get("path")) journal.path = AbsoluteFrom(*path, journal.path);
    reader.Integer("max_backlog", journal.max_backlog);
    reader.Size("keep_bodies", journal.keep_bodies, MapReader::Zero::kAllowed);
    const MapReader retention(reader.Get("retention"), "journal.retention", problems_);
    retention.Duration("age", journal.retention_age, MapReader::Zero::kRefused);
    retention.Size("size", journal.retention_size);
    journal.beside = journal.path;
    const Node* postgres = reader.Get("postgres");
    if (!postgres) return;
    if (const Node* path = reader.Get("path")) {
      reader.Error(*path, "journal has both a path and postgres", "the events are in one of them: remove the other");
    }
    const MapReader database(postgres, "journal.postgres", problems_);
    Postgres& place = journal.postgres.emplace();
    database.Text("schema", place.schema);
    if (const Node* url = database.Get("url")) {
      if (auto secret = ResolveSecret(*url, "journal.postgres.url", environment_, problems_)) {
        place.url = std::move(*secret);
      }
    }
  }

  void ReadCluster(const Sections& sections, Config& config) {
    std::string folder = "/var/lib/hookswitch";
    if (const Node* node = sections.state_dir; node && node->kind == Node::Kind::kScalar)
      folder = AbsoluteFrom(*node, node->scalar);
    const MapReader reader(sections.cluster, "cluster", problems_);
    reader.Text("name", config.cluster.name);
    reader.Duration("lease", config.cluster.lease, MapReader::Zero::kRefused);
    if (const Node* lease = reader.Get("lease"); lease && config.cluster.lease < kShortestLease) {
      reader.Error(*lease, "cluster.lease is shorter than 3s", "a router renews it three times in that time");
    }
    if (config.cluster.name.empty()) config.cluster.name = HostName();
    if (config.cluster.name.empty()) config.cluster.name = "router";
    if (config.journal.postgres) config.journal.beside = folder + "/router";
    if (sections.cluster && !config.journal.postgres) {
      reader.Error(*sections.cluster, "cluster is for routers that share a journal",
                   "set journal.postgres, or remove cluster");
    }
  }

  void ReadPlugins(const Node* node, std::vector<std::string>& paths) {
    const MapReader reader(node, "plugins", problems_);
    reader.Texts("paths", paths);
    const Node* list = reader.Get("paths");
    for (std::string& path : paths) path = AbsoluteFrom(*list, path);
  }

  // Makes `path` absolute; a relative one starts at the folder of the file that holds `node`.
  static std::string AbsoluteFrom(const Node& node, const std::string& path) {
    const std::string seen = RelativeTo(node.where.file ? node.where.file->path : "", path);
    std::error_code error;
    const auto absolute = std::filesystem::absolute(seen, error);
    return error ? seen : absolute.lexically_normal().string();
  }

  Source MakeSource(const Node::Entry& entry, const Server& server) {
    const MapReader reader(&entry.value, "sources." + entry.key, problems_);
    Source source;
    source.where = entry.key_where;
    source.name = CheckedName(entry, "source");
    reader.Text("type", source.type);
    reader.Text("title", source.title);
    reader.Text("path", source.path);
    reader.Networks("allow_ips", source.allow_ips);
    if (const auto* auth = entry.value.FindEntry("auth")) source.auth = MakeAuth(*auth, reader.Name("auth"));
    source.public_url = server.public_url;
    reader.Text("public_url", source.public_url);
    while (source.public_url.ends_with('/')) source.public_url.pop_back();
    if (const auto* verify = entry.value.FindEntry("verify")) {
      const Platform* platform = FindPlatform(source.type);
      const Node* own = platform && platform->verify.kind == Node::Kind::kMap ? &platform->verify : nullptr;
      source.verify = MakeVerify(*verify, own, reader.Name("verify"), source.public_url, environment_, problems_);
    }
    source.rate_limit = MakeRate(reader, "rate_limit");
    reader.Text("currency", source.currency);
    ReadRequestsOf(entry, environment_, source, problems_);
    return source;
  }

  std::optional<Auth> MakeAuth(const Node::Entry& entry, const std::string& at) {
    if (entry.value.kind != Node::Kind::kMap) return {};
    const MapReader reader(&entry.value, at, problems_);
    Auth auth;
    int places = 0;
    if (reader.Get("header")) {
      ++places;
      reader.Text("header", auth.name);
    }
    if (reader.Get("bearer")) {
      ++places;
      auth.place = Auth::Place::kBearer;
    }
    if (reader.Get("query")) {
      ++places;
      auth.place = Auth::Place::kQuery;
      reader.Text("query", auth.name);
    }
    if (places != 1 && !problems_.HasErrorAt(entry.key_where) && !HasFaultyKey(entry.value, problems_)) {
      problems_.Error(entry.key_where, KeyWidth(entry), at + " needs exactly one of header, bearer and query");
    }
    if (const Node* secret = reader.Get("secret")) {
      if (auto value = ResolveSecret(*secret, reader.Name("secret"), environment_, problems_))
        auth.secret = std::move(*value);
    }
    return auth;
  }

  std::optional<Rate> MakeRate(const MapReader& outer, std::string_view key) {
    const Node* node = outer.Get(key);
    if (!node || node->kind != Node::Kind::kMap) return {};
    const MapReader reader(node, outer.Name(key), problems_);
    Rate rate;
    reader.Integer("max", rate.max);
    reader.Duration("per", rate.per, MapReader::Zero::kRefused);
    rate.burst = std::max(rate.max, 1);
    reader.Integer("burst", rate.burst);
    // Rates are stored in nanoseconds, which overflow after centuries.
    constexpr milliseconds kLongest = hours(24 * 365);
    const Node* where = reader.Get("burst") ? reader.Scalar("burst") : reader.Scalar("per");
    if (where && rate.max > 0 && rate.burst > 0 && rate.per / rate.max > kLongest / rate.burst) {
      reader.Error(*where, outer.Name(key) + ": a burst of " + std::to_string(rate.burst) +
                               " would take more than a year to come back");
      rate.burst = 1, rate.per = std::min(rate.per, kLongest);
    }
    return rate;
  }

  Agent MakeAgent(const Node::Entry& entry) {
    const MapReader reader(&entry.value, "agents." + entry.key, problems_);
    Agent agent;
    reader.Text("name", agent.name);
    reader.Texts("tags", agent.tags);
    return agent;
  }

  Sink MakeSink(const Node::Entry& entry, const MapReader& defaults) {
    const MapReader reader(&entry.value, "sinks." + entry.key, problems_);
    Sink sink;
    sink.where = entry.key_where;
    sink.name = CheckedName(entry, "sink");
    if (const Node* plugin = reader.Get("plugin")) {
      sink.plugin_where = plugin->where;
      if (!problems_.HasErrorAt(plugin->where)) reader.Text("plugin", sink.plugin);
    }
    if (const Node* config = reader.Get("config")) {
      sink.config = *config;
    } else {
      sink.config.kind = MayMeanConfig(entry.value) ? Node::Kind::kNull : Node::Kind::kMap;
      sink.config.where = entry.key_where;
    }
    sink.rate_limit = MakeRate(reader, "rate_limit");
    reader.Integer("concurrency", sink.concurrency);
    reader.Duration("timeout", sink.timeout, MapReader::Zero::kRefused);
    sink.retry = MakeRetry(reader);
    sink.breaker = MakeBreaker(reader);
    if (reader.Get("max_age")) reader.Duration("max_age", sink.max_age.emplace(), MapReader::Zero::kRefused);
    sink.classify = MakeClassify(reader.Get("classify"));
    sink.transport = MakeTransport(entry.value, "sinks." + entry.key, environment_, problems_);
    if (const auto* tls = entry.value.FindEntry("tls")) sink.tls_where = tls->key_where;
    if (const auto* proxy = entry.value.FindEntry("proxy")) sink.proxy_where = proxy->key_where;
    reader.Text("fallback", sink.fallback);
    if (const Node* fallback = reader.Get("fallback")) sink.fallback_where = fallback->where;
    const MapReader& notify = reader.Get("notify_problems_to") ? reader : defaults;
    notify.Text("notify_problems_to", sink.notify_problems_to);
    if (const Node* to = notify.Get("notify_problems_to")) sink.notify_where = to->where;
    const MapReader& patience = reader.Get("notify_after") ? reader : defaults;
    patience.Duration("notify_after", sink.notify_after, MapReader::Zero::kAllowed);
    // The default does not apply to the sink that it names.
    if (&notify == &defaults && sink.notify_problems_to == sink.name) sink.notify_problems_to.clear();
    return sink;
  }

  Breaker MakeBreaker(const MapReader& outer) {
    Breaker breaker;
    const MapReader reader(outer.Get("breaker"), outer.Name("breaker"), problems_);
    reader.Integer("failures", breaker.failures);
    reader.Integer("rate", breaker.rate);
    reader.Duration("window", breaker.window, MapReader::Zero::kRefused);
    reader.Duration("wait", breaker.wait, MapReader::Zero::kRefused);
    reader.Duration("max_wait", breaker.max_wait, MapReader::Zero::kRefused);
    const Node* longest = reader.Scalar("max_wait");
    if (breaker.max_wait < breaker.wait && longest && !problems_.HasErrorAt(longest->where)) {
      reader.Error(*longest, reader.Name("max_wait") + " is shorter than wait");
    }
    breaker.max_wait = std::max(breaker.max_wait, breaker.wait);
    return breaker;
  }

  static Classify MakeClassify(const Node* node) {
    Classify classify;
    if (!node) return classify;
    for (const auto& entry : node->map) {
      const std::string& word = entry.value.scalar;
      classify[entry.key] = word == "delivered"       ? Outcome::Kind::kDelivered
                            : word == "rejected"      ? Outcome::Kind::kRejected
                            : word == "misconfigured" ? Outcome::Kind::kMisconfigured
                                                      : Outcome::Kind::kRetry;
    }
    return classify;
  }

  Retry MakeRetry(const MapReader& outer) {
    Retry retry{{seconds(2), seconds(10), seconds(30), minutes(2), minutes(10), minutes(30), hours(1)}, hours(24)};
    const MapReader reader(outer.Get("retry"), outer.Name("retry"), problems_);
    if (const Node* schedule = reader.Get("schedule"); schedule && !schedule->list.empty()) {
      retry.schedule.clear();
      for (const Node& item : schedule->list) {
        if (item.kind != Node::Kind::kScalar) continue;
        const auto wait = reader.DurationOf(item, reader.Name("schedule[]"), MapReader::Zero::kRefused);
        if (wait) retry.schedule.push_back(*wait);
      }
    }
    reader.Duration("give_up_after", retry.give_up_after, MapReader::Zero::kRefused);
    reader.Duration("max_retry_after", retry.max_retry_after, MapReader::Zero::kRefused);
    return retry;
  }

  Schedule MakeSchedule(const Node::Entry& entry, const std::string& timezone) {
    const MapReader reader(&entry.value, "schedules." + entry.key, problems_);
    Schedule schedule;
    schedule.where = entry.key_where;
    schedule.name = CheckedName(entry, "schedule");
    schedule.timezone = timezone;
    reader.Text("timezone", schedule.timezone);
    const Node* windows = entry.value.kind == Node::Kind::kList ? &entry.value : reader.Get("windows");
    if (!windows) return schedule;
    for (const Node& item : windows->list) {
      if (auto window = MakeWindow(item, "schedules." + entry.key + "[]")) schedule.windows.push_back(*window);
    }
    return schedule;
  }

  std::optional<Window> MakeWindow(const Node& node, const std::string& at) {
    const MapReader reader(&node, at, problems_);
    Window window;
    for (const Node* text : OneOrMany(reader.Get("days"))) {
      if (const auto days = ParseDays(text->scalar)) {
        window.days = static_cast<std::uint8_t>(window.days | *days);
      } else {
        reader.Error(*text, reader.Name("days") + ": expected days such as mon-fri or [sat, sun], found \"" +
                                text->scalar + '"');
      }
    }
    const Node* text = reader.Scalar("hours");
    if (!text) return {};
    const auto range = ParseHours(text->scalar);
    if (!range) {
      reader.Error(*text,
                   reader.Name("hours") + ": expected hours such as \"09:00-18:00\", found \"" + text->scalar + '"');
      return {};
    }
    std::tie(window.from_minute, window.to_minute) = *range;
    return window;
  }

  Template MakeTemplate(const Node::Entry& entry) {
    const MapReader reader(&entry.value, "templates." + entry.key, problems_);
    Template result;
    result.where = result.title_where = result.text_where = entry.key_where;
    result.name = CheckedName(entry, "template");
    reader.Text("title", result.title);
    reader.Text("text", result.text);
    if (const Node* title = reader.Get("title")) result.title_where = title->where;
    if (const Node* text = reader.Get("text")) result.text_where = text->where;
    reader.Flag("fields", result.fields);
    reader.Flag("transcript", result.transcript);
    return result;
  }

  Rule MakeRule(const Node& node, std::size_t number, StatusSet default_status) {
    const MapReader reader(&node, "rules[]", problems_);
    Rule rule;
    rule.where = node.where;
    rule.name = "rule-" + std::to_string(number);
    reader.Text("name", rule.name);
    rule.when = MakeCondition(reader.Get("when"), node.where, problems_);
    rule.leaves_status = !NamesStatusOrStage(rule.when) && !default_status_is_written_;
    if (!NamesStatusOrStage(rule.when)) {
      Condition status;
      status.kind = Condition::Kind::kStatus;
      status.where = node.where;
      status.statuses = default_status;
      rule.when.children.push_back(std::move(status));
    }
    rule.send = MakeTargets(reader.Get("send"));
    reader.Flag("stop", rule.stop);
    reader.Flag("drop", rule.drop);
    if (const Node* per_call = reader.Scalar("per_call")) rule.newest_only = per_call->scalar == "latest";
    reader.Duration("settle", rule.settle, MapReader::Zero::kAllowed);
    if (rule.settle.count() > 0) LetEndedSettle(rule.when);
    if (node.kind != Node::Kind::kMap) return rule;
    if (const Node* name = reader.Scalar("name"); name && rule.name == "unmatched") {
      reader.Error(*name,
                   "no rule can be called \"unmatched\": that is what the `unmatched` key is called in explanations");
    }
    if (const auto* send = node.FindEntry("send"); send && rule.drop) {
      problems_.Error(send->key_where, KeyWidth(*send), "a rule with drop: true sends nothing", "remove send or drop");
    } else if (!send && !rule.drop && !HasFaultyKey(node, problems_)) {
      problems_.Error(node.where, 1, "rule \"" + rule.name + "\" needs \"send\" or \"drop: true\"");
    }
    return rule;
  }

  // True if an unknown key holds a map: it may be a misspelled `config`.
  bool MayMeanConfig(const Node& sink) const {
    static const std::vector<std::string> other_maps = {"rate_limit", "retry", "breaker", "classify", "tls"};
    return std::any_of(sink.map.begin(), sink.map.end(), [&](const auto& entry) {
      return entry.value.kind == Node::Kind::kMap && problems_.HasErrorAt(entry.key_where) &&
             Nearest(entry.key, other_maps).empty();
    });
  }

  static std::vector<SendTarget> MakeTargets(const Node* node) {
    std::vector<SendTarget> targets;
    if (!node) return targets;
    for (const Node& item : node->list) {
      SendTarget target;
      target.where = item.where;
      if (item.kind == Node::Kind::kScalar) target.sink = item.scalar;
      if (const Node* sink = item.Find("sink")) {
        target.where = sink->where;
        target.sink = sink->scalar;
      }
      if (const Node* name = item.Find("template")) {
        target.template_name = name->scalar;
        target.template_where = name->where;
      }
      if (!target.sink.empty()) targets.push_back(std::move(target));
    }
    return targets;
  }

  // These names appear in URLs, metrics and log fields.
  const std::string& CheckedName(const Node::Entry& entry, std::string_view what) {
    constexpr std::size_t kLongest = 64;
    const bool plain = std::all_of(entry.key.begin(), entry.key.end(), [](char c) {
      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' ||
             c == '.';
    });
    if (!plain || entry.key.empty() || entry.key.size() > kLongest || entry.key.front() == '.') {
      problems_.Error(entry.key_where, KeyWidth(entry), "not a name for a " + std::string(what),
                      "up to 64 letters, digits and - _ .");
    }
    return entry.key;
  }

  const Environment& environment_;
  Problems& problems_;
  bool default_status_is_written_ = false;
};

}  // namespace

Config Assemble(const Sections& sections, const Environment& environment, Problems& problems) {
  return Assembler(environment, problems).Make(sections);
}

}  // namespace hookswitch::config
