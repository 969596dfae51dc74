#pragma once
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

namespace hookswitch {

/// A folder of its own that is gone with it.
class TempFolder {
 public:
  TempFolder() {
    std::string name = testing::TempDir() + "hsw_journal_XXXXXX";
    const char* made = mkdtemp(name.data());
    EXPECT_NE(made, nullptr);
    path_ = name;
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace hookswitch
