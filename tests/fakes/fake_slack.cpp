#include "tests/fakes/fake_slack.h"

#include <algorithm>
#include <deque>
#include <map>

#include "core/base/sync.h"
#include "core/base/time_text.h"
#include "tests/fakes/http_loop.h"
#include "tests/fakes/slack_rules.h"

namespace hookswitch::fakes {
namespace {

using Mode = SlackBehaviour::Mode;
using Mono = std::chrono::steady_clock;

constexpr std::pair<std::string_view, Mode> kModes[] = {
    {"ok", Mode::kOk},         {"slow", Mode::kSlow},      {"rate_limited", Mode::kRateLimited},
    {"status", Mode::kStatus}, {"drop", Mode::kDrop},      {"drop_after", Mode::kDropAfter},
    {"hang", Mode::kHang},     {"endless", Mode::kEndless}};

std::string NumberOrText(const json::value& value) {
  return value.is_string() ? std::string(value.get_string()) : json::serialize(value);
}

Result<SlackBehaviour> ReadBehaviour(const json::object& object) {
  SlackBehaviour behaviour;
  for (const auto& member : object) {
    const std::string_view key = member.key();
    const json::value& value = member.value();
    json::error_code error;
    if (key == "mode") {
      const auto* found = std::find_if(std::begin(kModes), std::end(kModes),
                                       [&](const auto& mode) { return value == json::string_view(mode.first); });
      if (found == std::end(kModes))
        return Error{ErrorCode::kInvalid, "mode: not one of ok slow rate_limited status drop drop_after hang endless"};
      behaviour.mode = found->second;
    } else if (key == "delay_ms") {
      behaviour.delay = std::chrono::milliseconds(value.to_number<std::int64_t>(error));
    } else if (key == "status") {
      behaviour.status = value.to_number<int>(error);
    } else if (key == "word") {
      behaviour.word = NumberOrText(value);
    } else if (key == "retry_after") {
      behaviour.retry_after = NumberOrText(value);
    } else if (key == "times") {
      behaviour.times = value.to_number<int>(error);
    } else if (key == "per_second") {
      behaviour.per_second = value.to_number<double>(error);
    } else if (key != "path") {
      return Error{ErrorCode::kInvalid, std::string(key) + ": unknown key"};
    }
    if (error) return Error{ErrorCode::kInvalid, std::string(key) + ": " + error.message()};
  }
  return behaviour;
}

json::object ToJson(const FakeSlack::Request& request) {
  json::object headers;
  for (const auto& [name, value] : request.headers) headers[name] = value;
  json::object object;
  object["path"] = request.path;
  object["received_at"] = ToRfc3339(std::chrono::time_point_cast<std::chrono::milliseconds>(request.received));
  object["answered"] = request.answered;
  object["posted"] = request.posted;
  object["problem"] = request.problem;
  object["headers"] = std::move(headers);
  object["body"] = request.body;
  return object;
}

HttpReply Json(json::value value, int status = 200) {
  HttpReply reply;
  reply.status = status;
  reply.content_type = "application/json";
  reply.body = json::serialize(value);
  return reply;
}

}  // namespace

struct FakeSlack::Impl {
  Options options;
  mutable Mutex mu;
  mutable CondVar changed;
  std::deque<Request> requests GUARDED_BY(mu);
  std::size_t request_count GUARDED_BY(mu) = 0;
  std::size_t posted_count GUARDED_BY(mu) = 0;
  std::map<int, std::uint64_t> by_status GUARDED_BY(mu);
  std::map<std::string, SlackBehaviour, std::less<>> behaviours GUARDED_BY(mu);  // "" is every other path
  std::map<std::string, Mono::time_point, std::less<>> next_allowed GUARDED_BY(mu);
  std::unique_ptr<HttpLoop> loop;  // last: its thread ends before what it uses

  HttpReply Handle(const HttpRequest& http) {
    const std::string_view path = http.target.substr(0, http.target.find('?'));
    if (path.starts_with("/_")) return Control(path, http);
    Request request;
    request.path = path;
    request.body = http.body;
    for (const auto& [name, value] : http.headers) request.headers.emplace_back(name, value);
    request.received = std::chrono::system_clock::now();
    request.received_mono = Mono::now();
    HttpReply reply = Answer(http, request);
    const bool ends = reply.then == HttpReply::Then::kKeepAlive || reply.then == HttpReply::Then::kClose;
    request.answered = ends ? reply.status : 0;
    if (options.on_request) options.on_request(request);
    MutexLock lock(mu);
    ++request_count;
    ++by_status[request.answered];
    if (request.posted) ++posted_count;
    requests.push_back(std::move(request));
    if (requests.size() > options.keep) requests.pop_front();
    changed.NotifyAll();
    return reply;
  }

  HttpReply Answer(const HttpRequest& http, Request& request) {
    if (http.method != "POST") return {405, "", "text/html", {}, {}, HttpReply::Then::kKeepAlive};
    const SlackBehaviour behaviour = TakeBehaviour(request.path);
    HttpReply reply;
    reply.delay = behaviour.delay;
    switch (behaviour.mode) {
      case Mode::kOk:
      case Mode::kSlow:
      case Mode::kDropAfter:
      case Mode::kEndless: {
        request.problem = CheckSlackRequest(request.path, request.body);
        if (request.problem.empty() && options.refuses) request.problem = options.refuses(request);
        if (!request.problem.empty()) {
          reply.body = SlackErrorWord(request.problem);
          reply.status = SlackErrorStatus(reply.body);
          return reply;
        }
        if (!WithinRate(request.path, behaviour.per_second)) return RateLimited(behaviour);
        request.posted = true;
        reply.body = "ok";
        if (behaviour.mode == Mode::kDropAfter) reply.then = HttpReply::Then::kCut;
        if (behaviour.mode == Mode::kEndless) {
          reply.then = HttpReply::Then::kFlow;
          reply.delay = std::max(reply.delay, std::chrono::milliseconds(1));
          reply.body = behaviour.word;
        }
        return reply;
      }
      case Mode::kRateLimited: return RateLimited(behaviour);
      case Mode::kStatus:
        reply.status = behaviour.status;
        reply.body = behaviour.word;
        return reply;
      case Mode::kDrop: reply.then = HttpReply::Then::kCut; return reply;
      case Mode::kHang: reply.then = HttpReply::Then::kHang; return reply;
    }
    Unreachable();
  }

  static HttpReply RateLimited(const SlackBehaviour& behaviour) {
    json::object body{{"ok", false}, {"error", "rate_limited"}};
    if (!behaviour.retry_after.empty()) body["retry_after"] = behaviour.retry_after;
    HttpReply reply = Json(std::move(body), 429);
    reply.delay = behaviour.delay;
    if (!behaviour.retry_after.empty()) reply.headers.emplace_back("Retry-After", behaviour.retry_after);
    return reply;
  }

  SlackBehaviour TakeBehaviour(std::string_view path) {
    MutexLock lock(mu);
    auto found = behaviours.find(path);
    if (found == behaviours.end()) found = behaviours.find("");
    if (found == behaviours.end()) return {};
    const SlackBehaviour taken = found->second;
    if (found->second.times > 0 && --found->second.times == 0) behaviours.erase(found);
    return taken;
  }

  bool WithinRate(std::string_view path, double per_second) {
    if (per_second <= 0) return true;
    MutexLock lock(mu);
    const Mono::time_point now = Mono::now();
    Mono::time_point& next = next_allowed[std::string(path)];
    if (now < next) return false;
    next = now + std::chrono::duration_cast<Mono::duration>(std::chrono::duration<double>(1 / per_second));
    return true;
  }

  HttpReply Control(std::string_view path, const HttpRequest& http) {
    if (path == "/_control" && http.method == "POST") return SetBehaviour(http.body);
    if (path == "/_messages") return List(http.target.find("all=1") != std::string_view::npos);
    if (path == "/_stats") return Stats();
    if (path == "/_reset" && http.method == "POST") {
      Forget();
      return Json({{"ok", true}});
    }
    return Json({{"ok", false}, {"error", "unknown control path"}}, 404);
  }

  HttpReply SetBehaviour(std::string_view body) {
    json::error_code error;
    const json::value value = json::parse(body, error);
    if (error || !value.is_object()) return Json({{"ok", false}, {"error", "not a JSON object"}}, 400);
    const auto behaviour = ReadBehaviour(value.get_object());
    if (!behaviour) return Json({{"ok", false}, {"error", behaviour.error().message}}, 400);
    const json::value* path = value.get_object().if_contains("path");
    MutexLock lock(mu);
    behaviours[path != nullptr ? NumberOrText(*path) : ""] = *behaviour;
    return Json({{"ok", true}});
  }

  HttpReply List(bool all) {
    json::array list;
    MutexLock lock(mu);
    for (const Request& request : requests) {
      if (all || request.posted) list.push_back(ToJson(request));
    }
    return Json(std::move(list));
  }

  HttpReply Stats() {
    MutexLock lock(mu);
    json::object statuses;
    for (const auto& [status, count] : by_status) statuses[std::to_string(status)] = count;
    return Json({{"requests", request_count},
                 {"posted", posted_count},
                 {"connections", loop->Accepted()},
                 {"by_status", std::move(statuses)}});
  }

  void Forget() {
    MutexLock lock(mu);
    requests.clear();
    behaviours.clear();
    next_allowed.clear();
    by_status.clear();
    request_count = posted_count = 0;
  }

  bool WaitFor(const std::size_t Impl::*count, std::size_t target, std::chrono::milliseconds timeout) const {
    const auto deadline = Mono::now() + timeout;
    MutexLock lock(mu);
    while (this->*count < target) {
      if (Mono::now() >= deadline) return false;
      changed.WaitUntil(mu, deadline);
    }
    return true;
  }
};

Result<std::unique_ptr<FakeSlack>> FakeSlack::Start(Options options) {
  auto impl = std::make_unique<Impl>();
  const std::uint16_t port = options.port;
  impl->options = std::move(options);
  auto loop = HttpLoop::Start([raw = impl.get()](const HttpRequest& request) { return raw->Handle(request); }, port);
  if (!loop) return std::move(loop).error();
  impl->loop = std::move(*loop);
  return std::unique_ptr<FakeSlack>(new FakeSlack(std::move(impl)));
}

FakeSlack::FakeSlack(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

FakeSlack::FakeSlack() {
  auto started = Start({});
  HSW_CHECK(started, "the loopback has a free port");
  impl_ = std::move((*started)->impl_);
}

FakeSlack::~FakeSlack() = default;

std::uint16_t FakeSlack::Port() const {
  return impl_->loop->Port();
}
std::string FakeSlack::Url(std::string_view path) const {
  return "http://127.0.0.1:" + std::to_string(Port()) + std::string(path);
}

void FakeSlack::Behave(SlackBehaviour behaviour) {
  Behave("", std::move(behaviour));
}
void FakeSlack::Behave(std::string_view path, SlackBehaviour behaviour) {
  MutexLock lock(impl_->mu);
  impl_->behaviours[std::string(path)] = std::move(behaviour);
}
void FakeSlack::GoDown() {
  impl_->loop->GoDown();
}
void FakeSlack::ComeBack() {
  impl_->loop->ComeBack();
}
void FakeSlack::Reset() {
  impl_->Forget();
}

std::vector<FakeSlack::Request> FakeSlack::Posted(std::string_view path) const {
  std::vector<Request> posted;
  MutexLock lock(impl_->mu);
  for (const Request& request : impl_->requests) {
    if (request.posted && (path.empty() || request.path == path)) posted.push_back(request);
  }
  return posted;
}
std::vector<FakeSlack::Request> FakeSlack::Requests() const {
  MutexLock lock(impl_->mu);
  return {impl_->requests.begin(), impl_->requests.end()};
}
std::size_t FakeSlack::PostedCount() const {
  MutexLock lock(impl_->mu);
  return impl_->posted_count;
}
std::size_t FakeSlack::RequestCount() const {
  MutexLock lock(impl_->mu);
  return impl_->request_count;
}
bool FakeSlack::WaitForPosted(std::size_t count, std::chrono::milliseconds timeout) const {
  return impl_->WaitFor(&Impl::posted_count, count, timeout);
}
bool FakeSlack::WaitForRequests(std::size_t count, std::chrono::milliseconds timeout) const {
  return impl_->WaitFor(&Impl::request_count, count, timeout);
}

}  // namespace hookswitch::fakes
