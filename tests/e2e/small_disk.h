#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include "tests/e2e/process.h"

namespace hookswitch::e2e {

/// A file system of its own in memory, mounted as long as the object lives: a disk that a test can fill. Mounting needs
/// root; where it is not allowed Mounted() is false and the folder is an ordinary one.
class SmallDisk {
 public:
  explicit SmallDisk(std::size_t megabytes);
  ~SmallDisk();
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  bool Mounted() const { return mounted_; }
  std::string operator/(std::string_view name) const { return dir_ / name; }
  /// Takes every byte that is left; Free gives them back.
  void Fill() const;
  void Free() const;
  /// From now on nobody can write here. Only while no file is open for writing.
  [[nodiscard]] bool MakeReadOnly() const;

 private:
  TempDir dir_;
  bool mounted_ = false;
};

}  // namespace hookswitch::e2e
