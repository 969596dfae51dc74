#pragma once
#include <cstdint>
#include <string>

#include "hookswitch/sink.hpp"

namespace file_sink {

/// When a file is set aside, under which name, and how many such files stay. Times are UTC.
class Rotation {
 public:
  explicit Rotation(const hsw::Config& config);

  /// True if a line of `more` bytes must not go into a file that has `size` bytes and was last written at `written_ms`.
  bool IsDue(std::int64_t size, std::int64_t more, std::int64_t written_ms, std::int64_t now_ms) const;
  /// Sets the file aside as "PATH.20260304T093000Z", or "PATH.20260304T093000Z-1" if that is taken, and removes those
  /// set aside before, but for the newest `keep`. Returns what went wrong, or "".
  std::string SetAside(const std::string& path, std::int64_t now_ms) const;

 private:
  std::string RemoveOld(const std::string& path) const;

  std::int64_t most_bytes_;  ///< 0: any
  std::int64_t every_ms_;    ///< 0: for ever
  std::int64_t keep_;        ///< 0: all
};

}  // namespace file_sink
