#pragma once
#include <chrono>

namespace hookswitch {

using WallTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::milliseconds>;  ///< UTC
using MonoTime = std::chrono::steady_clock::time_point;

/// The only source of time. Waits and deadlines use Mono(), which never jumps; Wall() is for times shown to people and
/// for schedules. [thread: any]
class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime Wall() const = 0;
  virtual MonoTime Mono() const = 0;
};

class SystemClock final : public Clock {
 public:
  WallTime Wall() const override {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
  }
  MonoTime Mono() const override { return std::chrono::steady_clock::now(); }
};

}  // namespace hookswitch
