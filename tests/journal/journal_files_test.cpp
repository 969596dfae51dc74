#include "core/journal/journal_files.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <new>
#include <vector>

#include "core/base/log.h"
#include "tests/journal/sqlite_fixture.h"
#include "tests/journal/sync_spy.h"

namespace hookswitch {
namespace {

using testing::HasSubstr;

class JournalFiles : public SqliteFixture {
 protected:
  void SetUp() override {
    log::SetWriterForTest([this](log::Level, std::string_view line) { lines_.emplace_back(line); });
  }
  void TearDown() override {
    SqliteFixture::TearDown();
    log::SetWriterForTest(nullptr);
  }
  static std::string Read(const std::string& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static void Write(const std::string& path, const std::string& text) { std::ofstream(path) << text; }
  /// The paths that a start warned of, in order.
  std::vector<std::string> Warned(const std::string& event) const {
    std::vector<std::string> paths;
    for (const std::string& line : lines_) {
      if (line.find("\"event\":\"" + event + "\"") == std::string::npos) continue;
      const auto begin = line.find("\"path\":\"") + 8;
      paths.push_back(line.substr(begin, line.find('"', begin) - begin));
    }
    return paths;
  }
  std::vector<std::string> lines_;
};

TEST_F(JournalFiles, ALockThatIsALinkIsRefusedAndItsTargetIsLeftAlone) {
  Write(folder_ / "notes", "4711\n");
  std::filesystem::create_symlink(folder_ / "notes", path_ + ".lock");
  const Status opened = Open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(opened.error().message, HasSubstr(path_ + ".lock is a symbolic link"));
  EXPECT_EQ(Read(folder_ / "notes"), "4711\n");
  std::filesystem::remove(path_ + ".lock");
  std::filesystem::create_symlink(folder_ / "none", path_ + ".lock");
  EXPECT_FALSE(Open());
  EXPECT_FALSE(std::filesystem::exists(folder_ / "none")) << "nothing is made at the other end";
}

TEST_F(JournalFiles, ALockThatIsNoFileIsRefusedAtOnce) {
  ASSERT_EQ(mkfifo((path_ + ".lock").c_str(), 0600), 0);
  const Status fifo = Open();
  ASSERT_FALSE(fifo);
  EXPECT_THAT(fifo.error().message, HasSubstr("is not a regular file"));
  std::filesystem::remove(path_ + ".lock");
  std::filesystem::create_directory(path_ + ".lock");
  EXPECT_FALSE(Open());
}

TEST_F(JournalFiles, WhatIsNoLockOfOursIsLockedAndNotWritten) {
  for (const std::string& text : {std::string("my notes\n"), std::string(1000, '7'), std::string("12 34\n")}) {
    journal_.reset();
    Write(path_ + ".lock", text);
    ASSERT_TRUE(Open());
    EXPECT_EQ(Read(path_ + ".lock"), text);
    const auto second = OpenSqliteJournal(options_, clock_);
    ASSERT_FALSE(second);
    EXPECT_THAT(second.error().message, HasSubstr("in use by another hookswitch: stop"));
  }
  journal_.reset();
  Write(folder_ / "pid", "4711\n");
  std::filesystem::remove(path_ + ".lock");
  std::filesystem::create_hard_link(folder_ / "pid", path_ + ".lock");
  ASSERT_TRUE(Open());
  EXPECT_EQ(Read(folder_ / "pid"), "4711\n");
}

TEST_F(JournalFiles, ALinkLeadsToTheSameLock) {
  ASSERT_TRUE(Open());
  std::filesystem::create_symlink(path_, folder_ / "link.db");
  std::filesystem::create_directory_symlink(folder_.path(), folder_ / "folder");
  for (const char* name : {"link.db", "folder/journal.db"}) {
    options_.path = folder_ / name;
    const auto second = OpenSqliteJournal(options_, clock_);
    ASSERT_FALSE(second) << name;
    EXPECT_THAT(second.error().message, HasSubstr("in use by another hookswitch"));
  }
}

TEST_F(JournalFiles, NewFoldersAndFilesSurviveAPowerCut) {
  const SyncSpy spy;
  path_ = folder_ / "a/b/c/journal.db";
  ASSERT_TRUE(Open());
  ASSERT_TRUE(Append("first"));
  for (const char* folder : {"", "a", "a/b", "a/b/c"}) EXPECT_GE(spy.Count(folder_ / folder), 1) << folder;
}

TEST_F(JournalFiles, WhatOthersMayWriteIsWarnedOfOnceEach) {
  const auto change = [this](const std::string& name, mode_t mode) {
    ASSERT_EQ(chmod((folder_ / name).c_str(), mode), 0) << name;
  };
  path_ = folder_ / "up/down/journal.db";
  ASSERT_TRUE(Open());
  ASSERT_TRUE(Append("first"));
  EXPECT_TRUE(Warned("journal_exposed").empty()) << "what we make is for us alone";
  journal_.reset();

  change("up", 0777);
  change("up/down", 0722);
  change("up/down/journal.db", 0666);
  change("up/down/journal.db.lock", 0602);
  ASSERT_TRUE(Open());
  EXPECT_EQ(Warned("journal_exposed"), (std::vector<std::string>{folder_ / "up/down", folder_ / "up", path_,
                                                                 path_ + "-wal", path_ + "-shm", path_ + ".lock"}))
      << "SQLite gives its files the mode of the journal";
  EXPECT_THAT(lines_.front(), HasSubstr("every user may write it (mode 0722)"));
}

TEST_F(JournalFiles, WhoElseMayWriteIsTold) {
  const auto reason = [this] {
    const auto found = FindExposed(path_);
    return found.empty() ? std::string() : found.front().reason;
  };
  ASSERT_EQ(chmod(folder_.path().c_str(), 01777), 0);
  EXPECT_THAT(reason(), HasSubstr("every user")) << "in a sticky folder others can make a log before we do";
  ASSERT_EQ(chmod(folder_.path().c_str(), 0700), 0);
  EXPECT_EQ(reason(), "");
  if (geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  ASSERT_EQ(chown(folder_.path().c_str(), 0, 4711), 0);
  EXPECT_EQ(reason(), "");
  ASSERT_EQ(chmod(folder_.path().c_str(), 0770), 0);
  EXPECT_THAT(reason(), HasSubstr("group 4711 may write it (mode 0770)"));
  ASSERT_EQ(chown(folder_.path().c_str(), 0, 0), 0);
  EXPECT_EQ(reason(), "") << "a group that is root's";
  ASSERT_EQ(chown(folder_.path().c_str(), 4712, 0), 0);
  EXPECT_THAT(reason(), HasSubstr("user 4712 may write it"));
  ASSERT_EQ(chown(folder_.path().c_str(), 0, 0), 0);
}

TEST_F(JournalFiles, NetworkFileSystemsAreKnown) {
  EXPECT_EQ(NetworkFileSystemName(0x6969), "NFS");
  EXPECT_EQ(NetworkFileSystemName(0xff534d42), "CIFS");
  EXPECT_EQ(NetworkFileSystemName(0x65735546), "FUSE");
  for (const std::uint64_t local : {0xef53, 0x58465342, 0x01021994, 0x794c7630}) {  // ext4, XFS, tmpfs, overlayfs
    EXPECT_EQ(NetworkFileSystemName(local), "");
  }
  EXPECT_EQ(NetworkFileSystemOf(folder_.path()), "");
  ASSERT_TRUE(Open());
  EXPECT_TRUE(lines_.empty());
}

/// A file system without shared memory, as some network file systems are: SQLite cannot keep a write-ahead log there.
class NoSharedMemory {
 public:
  NoSharedMemory() {
    real_ = sqlite3_vfs_find(nullptr);
    vfs_ = *real_;
    vfs_.zName = "hookswitch_no_shm";
    vfs_.xOpen = [](sqlite3_vfs*, sqlite3_filename name, sqlite3_file* file, int flags, int* out) {
      const int answer = real_->xOpen(real_, name, file, flags, out);
      if (answer != SQLITE_OK || file->pMethods == nullptr) return answer;
      methods_ = *file->pMethods;
      methods_.iVersion = 1;
      file->pMethods = &methods_;
      return answer;
    };
    EXPECT_EQ(sqlite3_vfs_register(&vfs_, 1), SQLITE_OK);
  }
  ~NoSharedMemory() {
    sqlite3_vfs_unregister(&vfs_);
    sqlite3_vfs_register(real_, 1);
  }

 private:
  static inline sqlite3_vfs* real_ = nullptr;
  static inline sqlite3_io_methods methods_{};
  sqlite3_vfs vfs_{};
};

TEST_F(JournalFiles, WhereNoLogCanBeKeptTheStartSaysSo) {
  const NoSharedMemory disk;
  const Status opened = Open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(opened.error().message,
              HasSubstr("journal " + path_ + ": its file system cannot keep a write-ahead log"));
  EXPECT_THAT(opened.error().message, HasSubstr("put journal.path on a local disk"));
}

}  // namespace
}  // namespace hookswitch
