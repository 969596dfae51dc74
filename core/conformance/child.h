#pragma once
#include <chrono>
#include <functional>
#include <string>

#include "core/base/result.h"

namespace hookswitch::conformance {

/// Runs `work` in a child process, a copy of this one, and gives its answer. Only for a process with one thread.
/// Errors: kInvalid (it crashed or did not end in time; the text says how), kUnavailable (no child can be made).
Result<std::string> InChild(const std::function<std::string()>& work, std::chrono::milliseconds patience);

}  // namespace hookswitch::conformance
