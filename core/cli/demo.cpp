#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/base/sync.h"
#include "core/cli/commands.h"
#include "core/cli/demo_news.h"
#include "core/cli/printing.h"
#include "core/demo/demo_files.h"
#include "core/demo/made_up_calls.h"
#include "core/demo/router_process.h"
#include "core/demo/slack_stand_in.h"
#include "core/demo/slack_text.h"
#include "core/http/http_client.h"

namespace hookswitch::cli {
namespace {

namespace fs = std::filesystem;
using demo::MadeUpRequest;
using demo::RouterProcess;
using demo::SlackStandIn;
using std::chrono::seconds;

constexpr std::string_view kSecret = "demo";
constexpr std::string_view kUsualAdmin = "127.0.0.1:8001";
constexpr std::string_view kFreeAdmin = "127.0.0.1:0";
// Longer than an attempt and the pause behind it: if nothing happens for so long, nothing more will.
constexpr seconds kLongestQuiet{30};
constexpr seconds kDrainPatience{5};
// The times in calls that are posted without pauses begin so long ago, so that none lies ahead.
constexpr seconds kCallsBegan{15};
// With one of so many calls the stand-in asks for a pause of so many seconds.
constexpr std::size_t kCallsPerPause = 5;
constexpr int kPauseSeconds = 3;

/// A folder that goes with the object.
class TemporaryFolder {
 public:
  TemporaryFolder() : path_(fs::temp_directory_path() / "hookswitch-demo-XXXXXX") {
    if (!::mkdtemp(path_.data())) throw fs::filesystem_error("mkdtemp", path_, {errno, std::generic_category()});
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::string EnvironmentValue(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

/// Our environment with `changes` ("NAME=value"), and without what is meant for this process alone.
std::vector<std::string> EnvironmentWith(std::vector<std::string> changes) {
  static constexpr std::string_view kOurs[] = {"HOOKSWITCH_ENV_FILE", "JOURNAL_STREAM", "NOTIFY_SOCKET", "WATCHDOG_PID",
                                               "WATCHDOG_USEC"};
  const auto name_of = [](std::string_view variable) { return variable.substr(0, variable.find('=')); };
  const std::size_t changed = changes.size();
  for (char** at = environ; *at; ++at) {
    const std::string_view name = name_of(*at);
    const bool is_changed = std::any_of(changes.begin(), changes.begin() + static_cast<std::ptrdiff_t>(changed),
                                        [&](const std::string& change) { return name_of(change) == name; });
    if (!is_changed && std::ranges::find(kOurs, name) == std::end(kOurs)) changes.emplace_back(*at);
  }
  return changes;
}

void Replace(std::string& text, std::string_view name, std::string_view value) {
  for (std::size_t at; (at = text.find(name)) != std::string::npos;) text.replace(at, name.size(), value);
}

std::string WithSpaces(std::string text, std::size_t width) {
  text.resize(std::max(text.size(), width), ' ');
  return text;
}

class Demonstration {
 public:
  Demonstration(const Options& options, DemoNews& news) : options_(options), news_(news) {
    HttpClientOptions http;
    http.user_agent = "hookswitch-demo";
    http.use_proxies = false;
    http_ = MakeCurlClient(http);
  }

  /// Returns the exit code.
  int Run() {
    if (const Status started = StartSlack(); !started) return Fail(started.error().message);
    if (!StartRouter()) return seen_.stop ? kFine : Fail("the router does not start: " + seen_.trouble);
    const bool arrived = options_.count > 0 ? PostCallsAtOnce(static_cast<std::size_t>(options_.count), true) : GoOn();
    if (seen_.router_ended) return Fail("the router ended: " + seen_.trouble);
    router_->Stop(kDrainPatience);
    if (options_.count == 0) {
      std::cout << "\nended; " << folder_.path() << " is removed" << std::endl;
      return kFine;
    }
    return arrived ? kFine : Fail("not everything arrived" + (seen_.trouble.empty() ? "" : ": " + seen_.trouble));
  }

 private:
  Status StartSlack() {
    if (options_.to_slack) return Ok();
    auto slack = SlackStandIn::Start([this](const SlackStandIn::Request& request) {
      const std::string place = "Slack #" + request.channel;
      if (request.status == 200) {
        news_.Print(Printable(demo::DrawSlackMessage(request.message, place)));
      } else {
        news_.Print("  " + place + " answers " + std::to_string(request.status) + ", Retry-After " +
                    std::to_string(request.retry_after) + '\n');
      }
    });
    if (!slack) return std::move(slack).error();
    slack_ = std::move(*slack);
    return Ok();
  }

  bool StartRouter() {
    if (StartRouter(kUsualAdmin)) return true;
    const bool is_in_use = seen_.trouble.find(kUsualAdmin) != std::string::npos;
    return is_in_use && StartRouter(kFreeAdmin);
  }

  bool StartRouter(std::string_view admin) {
    std::string config(demo::ConfigText());
    Replace(config, "$ADMIN", admin);
    Replace(config, "$ANY_HOST", slack_ ? "true" : "false");
    // What Slack takes, or what a person likes to see.
    Replace(config, "$PACE", slack_ ? "{max: 20, per: 1s, burst: 20}" : "{max: 1, per: 1s, burst: 3}");
    const std::string file = folder_.path() + "/hookswitch.yaml";
    if (!(std::ofstream(file) << config << std::flush)) {
      seen_.trouble = file + " cannot be written";
      return false;
    }
    const std::string webhook = EnvironmentValue("SLACK_WEBHOOK_URL");
    // A proxy that the environment names does not lead to the stand-in.
    const std::string direct = EnvironmentValue(std::getenv("no_proxy") ? "no_proxy" : "NO_PROXY");
    news_.RouterStarts();
    auto router =
        RouterProcess::Start({options_.program, file,
                              EnvironmentWith({"SLACK_WEBHOOK_URL=" + (slack_ ? slack_->Url("calls") : webhook),
                                               "ONCALL_WEBHOOK_URL=" + (slack_ ? slack_->Url("oncall") : webhook),
                                               "BOLNA_WEBHOOK_SECRET=" + std::string(kSecret),
                                               "no_proxy=" + direct + (direct.empty() ? "" : ",") + "127.0.0.1"}),
                              [this](const json::object* line) { news_.RouterLogged(line); }});
    if (!router) {
      seen_.trouble = router.error().message;
      return false;
    }
    router_ = std::move(*router);
    const MonoTime deadline = clock_.Mono() + kLongestQuiet;
    do {
      seen_ = news_.Next(deadline);
    } while (seen_.admin.empty() && !seen_.router_ended && !seen_.stop && clock_.Mono() < deadline);
    // Without its plugin a sink is set aside, and the router starts nevertheless.
    return !seen_.admin.empty() && seen_.trouble.empty() && !seen_.stop;
  }

  /// Posts the first calls without pauses, and waits for their messages. False if not all of them arrived, or if there
  /// was none.
  bool PostCallsAtOnce(std::size_t count, bool is_shown) {
    for (std::size_t number = 0; number < count; ++number) {
      for (const MadeUpRequest& request : calls_.Requests(number, clock_.Wall() - kCallsBegan)) {
        const std::string line = Post(request);
        if (is_shown) news_.Print(line);
        if (!PrintUntil(clock_.Mono(), is_shown)) return false;
      }
    }
    std::size_t ended = seen_.delivered + seen_.dead;
    while (ended < expected_) {
      if (!PrintUntil(clock_.Mono() + kLongestQuiet, is_shown, ended)) return false;
      if (std::exchange(ended, seen_.delivered + seen_.dead) == seen_.delivered + seen_.dead) return false;
    }
    PrintUntil(clock_.Mono(), is_shown);
    return seen_.delivered > 0 && seen_.dead == 0;
  }

  /// Posts calls until somebody ends it.
  bool GoOn() {
    std::size_t number = 0;
    // Something to look at. A real channel need not hear of these.
    if (slack_) {
      number = calls_.size();
      if (!PostCallsAtOnce(number, false) && seen_.stop) return false;
    }
    std::cout << "A router, " << (slack_ ? "a stand-in for Slack" : "your Slack") << " and made-up calls, in "
              << folder_.path() << " until Ctrl-C ends it.\n\n"
              << "  the inspector   http://" << seen_.admin << "/\n"
              << "  your own call   curl -H 'X-Webhook-Secret: " << kSecret << "' --data-binary @FILE http://"
              << seen_.ingress << "/bolna/webhook\n\n";
    if (number > 0) std::cout << number << " calls have ended. What comes next, and the messages that go out:\n\n";
    std::cout << std::flush;
    for (;; ++number) {
      for (const MadeUpRequest& request : calls_.Requests(number, clock_.Wall())) {
        if (!PrintUntil(clock_.Mono() + request.pause)) return false;
        if (slack_ && number % kCallsPerPause == 3 && request.what == "completed") slack_->AskForPause(kPauseSeconds);
        news_.Print(Post(request));
      }
    }
  }

  /// Prints what comes until `deadline`, or until more than `ended` deliveries have. False if it is time to end.
  bool PrintUntil(MonoTime deadline, bool is_shown = true, std::size_t ended = SIZE_MAX) {
    do {
      seen_ = news_.Next(deadline);
      for (const std::string& text : seen_.texts) {
        if (is_shown) std::cout << text;
      }
      std::cout << std::flush;
      if (seen_.stop || seen_.router_ended || !std::cout) return false;  // nobody reads it any more
      if (seen_.delivered + seen_.dead > ended) return true;
    } while (clock_.Mono() < deadline);
    return true;
  }

  /// Returns what the router answered, as a line for people.
  std::string Post(const MadeUpRequest& made_up) {
    HttpRequest request;
    request.url = "http://" + seen_.ingress + made_up.path;
    request.body = made_up.body;
    request.headers = {{"Content-Type", "application/json"}};
    if (made_up.has_secret) request.headers.emplace_back("X-Webhook-Secret", kSecret);
    Mutex mu;
    CondVar done;
    std::optional<HttpResult> result;
    http_->Send(std::move(request), kLongestQuiet, [&](HttpResult r) {
      MutexLock lock(mu);
      result = std::move(r);
      done.NotifyOne();
    });
    MutexLock lock(mu);
    while (!result) done.Wait(mu);
    const std::string line = "  " + WithSpaces(made_up.agent, 14) + WithSpaces(made_up.what, 20);
    if (!result->response) return line + "no answer: " + result->error + '\n';
    json::error_code error;
    const json::value answer = json::parse(result->response->body, error);
    const json::object* object = error ? nullptr : answer.if_object();
    return line + (object ? Told(result->response->status, *object) : "no answer of hookswitch") + '\n';
  }

  std::string Told(int status, const json::object& answer) {
    if (status != 200) return "refused, " + std::to_string(status) + ' ' + Text(answer, "error");
    if (answer.contains("duplicate")) return "was there, nothing new is sent";
    const json::value* deliveries = answer.if_contains("deliveries");
    if (!deliveries) return "no rule wants it";
    const auto count = static_cast<std::size_t>(deliveries->as_int64());
    expected_ += count;
    const std::string text = std::to_string(count) + (count == 1 ? " message" : " messages");
    return options_.count > 0 ? text
                              : WithSpaces(text, 12) + "http://" + seen_.admin + "/#/event/" + Text(answer, "id");
  }

  const Options& options_;
  DemoNews& news_;
  const TemporaryFolder folder_;
  const SystemClock clock_;
  const demo::MadeUpCalls calls_;
  std::unique_ptr<SlackStandIn> slack_;  ///< nullptr: messages go to the real one
  std::unique_ptr<RouterProcess> router_;
  std::unique_ptr<HttpClient> http_;
  DemoNews::Seen seen_;
  std::size_t expected_ = 0;  ///< deliveries, by the router's answers
};

/// Has `news` report SIGINT, SIGTERM and SIGHUP, by a thread that lives until the process ends.
void ReportSignals(DemoNews& news) {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGHUP, SIGINT, SIGTERM}) sigaddset(&set, number);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);  // in all threads: they are started from here on
  std::signal(SIGPIPE, SIG_IGN);              // std::cout reports a closed pipe
  std::thread([set, &news] {
    for (int number = 0;;) {
      if (sigwait(&set, &number) == 0) news.Stop();
    }
  }).detach();
}

}  // namespace

int Demo(const Options& options) {
  if (options.to_slack && EnvironmentValue("SLACK_WEBHOOK_URL").empty()) {
    return Fail("--to-slack needs the URL of a Slack webhook in SLACK_WEBHOOK_URL", kUsage);
  }
  static DemoNews news;
  ReportSignals(news);
  return Demonstration(options, news).Run();
}

}  // namespace hookswitch::cli
