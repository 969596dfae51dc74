#pragma once
#include <cstdint>
#include <string>

#include "hookswitch/sink.hpp"

namespace file_sink {

/// Rotation policy: when to rotate a file, its new name, and how many to keep. Times are UTC.
class Rotation {
 public:
  explicit Rotation(const hsw::Config& config);

  /// True if the file (`size` bytes, last written at `written_ms`) must be rotated before adding `more` bytes.
  bool IsDue(std::int64_t size, std::int64_t more, std::int64_t written_ms, std::int64_t now_ms) const;
  /// Renames the file to "PATH.20260304T093000Z", or "PATH.20260304T093000Z-1" if that exists, and removes all but the
  /// newest `keep` rotated files. Returns an error text, or "".
  std::string SetAside(const std::string& path, std::int64_t now_ms) const;

 private:
  std::string RemoveOld(const std::string& path) const;

  std::int64_t most_bytes_;  ///< 0: no limit
  std::int64_t every_ms_;    ///< 0: never by time
  std::int64_t keep_;        ///< 0: all
};

}  // namespace file_sink
