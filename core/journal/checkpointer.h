#pragma once
#include <string>
#include <thread>

#include "core/base/sync.h"
#include "core/journal/sqlite.h"

namespace hookswitch {

/// Checkpoints the write-ahead log on its own thread and connection, so that commits go on meanwhile. [thread: journal
/// writer]
class Checkpointer {
 public:
  explicit Checkpointer(std::string path);
  ~Checkpointer();

  /// Requests a pass and returns at once; does nothing while a pass is requested or running.
  void Ask();
  /// Blocks until no pass is requested or running.
  void AwaitPass();
  /// Frames checkpointed by the last pass; 0 if no pass has ended since the last call.
  int TakeMoved();

 private:
  void Run();
  int Pass();

  const std::string path_;
  Database db_;
  Mutex mu_;
  CondVar changed_;
  bool stop_ GUARDED_BY(mu_) = false;
  bool asked_ GUARDED_BY(mu_) = false;
  int moved_ GUARDED_BY(mu_) = 0;
  std::thread thread_;
};

}  // namespace hookswitch
