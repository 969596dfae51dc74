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

/// Starts to log fatal signals and exits that hookswitch did not ask for, and marks their culprit (CrashMarks::Blame).
/// Call once, in `serve`.
void Watch();
/// Sets the marks to blame; kept until the process ends.
void UseMarks(std::shared_ptr<CrashMarks> marks);
/// Registers the exit() handler again. Call after loading a library: the handler registered last runs first, and the
/// library's destructors must not run while other threads are inside it.
void WatchExitAgain();
/// Ends the process at once; not reported as a crash.
[[noreturn]] void EndProcess(int code);

}  // namespace hookswitch::fatal_end
