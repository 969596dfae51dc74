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

/// What a thread is doing when a plugin, or an unusual event, may crash the process.
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

/// Records which threads are inside a plugin, in a memory-mapped file, so that the next process can tell what crashed
/// this one. The crash handler (fatal_end.h) marks the culprit, which distinguishes a crash from a kill by another
/// process. Costs a few memory stores; not reliable after a machine crash. [thread: any]
class CrashMarks {
 public:
  /// Opens or creates the file (0600) and locks it, so that a second router cannot take its marks. Errors:
  /// kUnavailable.
  static Result<std::unique_ptr<CrashMarks>> Open(const std::string& path);
  ~CrashMarks();
  CrashMarks(const CrashMarks&) = delete;
  CrashMarks& operator=(const CrashMarks&) = delete;

  struct Left {
    DeliverySeq delivery = 0;
    PluginCall call{};
    bool crashed = false;  ///< its call crashed the process; else the process was killed during it
  };
  /// Returns and clears the deliveries that were inside a plugin when the previous process died; each once, by number.
  std::vector<Left> TakeLeft();

  /// Whether a call for this subject (see Where) crashed a process, or was running at two kills in a row, and none has
  /// returned since.
  bool EndedIn(std::uint64_t subject) const;
  const std::string& path() const { return path_; }
  /// Clears the subject: a call for it has returned.
  void Forgive(std::uint64_t subject);

  /// Clears all marks at an orderly shutdown: calls still inside a plugin are not to blame.
  void Clear();

  struct Where {
    PluginCall call{};
    DeliverySeq delivery = 0;
    std::uint64_t subject = 0;  ///< without a delivery: a number for the library or instance; 0: not recorded
    /// Borrowed for the lifetime of Inside.
    std::string_view plugin{}, sink{}, delivery_id{};
  };

  /// Marks the calling thread as being at `where` for its lifetime.
  class Inside {
   public:
    /// `marks` nullptr: writes nothing to the file.
    Inside(CrashMarks* marks, const Where& where);
    ~Inside();
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

    const Where& where() const { return where_; }
    /// The calling thread's innermost Inside, or nullptr. Async-signal-safe.
    static const Inside* OfThisThread();

   private:
    friend class CrashMarks;
    const Where where_;
    struct Mark* mark_ = nullptr;  ///< nullptr: no marks, or the file is full
    const Inside* const outer_;
  };

  /// The calling thread is ending the process: marks its call as crashed. A thread outside all plugins may have been
  /// started or broken by one, so then every current call is marked. Async-signal-safe.
  void Blame();

 private:
  CrashMarks(std::string path, struct MarkFile* file, int fd) : path_(std::move(path)), file_(file), fd_(fd) {}
  const std::string path_;
  struct MarkFile* const file_;
  const int fd_;  ///< holds the file lock
  std::vector<struct Mark*> left_;
};

}  // namespace hookswitch
