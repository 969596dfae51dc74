#pragma once
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "core/base/ids.h"
#include "core/base/result.h"

namespace hookswitch {

/// Which deliveries are inside a plugin right now, in a file that is mapped into memory: whatever ends the process
/// (a plugin's fault, a kill), the next one finds them there. Costs two stores to memory; says nothing after the
/// machine itself went down, which is no plugin's fault. Safe from any thread.
class CrashMarks {
 public:
  /// Opens or makes the file (0600). Errors: kUnavailable.
  static Result<std::unique_ptr<CrashMarks>> Open(const std::string& path);
  ~CrashMarks();
  CrashMarks(const CrashMarks&) = delete;
  CrashMarks& operator=(const CrashMarks&) = delete;

  /// What the process before left, each once; forgotten then.
  std::vector<DeliverySeq> TakeLeft();
  /// The process ends in good order: whoever still is inside a plugin is not to blame.
  void Clear();

  /// `delivery` is inside a plugin while this lives.
  class Inside {
   public:
    /// `marks` may be nullptr: then nothing is marked.
    Inside(CrashMarks* marks, DeliverySeq delivery);
    ~Inside();
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;

   private:
    std::atomic<DeliverySeq>* mark_ = nullptr;  ///< nullptr: there was no place
  };

 private:
  explicit CrashMarks(std::atomic<DeliverySeq>* marks) : marks_(marks) {}
  std::atomic<DeliverySeq>* const marks_;
};

}  // namespace hookswitch
