#include <sys/statvfs.h>
#include <sys/timex.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "core/base/time_text.h"
#include "core/cli/doctor_checks.h"
#include "core/journal/journal_files.h"

namespace hookswitch::cli {
namespace {

using std::chrono::milliseconds;
using Level = Finding::Level;

// Under these the journal may be refused the next write at any time.
constexpr std::uint64_t kLeastFree = 256 << 20;
constexpr std::uint64_t kLeastFreeFiles = 100;
// Signatures of senders, and schedules, allow for some; a Date header counts whole seconds.
constexpr milliseconds kClockMayDiffer{5'000}, kClockIsOff{30'000};

std::string Percent(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? "?" : std::to_string(part * 100 / whole);
}

}  // namespace

std::optional<DiskSpace> DiskSpaceOf(const std::string& path) {
  std::error_code ignored;
  std::filesystem::path folder = FolderOf(path);
  while (!std::filesystem::exists(folder, ignored) && folder.has_relative_path()) folder = folder.parent_path();
  struct statvfs disk {};
  if (::statvfs(folder.c_str(), &disk) != 0) return {};
  return DiskSpace{std::uint64_t{disk.f_bavail} * disk.f_frsize, std::uint64_t{disk.f_blocks} * disk.f_frsize,
                   disk.f_favail, disk.f_files};
}

Finding JudgeDisk(const std::string& path, const std::optional<DiskSpace>& space, std::uint64_t used,
                  std::uint64_t retention_size) {
  const std::string where = "the disk of " + path;
  if (!space) return {Level::kNote, "disk", where + " cannot be asked how much is free"};
  const std::string free =
      HumanSize(space->free) + " free of " + HumanSize(space->size) + ", " + Percent(space->free, space->size) + " %";
  if (space->free < kLeastFree) {
    return {Level::kProblem, "disk", where + " is nearly full: " + free,
            "make room: when it is full, senders are answered 503 until there is some"};
  }
  if (space->files != 0 && space->free_files < kLeastFreeFiles) {
    return {Level::kProblem, "disk",
            where + " has no room for more files (inodes): " + std::to_string(space->free_files), "remove files there"};
  }
  const std::uint64_t growth = retention_size - std::min(retention_size, used);
  if (growth > space->free) {
    return {Level::kWarning, "disk",
            where + " has " + free + "; the journal may grow by " + HumanSize(growth) + " more",
            "make room, or lower journal.retention.size"};
  }
  return {Level::kOk, "disk", where + ": " + free};
}

std::optional<bool> IsClockSynchronized() {
  timex state{};
  const int result = ::adjtimex(&state);
  if (result < 0) return {};
  return result != TIME_ERROR && (state.status & STA_UNSYNC) == 0;
}

Finding JudgeClock(std::optional<bool> synchronized, std::vector<milliseconds> behind) {
  std::optional<milliseconds> off;
  if (!behind.empty()) {
    // The middle one: a single machine may be wrong itself.
    const auto middle = behind.begin() + static_cast<std::ptrdiff_t>(behind.size() / 2);
    std::nth_element(behind.begin(), middle, behind.end());
    off = *middle;
  }
  const char* const kHint = "let systemd-timesyncd, chrony or ntpd keep it: `timedatectl` says whether one does";
  if (off && std::chrono::abs(*off) > kClockMayDiffer) {
    const std::string text = "this machine's clock is " + HumanDuration(std::chrono::abs(*off)) +
                             (off->count() > 0 ? " behind" : " ahead of") + " those it sends to";
    return {std::chrono::abs(*off) > kClockIsOff ? Level::kProblem : Level::kWarning, "clock", text, kHint};
  }
  if (synchronized == false) {
    const std::string text = off ? "right now, but nothing keeps it right" : "nothing keeps this machine's clock right";
    return {Level::kWarning, "clock", text, kHint};
  }
  if (!off)
    return {synchronized ? Level::kOk : Level::kNote, "clock", synchronized ? "kept by NTP" : "cannot be checked"};
  return {Level::kOk, "clock", "as those it sends to"};
}

Findings CheckJournal(const std::string& path, bool router_answers) {
  Findings findings;
  const auto add = [&](Level level, std::string text, std::string hint = {}) {
    findings.push_back({level, "journal", std::move(text), std::move(hint)});
  };
  if (const auto network = NetworkFileSystemOf(FolderOf(path)); !network.empty()) {
    add(Level::kWarning, path + " is on a network file system (" + std::string(network) + ")",
        "put it on a local disk: locks and syncs of SQLite need one");
  }
  for (const Exposed& exposed : FindExposed(path)) add(Level::kWarning, exposed.path + ": " + exposed.reason);
  if (!router_answers && JournalLock::IsTaken(path)) {
    add(Level::kProblem, "a process uses " + path + ", but no router answers where this config says",
        "another router runs with it, or with another admin.listen: give --url, or stop it");
  }
  std::ifstream file(path, std::ios::binary);
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    add(Level::kNote, path + (error ? " cannot be looked at: " + error.message() : " does not exist yet"));
    return findings;
  }
  constexpr std::string_view kMagic = "SQLite format 3";  // sqlite.org/fileformat2.html 1.3.1
  std::string start(kMagic.size(), '\0');
  if (!file) {
    add(Level::kNote, path + " cannot be read by this user", "run doctor as root, or as hookswitch's user");
  } else if (FileSize(path) != 0 &&
             (!file.read(start.data(), static_cast<std::streamsize>(start.size())) || start != kMagic)) {
    add(Level::kProblem, path + " is no journal", "correct journal.path, or move that file aside");
  } else {
    add(Level::kOk, path + ": " + HumanSize(FileSize(path)) + "; `hookswitch journal verify` reads all of it");
  }
  return findings;
}

}  // namespace hookswitch::cli
