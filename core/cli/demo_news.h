#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/base/sync.h"

namespace hookswitch::cli {

/// What happens in `hookswitch demo` on other threads than main. [thread: any]
class DemoNews {
 public:
  struct Seen {
    std::string ingress{}, admin{};  ///< of the router; "" until it is ready
    std::size_t delivered = 0, dead = 0;
    std::string trouble{};  ///< the last that the router logged; "" for none
    bool router_ended = false;
    bool stop = false;                 ///< a signal came
    std::vector<std::string> texts{};  ///< to print, since the last Next
  };

  /// Forgets all about the router, for another one.
  void RouterStarts();
  /// A line of the router's log; nullptr: the router ended.
  void RouterLogged(const json::object* line);
  void Print(std::string text);
  void Stop();

  /// What has happened so far. Waits until there is a text to print, the router is ready or ended, a delivery ended, a
  /// signal came, or `deadline`, if nothing of that has happened since the last call.
  Seen Next(MonoTime deadline);

 private:
  void Read(const json::object& line) REQUIRES(mu_);

  Mutex mu_;
  CondVar changed_;
  bool has_news_ GUARDED_BY(mu_) = false;
  Seen seen_ GUARDED_BY(mu_);
};

}  // namespace hookswitch::cli
