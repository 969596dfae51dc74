#include "core/app/app.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <climits>
#include <functional>
#include <span>
#include <utility>

#include "core/admin/actions.h"
#include "core/admin/admin_server.h"
#include "core/admin/indexer.h"
#include "core/app/delivery_start.h"
#include "core/app/descriptors.h"
#include "core/app/open_journal.h"
#include "core/app/process_metrics.h"
#include "core/app/router_metrics.h"
#include "core/base/encoding.h"
#include "core/base/host_name.h"
#include "core/base/log.h"
#include "core/base/sync.h"
#include "core/base/text.h"
#include "core/base/version.h"
#include "core/delivery/notice.h"
#include "core/http/http_client.h"
#include "core/journal/history.h"
#include "core/journal/journal_files.h"
#include "core/plugins/fatal_end.h"
#include "hookswitch/sink.h"

namespace hookswitch {
namespace {

// For requests in progress when the drain timeout is already over.
constexpr std::chrono::milliseconds kLastAnswers{1000};
// Bytes. A body of this size is handled in less time than waking a thread takes.
constexpr std::uint64_t kSmallBody = 64 * 1024;
constexpr int kLargeBodyThreads = 4;
// A resumed sink's first attempt may take the sink's timeout, 10 s by default.
constexpr std::chrono::milliseconds kResumePatience{12'000};

log::Level ToLogLevel(config::LogLevel level) {
  switch (level) {
    case config::LogLevel::kDebug: return log::Level::kDebug;
    case config::LogLevel::kInfo: return log::Level::kInfo;
    case config::LogLevel::kWarn: return log::Level::kWarn;
    case config::LogLevel::kError: return log::Level::kError;
  }
  Unreachable();
}

void LogProblem(const config::Problem& problem) {
  const std::string file = problem.where.file ? problem.where.file->path : std::string();
  const bool error = problem.severity == config::Problem::Severity::kError;
  (error ? log::Error : log::Warn)(error ? "config_error" : "config_warning", {{"file", file},
                                                                               {"line", problem.where.line},
                                                                               {"column", problem.where.column},
                                                                               {"message", problem.message},
                                                                               {"hint", problem.hint}});
}

/// Deliveries to sinks that the config does not have wait until it does.
std::vector<OrphanedDeliveries> LogOrphans(const std::vector<LaneStatus>& lanes) {
  std::vector<OrphanedDeliveries> orphaned;
  for (const LaneStatus& lane : lanes) {
    if (lane.state != LaneStatus::State::kRemoved) continue;
    log::Warn("deliveries_orphaned", {{"sink", lane.sink}, {"pending", lane.pending}, {"reason", lane.because}});
    orphaned.push_back({lane.sink, lane.pending});
  }
  return orphaned;
}

void LogPausedBefore(const std::vector<LaneStatus>& lanes) {
  for (const LaneStatus& lane : lanes) {
    if (lane.state != LaneStatus::State::kPaused) continue;
    log::Warn("lane_paused",
              {{"sink", lane.sink}, {"pending", lane.pending}, {"reason", "paused by the operator before this start"}});
  }
}

}  // namespace

std::vector<std::filesystem::path> PluginPaths(const std::vector<std::string>& configured,
                                               const std::filesystem::path& program) {
  if (!configured.empty()) return {configured.begin(), configured.end()};
  return {program.parent_path().parent_path() / "lib" / "hookswitch" / "sinks"};
}

std::unique_ptr<HttpClient> MakeSinkClient() {
  HttpClientOptions options;
  options.max_response_body = HSW_MOST_ANSWER;
  options.user_agent = "hookswitch/" + std::string(kVersion);
  return MakeCurlClient(options);
}

// Members in the order of construction; destroyed in reverse, so that none outlives what it points to.
struct App::Impl final : Router {
  Impl(AppOptions o, const Clock& c) : options(std::move(o)), clock(c) {}
  ~Impl() override {
    delivery_start.Stop();
    if (journal) journal->OnOthersChanges({});
  }

  AppOptions options;
  const Clock& clock;
  Metrics metrics;
  WallTime started_at{};
  const std::string host_name = HostName();

  Mutex reload_mu;                    // one reload at a time; guards plugins
  std::shared_ptr<CrashMarks> marks;  ///< set by Start
  std::unique_ptr<PluginHost> plugins GUARDED_BY(reload_mu);
  mutable Mutex mu;
  std::shared_ptr<const Generation> generation GUARDED_BY(mu);
  std::shared_ptr<const DeliveryPlan> plan GUARDED_BY(mu);  ///< of `generation`
  config::Server started_server;                            ///< as the listener uses it, despite reloads
  config::Journal started_journal;                          ///< as the journal uses it
  config::Cluster started_cluster;
  WallTime applied_at GUARDED_BY(mu){};  ///< when the running config was applied
  std::string last_reload_problem GUARDED_BY(mu);
  std::shared_ptr<const hookswitch::LastReload> last_reload GUARDED_BY(mu);  ///< nullptr: none since the start
  std::vector<std::string> need_restart GUARDED_BY(mu);  ///< keys whose values in the file differ from those in use
  std::string announced_problems GUARDED_BY(reload_mu);  ///< of the last reload if it failed, else ""
  std::string ingress_address GUARDED_BY(mu), admin_address GUARDED_BY(mu);

  DeliveryStart delivery_start;  ///< called by the journal
  std::unique_ptr<Journal> journal;
  std::unique_ptr<PastConfigs> past_configs;
  std::unique_ptr<HttpClient> http;
  std::unique_ptr<Dispatcher> dispatcher;
  std::unique_ptr<Acceptor> acceptor;
  std::unique_ptr<Indexer> indexer;
  std::unique_ptr<HistoryApi> history_api;
  std::unique_ptr<HttpServer> ingress;
  std::unique_ptr<AdminServer> admin;
  std::atomic<bool> listening{false};
  std::atomic<bool> draining{false};
  struct Watched {
    std::string_view part;
    std::function<std::uint64_t()> passes;
    bool drains = false;   ///< its thread ends while the router drains
    std::uint64_t last{};  ///< passes at the last StalledPart
  };
  std::vector<Watched> watched{};  ///< every thread that would block events or the operator if it hung

  std::shared_ptr<const Generation> Current() const {
    MutexLock lock(mu);
    return generation;
  }

  hookswitch::Status Start(BuildResult& build);
  hookswitch::Status Listen(const config::Config& config);
  void Introduce(const Generation& current);
  void Watch();

  std::vector<Part> Parts() override;
  RouterStatus Status() override;
  std::shared_ptr<const config::Config> CurrentConfig() override;
  RunningConfig Running() override;
  ActivePlan Plan() override;
  EventReading Read(const StoredEvent& stored) override;
  std::shared_ptr<const CallEvent> Normalize(const StoredEvent& stored) override {
    auto call = ReadEvent(stored, Current()->sources, nullptr).call;
    return call ? call : past_configs->Normalize(stored);
  }
  ReloadReport Reload(const std::string& by) override;
  std::shared_ptr<const hookswitch::LastReload> LastReload() override {
    MutexLock lock(mu);
    return last_reload;
  }
  PastReading ReadAsAccepted(const StoredEvent& stored) override { return past_configs->Read(stored); }
  Cluster* cluster() override { return journal->cluster(); }
  ReachProof::Challenge MakeChallenge() override { return acceptor->MakeChallenge(); }
  std::vector<LaneStatus> Lanes() override;
  hookswitch::Status Pause(const std::string& sink, const hookswitch::Pause& pause) override {
    return dispatcher->Pause(sink, pause);
  }
  Dispatcher::Resumed Resume(const std::string& sink, bool wait) override {
    // What comes of it is seen where the lane is.
    if (!delivery_start.delivers()) {
      Dispatcher::Resumed resumed = dispatcher->Resume(sink);
      resumed.how = Dispatcher::Resumed::How::kNotKnownYet;
      return resumed;
    }
    return dispatcher->Resume(sink, wait ? kResumePatience : std::chrono::milliseconds(0));
  }
  Result<TestResult> TestSink(const std::string& sink) override;
  std::optional<std::string> PlaceThatHolds(const std::string& sink, DeliverySeq delivery) override {
    return dispatcher->PlaceThatHolds(sink, delivery);
  }
  void Accept(std::vector<PendingDelivery> deliveries) override { dispatcher->Accept(nullptr, std::move(deliveries)); }
  std::vector<DeliverySeq> Release(std::vector<DeliverySeq> deliveries) override {
    // The router that has them learns of what the caller does from the journal.
    if (!delivery_start.delivers()) return deliveries;
    return dispatcher->Release(std::move(deliveries));
  }

  std::vector<std::string> NeedRestart(const config::Config& config) REQUIRES(reload_mu);
  ReloadReport ReloadNow() REQUIRES(reload_mu);
  void AnnounceReload(std::span<const config::Problem> problems) REQUIRES(reload_mu);

  std::optional<RouterMetrics> router_metrics;  ///< set by Start
};

void App::Impl::Introduce(const Generation& current) {
  if (journal->cluster() == nullptr) return;
  std::vector<std::string> sinks;
  for (const auto& [name, sink] : current.sinks) sinks.push_back(name);
  journal->cluster()->Introduce(std::string(kVersion), Hex(current.kept->hash), std::move(sinks));
}

hookswitch::Status App::Impl::Start(BuildResult& build) {
  started_at = clock.Wall();
  CloseAllOnExec();
  Result<std::unique_ptr<CrashMarks>> opened_marks = Error{};
  {
    MutexLock lock(reload_mu);
    config::Loaded loaded = config::Load(options.config_path, options.environment);
    const config::Config* readable = loaded.Readable();
    if (!readable) {
      build.problems = std::move(loaded.problems);
      build.unreadable = loaded.unreadable;
      return Error{ErrorCode::kInvalid, "the config has errors"};
    }
    if (loaded.config) HSW_TRY(MakeFolderFor(readable->journal.beside));
    if (loaded.config) {
      // Before any plugin is entered. If another router holds them, opening the journal gives the better error.
      opened_marks = CrashMarks::Open(readable->journal.beside + ".inflight");
      if (opened_marks) marks = std::move(*opened_marks);
      fatal_end::UseMarks(marks);
    }
    plugins = std::make_unique<PluginHost>(PluginPaths(readable->plugin_paths, options.program), kThisProgram, marks);
    build = BuildGeneration({options.environment, /*tolerate_bad_plugins=*/true, started_at}, std::move(loaded),
                            *plugins, nullptr);
  }
  for (const auto& problem : build.problems.All()) LogProblem(problem);
  if (!build.generation) return Error{ErrorCode::kInvalid, "the config has errors"};
  const auto first = build.generation;
  for (const auto& [name, sink] : first->sinks) {
    if (!sink.sink) log::Error("sink_unavailable", {{"sink", name}, {"reason", sink.unavailable_reason}});
  }
  const auto first_plan = first->MakeDeliveryPlan();
  {
    MutexLock lock(mu);
    generation = first;
    plan = first_plan;
  }
  const config::Config& config = first->config;
  started_server = config.server;
  started_journal = config.journal;
  started_cluster = config.cluster;
  log::SetLevel(ToLogLevel(config.log_level));

  // Without them another process of this router may run, whose lease it would take.
  if (config.journal.postgres && !opened_marks) return std::move(opened_marks).error();
  auto opened = OpenJournal(config, clock,
                            {.on_taken = [this] { delivery_start.LeaseTaken(); },
                             .on_reload_asked = options.on_reload_asked,
                             .on_lost = options.on_journal_lost});
  if (!opened) return std::move(opened).error();
  journal = std::move(*opened);
  past_configs = std::make_unique<PastConfigs>(journal->history());
  past_configs->Use(first->kept->hash, first->sources, first->routes);
  Introduce(*first);

  http = MakeSinkClient();
  if (!opened_marks) return std::move(opened_marks).error();
  dispatcher = std::make_unique<Dispatcher>(*journal, journal->history(), *http, clock, metrics, marks);
  dispatcher->Use(first_plan);
  journal->OnOthersChanges([this](OthersChanges changes) { dispatcher->Follow(std::move(changes)); });
  CloseAllOnExec();
  HSW_TRY(delivery_start.Begin(*dispatcher, journal->OwnsPending(), options.on_take_over_failed));
  if (!delivery_start.delivers()) {
    // What is paused is shown as paused at every router.
    auto lanes = journal->LoadLanes();
    if (!lanes) return std::move(lanes).error();
    std::erase_if(*lanes, [](const LaneDue& lane) { return !lane.pause; });
    dispatcher->Follow({.opened = {}, .canceled = {}, .revised = {}, .ended_calls = {}, .lanes = std::move(*lanes)});
  }
  {
    const auto lanes = dispatcher->Lanes();
    LogPausedBefore(lanes);
    LogOrphans(lanes);
  }
  acceptor = std::make_unique<Acceptor>(
      *journal, clock, metrics,
      [this](std::shared_ptr<const CallEvent> event, std::vector<PendingDelivery> deliveries,
             std::uint64_t ended_call) { dispatcher->Accept(std::move(event), std::move(deliveries), ended_call); },
      [this](std::shared_ptr<const CallEvent> event, EventSeq seq, const Accepted::Revised& changes,
             std::uint64_t ended_call) { dispatcher->Revise(std::move(event), seq, changes, ended_call); });
  acceptor->Use(first->MakeIngressSnapshot());
  router_metrics.emplace(metrics, *journal, config.journal, started_at);
  ShowProcess(metrics, started_at);
  return Listen(config);
}

hookswitch::Status App::Impl::Listen(const config::Config& config) {
  indexer = std::make_unique<Indexer>(config.journal.beside, *journal, *this, clock);
  history_api = std::make_unique<HistoryApi>(journal->history(), *journal, clock, *this, indexer.get());
  router_metrics->Show([this] { return Parts(); }, [this] { return indexer->StatusNow(); });
  auto admin_server = AdminServer::Start(config.admin, *this, *history_api, clock, metrics);
  if (!admin_server) return std::move(admin_server).error();
  admin = std::move(*admin_server);

  HttpServerOptions ingress_options;
  ingress_options.name = "ingress";
  ingress_options.listen = config.server.listen;
  ingress_options.max_connections = AffordableConnections(config.server.max_connections);
  ingress_options.max_body = config.server.max_body;
  ingress_options.threads = kLargeBodyThreads;
  ingress_options.inline_body = kSmallBody;
  ingress_options.judge_peer = [this](std::string_view address) { return acceptor->JudgePeer(address); };
  ingress_options.on_unwanted = [this](std::string_view address) { acceptor->UnwantedPeer(address); };
  ingress_options.request_timeout = config.server.request_timeout;
  ingress_options.on_refused = [this](const ServedRequest& head, int status, std::string_view error,
                                      std::string_view detail) { acceptor->Refused(head, status, error, detail); };
  auto ingress_server = HttpServer::Start(
      ingress_options, [this](const ServedRequest& head) { return acceptor->HandleHead(head); },
      [this](Responder responder) { acceptor->Handle(std::move(responder)); }, metrics);
  if (!ingress_server) return std::move(ingress_server).error();
  ingress = std::move(*ingress_server);
  CloseAllOnExec();
  indexer->Start();
  MutexLock lock(mu);
  ingress_address = ingress->Address();
  admin_address = admin->Address();
  applied_at = started_at;
  Watch();
  listening = true;
  return Ok();
}

void App::Impl::Watch() {
  watched = {
      {"journal", [this] { return journal->Stats().passes; }}, {"scheduler", [this] { return dispatcher->Passes(); }},
      {"http-client", [this] { return http->Passes(); }},      {"answers", [this] { return acceptor->Passes(); }},
      {"ingress", [this] { return ingress->Passes(); }, true}, {"admin", [this] { return admin->Passes(); }, true}};
}

RouterStatus App::Impl::Status() {
  const auto current = Current();
  RouterStatus status;
  status.version = kVersion;
  status.name = journal->cluster() ? started_cluster.name : host_name;
  {
    MutexLock lock(mu);
    status.ingress = ingress_address;
    status.admin = admin_address;
    status.need_restart = need_restart;
    status.applied_at = applied_at;
  }
  status.config_file = current->config.file;
  status.generation = current->number;
  status.started_at = started_at;
  status.journal = journal->Stats();
  status.search = indexer->StatusNow();
  for (const auto& source : current->config.sources) status.sources.push_back(source.name);
  return status;
}

std::shared_ptr<const config::Config> App::Impl::CurrentConfig() {
  const auto current = Current();
  return {current, &current->config};
}

RunningConfig App::Impl::Running() {
  MutexLock lock(mu);
  return {generation->number,
          generation->kept->hash,
          applied_at,
          {generation, &generation->config},
          {generation, &generation->plugin_schemas}};
}

ActivePlan App::Impl::Plan() {
  MutexLock lock(mu);
  return {generation->number, generation->routes, plan};
}

Result<TestResult> App::Impl::TestSink(const std::string& sink) {
  const ActivePlan active = Plan();
  const auto lane = active.plan->lanes.find(sink);
  if (lane == active.plan->lanes.end()) {
    return Error{ErrorCode::kNotFound, "the config does not have the sink \"" + sink + "\""};
  }
  if (!lane->second.sink) return Error{ErrorCode::kUnavailable, lane->second.unavailable_reason};
  return SendTestMessage(lane->second, *http, clock, marks);
}

EventReading App::Impl::Read(const StoredEvent& stored) {
  const auto current = Current();
  EventReading reading = ReadEvent(stored, current->sources, current->routes);
  reading.generation = current->number;
  return reading;
}

std::vector<LaneStatus> App::Impl::Lanes() {
  std::vector<LaneStatus> lanes = *dispatcher->RecentLanes();
  if (delivery_start.delivers()) return lanes;
  const JournalStats stats = journal->Stats();
  for (LaneStatus& lane : lanes) {
    const auto waiting = stats.waiting.find(lane.sink);
    if (waiting != stats.waiting.end()) lane.pending = waiting->second;
    if (lane.because.empty()) lane.because = "another router delivers";
  }
  return lanes;
}

std::vector<Part> App::Impl::Parts() {
  std::vector<Part> parts;
  const JournalStats stats = journal->Stats();
  parts.push_back({"journal", !stats.unwritable_reason.empty(), stats.unwritable_reason});
  // Events for other sinks are still accepted, so one full sink does not make the router unready.
  const bool all_full = !stats.full.empty() && stats.full.size() >= Current()->sinks.size();
  const std::string as_many_wait = "journal.max_backlog deliveries wait for ";
  parts.push_back({"backlog", all_full, stats.full.empty() ? "" : as_many_wait + Joined(stats.full)});
  const bool follows = listening && !delivery_start.delivers();
  parts.push_back({"deliveries", false, follows ? "another router delivers; this one takes over when that ends" : ""});
  const bool no_descriptors = OutOfDescriptors();
  parts.push_back({"descriptors", no_descriptors, no_descriptors ? "every file descriptor is in use" : ""});
  const bool full = listening && ingress->Full();
  parts.push_back({"ingress", draining || !listening || full,
                   draining     ? "draining"
                   : !listening ? "starting"
                   : full       ? "too many connections (server.max_connections)"
                                : ""});
  {
    MutexLock lock(mu);
    std::string note = last_reload_problem;
    if (!need_restart.empty()) {
      note += (note.empty() ? "" : "; ") + ("a restart is needed for " + Joined(need_restart));
    }
    parts.push_back({"config", false, std::move(note)});
  }
  const auto lanes = dispatcher->RecentLanes();
  for (const LaneStatus& lane : *lanes) {
    // A sink in trouble is reported, but does not make the router unready: events are still accepted.
    if (lane.state == LaneStatus::State::kOpen) continue;
    std::string note(ToString(lane.state));
    if (!lane.because.empty()) note += ": " + lane.because;
    parts.push_back({"sink " + lane.sink, false, std::move(note)});
  }
  return parts;
}

/// Sends a notice if a reload failed, once for the same problems, and when a later one was applied.
void App::Impl::AnnounceReload(std::span<const config::Problem> problems) {
  constexpr std::size_t kMostProblems = 5;
  std::string text;
  std::size_t errors = 0;
  for (const auto& problem : problems) {
    if (problem.severity != config::Problem::Severity::kError || ++errors > kMostProblems) continue;
    const std::string file = problem.where.file ? problem.where.file->path : options.config_path;
    text += file + ":" + std::to_string(problem.where.line) + ": " + problem.message + "\n";
  }
  if (errors > kMostProblems) text += "and " + std::to_string(errors - kMostProblems) + " more\n";
  if (text == announced_problems) return;
  dispatcher->Announce(text.empty() ? ReloadWorksNotice() : ReloadFailedNotice(text));
  announced_problems = std::move(text);
}

/// Which keys of `config` differ from those in use and are only read at the start. Also applies the admin tokens.
std::vector<std::string> App::Impl::NeedRestart(const config::Config& config) {
  std::vector<std::string> keys;
  config::Server server = config.server;
  server.trusted_proxies = started_server.trusted_proxies;
  server.drain_timeout = started_server.drain_timeout;
  server.public_url = started_server.public_url;
  if (!(server.listen == started_server.listen)) keys.emplace_back("server.listen");
  server.listen = started_server.listen;
  if (!(server == started_server)) keys.emplace_back("server");
  if (!admin->Use(config.admin)) keys.emplace_back("admin.listen");
  config::Journal same_journal = config.journal;
  same_journal.keep_bodies = started_journal.keep_bodies;
  if (!(same_journal == started_journal)) keys.emplace_back("journal");
  if (!(config.cluster == started_cluster)) keys.emplace_back("cluster");
  return keys;
}

ReloadReport App::Impl::Reload(const std::string& by) {
  MutexLock reload_lock(reload_mu);
  const ReloadReport report = ReloadNow();
  const auto before = LastReload();
  auto last = std::make_shared<const hookswitch::LastReload>(
      hookswitch::LastReload{before ? before->number + 1 : 1, clock.Wall(), by, report});
  MutexLock lock(mu);
  last_reload = std::move(last);
  return report;
}

ReloadReport App::Impl::ReloadNow() {
  const auto before = Current();
  router_metrics->ReloadBegins();
  config::Loaded loaded = config::Load(options.config_path, options.environment);
  if (const config::Config* readable = loaded.Readable()) {
    plugins->SearchIn(PluginPaths(readable->plugin_paths, options.program));
  }
  BuildResult build = BuildGeneration({options.environment, /*tolerate_bad_plugins=*/false, clock.Wall()},
                                      std::move(loaded), *plugins, before.get());
  if (!build.generation) plugins->SearchIn(PluginPaths(before->config.plugin_paths, options.program));
  ReloadReport report;
  report.problems.assign(build.problems.All().begin(), build.problems.All().end());
  for (const auto& problem : report.problems) LogProblem(problem);
  if (!build.generation) {
    report.generation = before->number;
    router_metrics->ReloadFailed();
    const std::string note = "the last reload failed: " + std::to_string(report.problems.size()) +
                             " problem(s); generation " + std::to_string(before->number) + " stays in use";
    log::Error("reload_failed", {{"problems", report.problems.size()}, {"generation", before->number}});
    AnnounceReload(report.problems);
    MutexLock lock(mu);
    last_reload_problem = note;
    return report;
  }

  const auto next = build.generation;
  report.need_restart = NeedRestart(next->config);

  // Deliveries first: a route of the new rules must find its lane.
  const auto next_plan = next->MakeDeliveryPlan();
  dispatcher->Use(next_plan);
  acceptor->Use(next->MakeIngressSnapshot());
  past_configs->Use(next->kept->hash, next->sources, next->routes);
  Introduce(*next);
  {
    MutexLock lock(mu);
    generation = next;
    plan = next_plan;
    applied_at = clock.Wall();
    last_reload_problem.clear();
    need_restart = report.need_restart;
  }
  log::SetLevel(ToLogLevel(next->config.log_level));
  int kept = 0;
  for (const auto& [name, sink] : next->sinks) {
    const auto it = before->sinks.find(name);
    if (sink.sink && it != before->sinks.end() && it->second.sink == sink.sink) {
      sink.sink->Reopen();
      ++kept;
    }
  }
  AnnounceReload({});
  report.applied = true;
  report.generation = next->number;
  router_metrics->Reloaded(next->number, clock.Wall(), report.need_restart.size());
  log::Info("reloaded", {{"generation", next->number},
                         {"rules", next->config.rules.size()},
                         {"sinks", next->sinks.size()},
                         {"sinks_kept", kept}});
  report.orphaned = LogOrphans(dispatcher->Lanes());
  if (options.environment.from_process) report.from_process = options.environment.from_process();
  if (!report.from_process.empty()) {
    log::Info("variables_kept", {{"variables", Joined(report.from_process)},
                                 {"reason",
                                  "they come from the environment of the process, which stays as it was at "
                                  "the start: a restart takes new values; a file of --env-file is read "
                                  "again by each reload"}});
  }
  for (const auto& key : report.need_restart) {
    log::Warn("restart_needed",
              {{"key", key}, {"reason", "this key is read at the start only; the value from the start stays in use"}});
  }
  return report;
}

Result<std::unique_ptr<App>> App::Start(const AppOptions& options, const Clock& clock, BuildResult& build) {
  auto impl = std::make_unique<Impl>(options, clock);
  if (Status started = impl->Start(build); !started) return std::move(started).error();
  return std::unique_ptr<App>(new App(std::move(impl)));
}

App::App(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
App::~App() = default;

ReloadReport App::Reload(const std::string& by) {
  ReloadReport report = impl_->Reload(by);
  if (report.applied) impl_->journal->history().RecordAction(ReloadAction(report, by, impl_->clock.Wall()));
  return report;
}

std::string_view App::StalledPart() {
  std::string_view stalled;
  // Query all of them: one that is skipped would seem to have stalled at the next call.
  for (Impl::Watched& each : impl_->watched) {
    const std::uint64_t passes = each.passes();
    const bool is_stalled = std::exchange(each.last, passes) == passes;
    if (is_stalled && stalled.empty() && !(each.drains && impl_->draining)) stalled = each.part;
  }
  return stalled;
}

void App::Drain() {
  const auto timeout = impl_->Current()->config.server.drain_timeout;
  const MonoTime deadline = impl_->clock.Mono() + timeout;
  auto left = [&] {
    return std::max(std::chrono::duration_cast<std::chrono::milliseconds>(deadline - impl_->clock.Mono()),
                    std::chrono::milliseconds(0));
  };
  impl_->draining = true;
  impl_->acceptor->SetDraining(true);
  impl_->delivery_start.Stop();
  // The listener answers 503 while deliveries finish: a sender that gets a 503 tries again, one that cannot connect may
  // not.
  impl_->dispatcher->Drain(left());
  impl_->ingress->Drain(std::max(left(), kLastAnswers));
  impl_->admin->Drain(std::chrono::milliseconds(200));
  impl_->indexer->Stop();
  impl_->journal->Close();
}

std::string App::IngressAddress() const {
  return impl_->ingress->Address();
}
std::string App::AdminAddress() const {
  return impl_->admin->Address();
}

}  // namespace hookswitch
