#pragma once
#include <memory>
#include <optional>
#include <string_view>
#include <thread>
#include <vector>

#include "core/admin/live_feed.h"
#include "core/admin/live_readers.h"
#include "core/admin/router.h"
#include "core/base/clock.h"
#include "core/base/sync.h"
#include "core/ingress/http_server.h"
#include "core/journal/history.h"
#include "core/journal/journal.h"

namespace hookswitch {

/// Serves GET /api/v1/stream (OPERATING.md, "The stream"): what happens, as server-sent events.
///
/// One thread, `live`, reads what is new every 50 ms and writes it to all readers; without readers it sleeps. A stream
/// holds no thread; a reader that is too slow is cut off, and comes again with its cursor.
class LiveStream {
 public:
  static constexpr std::string_view kPath = "/api/v1/stream";
  static constexpr std::size_t kMostReaders = 64;

  /// The references outlive it.
  LiveStream(Router& router, History& history, Journal& journal, const Clock& clock);
  ~LiveStream() { Stop(); }

  /// Responds to a request for kPath, or keeps it and opens a stream. [thread: any] Does not block.
  void Handle(Responder responder) EXCLUDES(mu_);
  /// Ends the streams that are open: their readers have to come again. [thread: any]
  void EndAll() EXCLUDES(mu_);
  /// Ends everything; later requests are answered 503. [thread: control]
  void Stop() EXCLUDES(mu_);

 private:
  struct Joining {
    Responder responder;
    LiveKinds kinds = kAllLiveKinds;
    bool resumes = false;
    std::optional<LiveCursor> from{};  ///< with `resumes`; empty: unreadable
  };

  // [thread: live]
  void Run() EXCLUDES(mu_);
  struct Work {
    std::vector<Joining> joining{};
    bool ends_all = false;
    bool probes = false;  ///< drop those that have left: there was no place for a reader
    bool IsNone() const { return joining.empty() && !ends_all && !probes; }
  };
  void Turn(Work work);
  void Open(Joining joining);

  Router& router_;
  LiveFeed feed_;        ///< of the thread
  LiveReaders readers_;  ///< of the thread

  Mutex mu_;
  CondVar wake_;
  bool stopping_ GUARDED_BY(mu_) = false;
  std::size_t open_ GUARDED_BY(mu_) = 0;  ///< readers, as of the last turn
  Work work_ GUARDED_BY(mu_);             ///< for the next turn
  std::thread thread_;
};

}  // namespace hookswitch
