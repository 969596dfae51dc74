#pragma once
#include <string>
#include <thread>

#include "core/base/sync.h"
#include "core/journal/sqlite.h"

namespace hookswitch {

/// Checkpoints the write-ahead log on its own thread and connection, so that commits go on meanwhile.
class Checkpointer {
 public:
  /// Starts the thread. `path`: an existing database.
  explicit Checkpointer(std::string path);
  /// Blocks until a running pass has ended.
  ~Checkpointer();

  /// Requests a pass and returns at once; does nothing while a pass is requested or running. [thread: any]
  void RequestPass();
  /// Blocks until no pass is requested or running. [thread: any]
  void AwaitPass();
  /// Frames checkpointed by the last pass; 0 if no pass has ended since the last call. [thread: any]
  int TakeCheckpointed();

 private:
  void Run();
  /// Returns the frames that are in the database now; 0 if it failed. [thread: checkpoint]
  int RunPass();

  const std::string path_;
  Database db_;  ///< of the checkpointer's own thread
  Mutex mu_;
  CondVar changed_;
  bool stop_ GUARDED_BY(mu_) = false;
  bool requested_ GUARDED_BY(mu_) = false;
  int checkpointed_ GUARDED_BY(mu_) = 0;
  std::thread thread_;
};

}  // namespace hookswitch
