#include "tests/journal/fault_vfs.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <new>
#include <random>
#include <vector>

namespace hookswitch {
namespace {

struct Change {
  bool truncates = false;
  std::size_t at = 0;
  std::string bytes;
};

struct Disk {
  struct File {
    std::string synced;
    std::vector<Change> unsynced;
  };
  std::mutex mu;
  std::map<std::string, File> files;
  FaultVfs::Fault fault = FaultVfs::Fault::kNone;
  std::int64_t at_step = 0, step = 0;
  bool struck = false;
  std::mt19937 random;

  bool IsDark() const { return struck && fault == FaultVfs::Fault::kPowerCut; }
  /// SQLITE_OK, or what the step answers.
  int Step() {
    if (IsDark()) return SQLITE_IOERR;
    ++step;
    const bool lasts = fault == FaultVfs::Fault::kFail || fault == FaultVfs::Fault::kReadOnly;
    const bool strikes = fault != FaultVfs::Fault::kNone && (step == at_step || (step > at_step && lasts));
    if (!strikes) return SQLITE_OK;
    struck = true;
    return at_step % 2 == 0 ? SQLITE_FULL : SQLITE_IOERR;
  }
};

Disk* disk = nullptr;
sqlite3_vfs* real = nullptr;
sqlite3_vfs faulty;

struct FaultFile {
  sqlite3_file base;
  std::string* path;  ///< nullptr: a temporary file
  sqlite3_file* file() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

FaultFile* Of(sqlite3_file* file) {
  return reinterpret_cast<FaultFile*>(file);
}
template <auto Method, class... Arguments>
int Pass(sqlite3_file* file, Arguments... arguments) {
  sqlite3_file* inner = Of(file)->file();
  return (inner->pMethods->*Method)(inner, arguments...);
}

void Apply(std::string& content, const Change& change, std::size_t length) {
  if (change.truncates) {
    content.resize(change.at);
    return;
  }
  if (content.size() < change.at + length) content.resize(change.at + length);
  std::copy_n(change.bytes.begin(), length, content.begin() + static_cast<std::ptrdiff_t>(change.at));
}

int Close(sqlite3_file* file) {
  delete Of(file)->path;
  return Pass<&sqlite3_io_methods::xClose>(file);
}
int ShmMap(sqlite3_file* file, int region, int size, int extend, void volatile** memory) {
  {
    std::lock_guard lock(disk->mu);
    if (disk->struck && disk->fault == FaultVfs::Fault::kReadOnly) return SQLITE_IOERR_SHMOPEN;
  }
  return Pass<&sqlite3_io_methods::xShmMap>(file, region, size, extend, memory);
}
void ShmBarrier(sqlite3_file* file) {
  sqlite3_file* inner = Of(file)->file();
  inner->pMethods->xShmBarrier(inner);
}

/// A step that changes the file: the fault, if it comes, leaves a change that is lost or torn with the power.
template <class Do>
int ChangeFile(sqlite3_file* file, Change change, Do run) {
  if (Of(file)->path == nullptr) return run();
  std::lock_guard lock(disk->mu);
  const bool was_dark = disk->IsDark();
  const int answer = disk->Step();
  if (!was_dark && (answer == SQLITE_OK || disk->IsDark()))
    disk->files[*Of(file)->path].unsynced.push_back(std::move(change));
  return answer == SQLITE_OK ? run() : answer;
}

int Write(sqlite3_file* file, const void* bytes, int length, sqlite3_int64 at) {
  Change change{false, static_cast<std::size_t>(at),
                std::string(static_cast<const char*>(bytes), static_cast<std::size_t>(length))};
  return ChangeFile(file, std::move(change),
                    [&] { return Pass<&sqlite3_io_methods::xWrite>(file, bytes, length, at); });
}
int Truncate(sqlite3_file* file, sqlite3_int64 size) {
  return ChangeFile(file, {true, static_cast<std::size_t>(size), {}},
                    [&] { return Pass<&sqlite3_io_methods::xTruncate>(file, size); });
}
// The real disk need not hear of it: what is kept over a power cut is kept here.
int Sync(sqlite3_file* file, int) {
  if (Of(file)->path == nullptr) return SQLITE_OK;
  std::lock_guard lock(disk->mu);
  const int answer = disk->Step();
  if (answer != SQLITE_OK) return answer;
  Disk::File& kept = disk->files[*Of(file)->path];
  for (const Change& change : kept.unsynced) Apply(kept.synced, change, change.bytes.size());
  kept.unsynced.clear();
  return SQLITE_OK;
}

const sqlite3_io_methods kMethods = {
    2,
    Close,
    Pass<&sqlite3_io_methods::xRead>,
    Write,
    Truncate,
    Sync,
    Pass<&sqlite3_io_methods::xFileSize>,
    Pass<&sqlite3_io_methods::xLock>,
    Pass<&sqlite3_io_methods::xUnlock>,
    Pass<&sqlite3_io_methods::xCheckReservedLock>,
    Pass<&sqlite3_io_methods::xFileControl>,
    Pass<&sqlite3_io_methods::xSectorSize>,
    Pass<&sqlite3_io_methods::xDeviceCharacteristics>,
    ShmMap,
    Pass<&sqlite3_io_methods::xShmLock>,
    ShmBarrier,
    Pass<&sqlite3_io_methods::xShmUnmap>,
    nullptr,
    nullptr,
};

std::string ReadAll(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

int Open(sqlite3_vfs*, sqlite3_filename name, sqlite3_file* file, int flags, int* out_flags) {
  FaultFile* opened = new (file) FaultFile{};
  const int answer = real->xOpen(real, name, opened->file(), flags, out_flags);
  if (answer != SQLITE_OK) return answer;
  opened->base.pMethods = &kMethods;
  if (name == nullptr) return SQLITE_OK;
  opened->path = new std::string(name);
  std::lock_guard lock(disk->mu);
  if (!disk->IsDark() && !disk->files.contains(name)) disk->files[name].synced = ReadAll(name);
  return SQLITE_OK;
}
int Delete(sqlite3_vfs*, const char* name, int sync_folder) {
  std::lock_guard lock(disk->mu);
  if (disk->IsDark()) return SQLITE_IOERR_DELETE;
  disk->files.erase(name);
  return real->xDelete(real, name, sync_folder);
}

}  // namespace

FaultVfs::FaultVfs(Fault fault, std::int64_t at_step, std::uint32_t seed) {
  disk = new Disk;
  disk->fault = fault;
  disk->at_step = at_step;
  disk->random.seed(seed);
  real = sqlite3_vfs_find(nullptr);
  faulty = *real;
  faulty.zName = "hookswitch_fault";
  faulty.szOsFile = static_cast<int>(sizeof(FaultFile)) + real->szOsFile;
  faulty.xOpen = Open;
  faulty.xDelete = Delete;
  EXPECT_EQ(sqlite3_vfs_register(&faulty, 1), SQLITE_OK);
}

FaultVfs::~FaultVfs() {
  sqlite3_vfs_unregister(&faulty);
  sqlite3_vfs_register(real, 1);
  delete disk;
  disk = nullptr;
}

std::int64_t FaultVfs::Steps() const {
  std::lock_guard lock(disk->mu);
  return disk->step;
}

bool FaultVfs::Struck() const {
  std::lock_guard lock(disk->mu);
  return disk->struck;
}

void FaultVfs::Break(Fault fault) {
  std::lock_guard lock(disk->mu);
  disk->fault = fault;
  disk->at_step = disk->step + 1;
}

void FaultVfs::Repair() {
  std::lock_guard lock(disk->mu);
  disk->fault = Fault::kNone;
}

void FaultVfs::LeaveWhatIsOnDisk() {
  std::lock_guard lock(disk->mu);
  for (auto& [path, file] : disk->files) {
    for (const Change& change : file.unsynced) {
      const auto luck = disk->random() % 4;
      if (luck < 2) continue;
      const std::size_t torn = change.bytes.empty() ? 0 : disk->random() % change.bytes.size();
      Apply(file.synced, change, luck == 2 ? change.bytes.size() : torn);
    }
    std::ofstream(path, std::ios::binary | std::ios::trunc) << file.synced;
    std::filesystem::remove(path + "-shm");
  }
}

}  // namespace hookswitch
