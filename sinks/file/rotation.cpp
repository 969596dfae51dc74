#include "rotation.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <system_error>
#include <vector>

namespace file_sink {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kHourMs = 3'600'000;

std::string Stamp(std::int64_t unix_ms) {
  const auto seconds = static_cast<std::time_t>(unix_ms / 1000);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 40> text{};
  std::strftime(text.data(), text.size(), "%Y%m%dT%H%M%SZ", &utc);
  return text.data();
}

/// True for a suffix after "PATH." made by SetAside: other files are never removed.
bool IsStamp(std::string_view text) {
  constexpr std::string_view kForm = "00000000T000000Z";
  if (text.size() < kForm.size()) return false;
  for (std::size_t i = 0; i < kForm.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (kForm[i] == '0' ? !digit : text[i] != kForm[i]) return false;
  }
  const auto rest = text.substr(kForm.size());
  return rest.empty() ||
         (rest.size() > 1 && rest[0] == '-' && rest.find_first_not_of("0123456789", 1) == std::string_view::npos);
}

/// Orders by time, then number: "…Z-2" is older than "…Z-10".
bool Older(const std::string& a, const std::string& b) {
  const auto by_time = a.compare(0, 16, b, 0, 16);
  if (by_time != 0) return by_time < 0;
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

}  // namespace

Rotation::Rotation(const hsw::Config& config)
    : most_bytes_(config.Int("rotate.megabytes") * 1'000'000),
      every_ms_(config.String("rotate.every") == "hour"  ? kHourMs
                : config.String("rotate.every") == "day" ? 24 * kHourMs
                                                         : 0),
      keep_(config.Int("rotate.keep")) {}

bool Rotation::IsDue(std::int64_t size, std::int64_t more, std::int64_t written_ms, std::int64_t now_ms) const {
  if (size == 0) return false;
  if (most_bytes_ > 0 && size + more > most_bytes_) return true;
  return every_ms_ > 0 && now_ms / every_ms_ > written_ms / every_ms_;
}

std::string Rotation::SetAside(const std::string& path, std::int64_t now_ms) const {
  const std::string name = path + "." + Stamp(now_ms);
  std::string free = name;
  std::error_code error;
  for (int i = 1; fs::exists(fs::symlink_status(free, error)); ++i) free = name + "-" + std::to_string(i);
  if (std::rename(path.c_str(), free.c_str()) != 0) {
    return path + " cannot be set aside: " + std::strerror(errno);
  }
  return keep_ > 0 ? RemoveOld(path) : "";
}

std::string Rotation::RemoveOld(const std::string& path) const {
  const fs::path file(path);
  const std::string prefix = file.filename().string() + ".";
  std::error_code error;
  std::vector<std::string> stamps;
  for (fs::directory_iterator entry(file.parent_path(), error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with(prefix) && IsStamp(std::string_view(name).substr(prefix.size()))) {
      stamps.push_back(name.substr(prefix.size()));
    }
  }
  std::sort(stamps.begin(), stamps.end(), Older);
  for (std::size_t i = 0; !error && i + static_cast<std::size_t>(keep_) < stamps.size(); ++i) {
    fs::remove(path + "." + stamps[i], error);
  }
  return error ? "files set aside before cannot be removed: " + error.message() : "";
}

}  // namespace file_sink
