#pragma once
#include <memory>

#include "core/plugins/crash_marks.h"

/// Logs who ended the process if hookswitch itself did not, in one line and in the crash marks:
/// - a fatal signal: {"event":"plugin_crashed","signal":"SIGSEGV","plugin":…,"sink":…,"delivery":…,"call":"render"}, or
///   "crashed" outside plugins; then the process dies by that signal. A signal from another process blames nobody;
/// - exit(), quick_exit() and _exit(), whatever their code: "plugin_exited" or "exited", and the exit code is 1.
/// Child processes forked by a plugin are not watched.
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
