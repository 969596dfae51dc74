#pragma once
#include <memory>

#include "core/plugins/crash_marks.h"

/// A process that ends otherwise than by its own word says who ended it, in one log line and in its crash marks:
/// - a fatal signal: {"event":"plugin_crashed","signal":"SIGSEGV","plugin":…,"sink":…,"delivery":…,"call":"render"}, or
///   "crashed" where no plugin was inside; then the process dies by that signal. One that another process sent is
///   nobody's fault here;
/// - exit(), quick_exit() and _exit(), whatever their code: "plugin_exited" or "exited", and the exit code is 1.
/// Children that a plugin forks end as they like.
namespace hookswitch::fatal_end {

/// From now on. For `serve`, once.
void Watch();
/// Where blame is written. They must stay while the process lives.
void UseMarks(std::shared_ptr<CrashMarks> marks);
/// Watches exit() anew: what is registered for it last runs first, and a library that is loaded registers its
/// destructors, which must not run while other threads are inside it.
void WatchExitAgain();
/// Our own word.
[[noreturn]] void EndProcess(int code);

}  // namespace hookswitch::fatal_end
