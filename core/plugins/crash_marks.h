#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/ids.h"
#include "core/base/result.h"

namespace hookswitch {

/// What a thread does where a plugin, or an odd event, may end the process.
enum class PluginCall : std::uint8_t {
  kNone,
  kPrepare,
  kRender,
  kInterpret,
  kDeliver,
  kLoad,
  kCreate,
  kDestroy,
  kReopen,
  kPreview
};
std::string_view ToString(PluginCall call);

/// Who is inside a plugin right now, in a file that is mapped into memory: whatever ends the process, the next one
/// finds it there. Whoever reports the end (fatal_end.h) writes beside it whose fault it was, so that a process that
/// was killed from outside is told from one that a plugin ended. Costs a few stores to memory; says nothing after the
/// machine itself went down. Safe from any thread.
class CrashMarks {
 public:
  /// Opens or makes the file (0600) and keeps it locked: a second router must not take the first one's marks. Errors:
  /// kUnavailable.
  static Result<std::unique_ptr<CrashMarks>> Open(const std::string& path);
  ~CrashMarks();
  CrashMarks(const CrashMarks&) = delete;
  CrashMarks& operator=(const CrashMarks&) = delete;

  struct Left {
    DeliverySeq delivery = 0;
    PluginCall call{};
    bool crashed = false;  ///< it ended the process; else the process was killed meanwhile
  };
  /// The deliveries that were inside when the process before ended, each once, by number; forgotten then.
  std::vector<Left> TakeLeft();

  /// Whether a call of this subject (see Where) ended a process before, or a process was killed in it twice in a row,
  /// and none has returned since.
  bool EndedIn(std::uint64_t subject) const;
  const std::string& path() const { return path_; }
  /// A call of this subject has returned.
  void Forgive(std::uint64_t subject);

  /// The process ends in good order: whoever still is inside a plugin is not to blame.
  void Clear();

  struct Where {
    PluginCall call{};
    DeliverySeq delivery = 0;
    std::uint64_t subject = 0;  ///< without a delivery: what is loaded or made, as a number; 0: nobody asks
    /// Borrowed while inside.
    std::string_view plugin{}, sink{}, delivery_id{};
  };

  /// This thread is there while this lives.
  class Inside {
   public:
    /// `marks` may be nullptr: then nothing is written.
    Inside(CrashMarks* marks, const Where& where);
    ~Inside();
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

    const Where& where() const { return where_; }
    /// The innermost of this thread, or nullptr. Async-signal-safe.
    static const Inside* OfThisThread();

   private:
    friend class CrashMarks;
    const Where where_;
    struct Mark* mark_ = nullptr;  ///< nullptr: there was no place
    const Inside* const outer_;
  };

  /// This thread ends the process. If it is in no plugin, it may be a plugin's own thread, or what a plugin has broken:
  /// then all who are inside are to blame. Async-signal-safe.
  void Blame();

 private:
  CrashMarks(std::string path, struct MarkFile* file, int fd) : path_(std::move(path)), file_(file), fd_(fd) {}
  const std::string path_;
  struct MarkFile* const file_;
  const int fd_;  ///< holds the lock
  std::vector<struct Mark*> left_;
};

}  // namespace hookswitch
