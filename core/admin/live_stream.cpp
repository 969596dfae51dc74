#include "core/admin/live_stream.h"

#include <chrono>
#include <utility>

#include "core/admin/answers.h"
#include "core/admin/query.h"
#include "core/base/thread_name.h"

namespace hookswitch {
namespace {

constexpr std::chrono::milliseconds kLookEvery{50};
constexpr std::size_t kMostUnsent = 512 * 1024;
constexpr int kComeAgainSeconds = 5;
constexpr std::string_view kGoingDown = "the router is going down";
// How long a browser waits before it comes again.
constexpr std::string_view kRetry = "retry: 1000\n";

Answer NotNow(std::string_view error, std::string_view detail) {
  Answer answer = Refused(503, error, detail);
  answer.retry_after_seconds = kComeAgainSeconds;
  return answer;
}

}  // namespace

LiveStream::LiveStream(Router& router, History& history, Journal& journal, const Clock& clock)
    : router_(router), feed_(router, history, journal, clock), readers_(clock) {
  thread_ = std::thread([this] { Run(); });
}

void LiveStream::Handle(Responder responder) {
  const ServedRequest request = responder.request();
  if (Status body = ExpectNoBody(request.body); !body) return responder.Complete(BadRequest(body.error()));
  const auto query = ParseStreamQuery(request.query);
  if (!query) return responder.Complete(BadRequest(query.error()));
  LiveKinds kinds = kAllLiveKinds;
  if (!query->kinds.empty()) {
    const auto named = ParseLiveKinds(query->kinds);
    if (!named) return responder.Complete(BadRequest(named.error()));
    kinds = *named;
  }
  // A browser that comes again sends the same URL, and the newer cursor in the header.
  const std::string_view last = request.Header("Last-Event-ID");
  const std::string_view cursor = last.empty() ? std::string_view(query->cursor) : last;
  Joining joining{std::move(responder), kinds, !cursor.empty(), ParseLiveCursor(cursor)};
  bool is_full = false, is_over = false;
  {
    MutexLock lock(mu_);
    is_over = stopping_;
    is_full = open_ + work_.joining.size() >= kMostReaders;
    if (is_full) work_.probes = true;
    if (!is_over && !is_full) work_.joining.push_back(std::move(joining));
  }
  wake_.NotifyOne();
  if (is_over) return joining.responder.Complete(NotNow("draining", kGoingDown));
  if (is_full) {
    joining.responder.Complete(NotNow("too_many_streams", "64 streams are open already; close one of them"));
  }
}

void LiveStream::EndAll() {
  MutexLock lock(mu_);
  work_.ends_all = true;
  wake_.NotifyOne();
}

void LiveStream::Stop() {
  {
    MutexLock lock(mu_);
    stopping_ = true;
  }
  wake_.NotifyOne();
  if (thread_.joinable()) thread_.join();
}

void LiveStream::Run() {
  NameThread("live");
  auto next = std::chrono::steady_clock::now();
  Work work;
  for (;;) {
    {
      MutexLock lock(mu_);
      open_ = readers_.count();
      while (!stopping_ && work_.IsNone()) {
        if (open_ == 0) {
          wake_.Wait(mu_);
        } else if (std::chrono::steady_clock::now() < next) {
          wake_.WaitUntil(mu_, next);
        } else {
          break;
        }
      }
      work = std::exchange(work_, {});
      open_ += work.joining.size();
      if (stopping_) break;
    }
    next = std::chrono::steady_clock::now() + kLookEvery;
    Turn(std::move(work));
  }
  readers_.EndAll();
  for (Joining& one : work.joining) one.responder.Complete(NotNow("draining", kGoingDown));
}

void LiveStream::Turn(Work work) {
  if (work.ends_all) readers_.EndAll();
  if (work.probes) readers_.Probe();
  if (readers_.count() == 0) {
    feed_.Begin();
  } else {
    readers_.Send(feed_.Pass(readers_.kinds()));
  }
  for (Joining& one : work.joining) Open(std::move(one));
  readers_.Tend();
}

void LiveStream::Open(Joining joining) {
  Answer head;
  head.content_type = "text/event-stream";
  head.headers = {{"X-Accel-Buffering", "no"}};  // nginx must not hold it back
  auto stream = joining.responder.Stream(head, kMostUnsent);
  const RouterStatus status = router_.Status();
  const json::object hello{
      {"cursor", ToText(feed_.cursor())}, {"version", status.version}, {"generation", status.generation}};
  // With the old cursor, until what was missed is told.
  std::string first(kRetry);
  first += MessageText("hello", ToText(hello), joining.from.value_or(feed_.cursor()));
  if (joining.resumes) {
    for (const LiveMessage& message : feed_.CatchUp(joining.from, joining.kinds)) first += message.text;
  }
  readers_.Add(std::move(stream), joining.kinds, first);
}

}  // namespace hookswitch
