#include "core/journal/checkpointer.h"

#include <algorithm>
#include <utility>

#include "core/base/log.h"
#include "core/base/thread_name.h"

namespace hookswitch {

Checkpointer::Checkpointer(std::string path) : path_(std::move(path)), thread_([this] { Run(); }) {}

Checkpointer::~Checkpointer() {
  {
    MutexLock lock(mu_);
    stop_ = true;
  }
  changed_.NotifyAll();
  thread_.join();
}

void Checkpointer::Ask() {
  {
    MutexLock lock(mu_);
    if (asked_) return;
    asked_ = true;
  }
  changed_.NotifyAll();
}

void Checkpointer::AwaitPass() {
  MutexLock lock(mu_);
  while (asked_) changed_.Wait(mu_);
}

int Checkpointer::TakeMoved() {
  MutexLock lock(mu_);
  return std::exchange(moved_, 0);
}

void Checkpointer::Run() {
  NameThread("checkpoint");
  for (;;) {
    {
      MutexLock lock(mu_);
      while (!stop_ && !asked_) changed_.Wait(mu_);
      if (stop_) return;
    }
    const int moved = Pass();
    MutexLock lock(mu_);
    asked_ = false;
    moved_ = moved;
    changed_.NotifyAll();
  }
}

// A failed pass loses nothing: the log keeps its frames, and the next pass opens a new connection.
int Checkpointer::Pass() {
  if (!db_.IsOpen()) {
    auto opened = Database::Open(path_, Database::Mode::kWrite);
    if (!opened) {
      log::Warn("journal_checkpoint_failed", {{"reason", opened.error().message}});
      return 0;
    }
    db_ = std::move(*opened);
  }
  // A connection must have read once to know of the log; else the checkpoint does nothing.
  auto done = Result<Database::Checkpoint>(Database::Checkpoint{});
  if (const auto read = db_.Ask("SELECT count(*) FROM sqlite_schema"); !read) {
    done = read.error();
  } else {
    done = db_.MoveLog();
  }
  // SQLite syncs the database only after checkpointing the whole log, which it cannot while commits go on. Syncing here
  // leaves little to sync for the writer, which checkpoints the last frames.
  if (done) {
    if (const Status synced = db_.Sync(); !synced) done = synced.error();
  }
  if (!done) {
    log::Warn("journal_checkpoint_failed", {{"reason", done.error().message}});
    db_.Close();
    return 0;
  }
  return std::max(done->moved, 0);
}

}  // namespace hookswitch
