#pragma once
#include <filesystem>

#include "core/base/result.h"

namespace hookswitch::plugins {

/// Follows `file` from the root, through every folder and symbolic link, to the regular file that it leads to.
///
/// Refuses (kInvalid) a path that another user could lead elsewhere: each folder on the way, and the file, must belong
/// to root or to us, and nobody else may write it. Two folders that others may write are no danger: one with the sticky
/// bit, as /tmp, where each owner's entries are safe from the others, and one of a group that only root and we are in.
/// kNotFound if it is not there.
Result<std::filesystem::path> TrustedFile(const std::filesystem::path& file);

}  // namespace hookswitch::plugins
