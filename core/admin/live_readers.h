#pragma once
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "core/admin/live_message.h"
#include "core/base/clock.h"
#include "core/ingress/http_server.h"

namespace hookswitch {

/// The open streams of messages. One whose reader has left or is too slow is dropped at the next write. Not
/// thread-safe; never blocks.
class LiveReaders {
 public:
  static constexpr std::chrono::seconds kCommentAfter{15};
  /// As long as a cookie is valid (AdminGuard::kCookieLife): whoever may still read comes again.
  static constexpr std::chrono::hours kLongest{12};

  /// `clock` outlives it.
  explicit LiveReaders(const Clock& clock) : clock_(clock) {}

  /// Writes `first` to the stream; keeps it if the reader takes that.
  void Add(std::unique_ptr<BodyStream> stream, LiveKinds kinds, std::string_view first);
  /// Writes to each reader the messages that it wants.
  void Send(std::span<const LiveMessage> messages);
  /// Writes a comment where nothing was written for kCommentAfter, and ends streams that are open for kLongest.
  void Tend();
  /// Writes a comment to all, so that those are dropped whose readers have left.
  void Probe();
  void EndAll() { readers_.clear(); }

  std::size_t count() const { return readers_.size(); }
  /// What any of them wants.
  LiveKinds kinds() const;

 private:
  struct Reader {
    std::unique_ptr<BodyStream> stream;
    LiveKinds kinds;
    MonoTime opened, written;
  };

  const Clock& clock_;
  std::vector<Reader> readers_;
};

}  // namespace hookswitch
