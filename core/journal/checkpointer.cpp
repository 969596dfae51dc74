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

void Checkpointer::RequestPass() {
  {
    MutexLock lock(mu_);
    if (requested_) return;
    requested_ = true;
  }
  changed_.NotifyAll();
}

void Checkpointer::AwaitPass() {
  MutexLock lock(mu_);
  while (requested_) changed_.Wait(mu_);
}

int Checkpointer::TakeCheckpointed() {
  MutexLock lock(mu_);
  return std::exchange(checkpointed_, 0);
}

void Checkpointer::Run() {
  NameThread("checkpoint");
  for (;;) {
    {
      MutexLock lock(mu_);
      while (!stop_ && !requested_) changed_.Wait(mu_);
      if (stop_) return;
    }
    const int checkpointed = RunPass();
    MutexLock lock(mu_);
    requested_ = false;
    checkpointed_ = checkpointed;
    changed_.NotifyAll();
  }
}

// A failed pass loses nothing: the log keeps its frames, and the next pass opens a new connection.
int Checkpointer::RunPass() {
  if (!db_.IsOpen()) {
    auto opened = Database::Open(path_, Database::Mode::kWrite);
    if (!opened) {
      log::Warn("journal_checkpoint_failed", {{"reason", opened.error().message}});
      return 0;
    }
    db_ = std::move(*opened);
  }
  // A connection must have read once to know of the log; else the checkpoint does nothing.
  auto done = Result<Database::CheckpointResult>(Database::CheckpointResult{});
  if (const auto read = db_.QueryInt("SELECT count(*) FROM sqlite_schema"); !read) {
    done = read.error();
  } else {
    done = db_.Checkpoint();
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
  return std::max(done->checkpointed, 0);
}

}  // namespace hookswitch
