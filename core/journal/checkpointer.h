#pragma once
#include <string>
#include <thread>

#include "core/base/sync.h"
#include "core/journal/sqlite.h"

namespace hookswitch {

/// Moves the write-ahead log into the database on a thread and connection of its own, so that commits go on meanwhile.
/// All functions are the writer's, and none is called once the destructor has begun.
class Checkpointer {
 public:
  explicit Checkpointer(std::string path);
  ~Checkpointer();

  /// Asks for a pass; returns at once. Asking during a pass does nothing.
  void Ask();
  /// Waits until no pass is asked for or under way: for a log that must not grow any more.
  void AwaitPass();
  /// How many frames of the log the last pass moved, once for each pass; 0 if none ended since.
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
