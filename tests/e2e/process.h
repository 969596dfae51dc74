#pragma once
#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "core/base/sync.h"

namespace hookswitch::e2e {

/// A folder of its own that goes with the object.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  std::string operator/(std::string_view name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

void WriteFile(const std::string& path, std::string_view text);
std::string ReadFile(const std::string& path);

struct Finished {
  int exit_code = -1;  ///< -1: ended by a signal or by us, after the timeout
  std::string out, err;
};
/// Runs a program to its end. `environment` entries ("NAME=value") are added to ours.
Finished RunProgram(const std::vector<std::string>& command, const std::vector<std::string>& environment = {},
                    std::chrono::seconds timeout = std::chrono::seconds(60));

/// A running program whose stderr lines are kept. Killed with the object, and with the test program.
class Child {
 public:
  explicit Child(const std::vector<std::string>& command, const std::vector<std::string>& environment = {});
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t Pid() const { return pid_; }
  void Signal(int number) const;
  /// Waits for the end: the exit code, 128 + the signal that ended it, or empty if `timeout` passes first. All its
  /// lines are there then.
  std::optional<int> WaitForExit(std::chrono::milliseconds timeout);

  std::vector<std::string> Lines() const;
  /// The first line from the `from`th on that has `text`, waited for until `timeout`, the program's end or a match.
  std::optional<std::string> WaitForLine(std::string_view text, std::chrono::milliseconds timeout,
                                         std::size_t from = 0) const;
  /// Waits until `count` lines have `text`; false if `timeout` or the program's end comes first.
  [[nodiscard]] bool WaitForLines(std::string_view text, std::size_t count, std::chrono::milliseconds timeout) const;

 private:
  void ReadLines(int fd);

  pid_t pid_ = -1;
  std::optional<int> exit_;
  mutable Mutex mu_;
  mutable CondVar changed_;
  std::vector<std::string> lines_ GUARDED_BY(mu_);
  bool ended_ GUARDED_BY(mu_) = false;
  std::thread reader_;
};

}  // namespace hookswitch::e2e
