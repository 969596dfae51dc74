#pragma once
#include <chrono>
#include <functional>
#include <string>

#include "core/base/result.h"

namespace hookswitch::conformance {

/// Runs `work` in a forked child process and returns its result. Only for a process with one thread. Errors: kInvalid
/// (it crashed or did not end within `patience`; the text says how), kUnavailable (no child can be created).
Result<std::string> InChild(const std::function<std::string()>& work, std::chrono::milliseconds patience);

}  // namespace hookswitch::conformance
