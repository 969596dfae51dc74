#pragma once
#include <filesystem>

#include "core/base/result.h"

namespace hookswitch::plugins {

/// Resolves `file` from the root, through every folder and symbolic link, to a regular file.
///
/// Each folder and link on the way, and the file, must belong to root or to us; folders and file must be writable by
/// nobody else. Exceptions: folders with the sticky bit, such as /tmp, and folders of a group that contains only root
/// and us. Errors: kInvalid (another user could redirect the path), kNotFound (it does not exist).
Result<std::filesystem::path> TrustedFile(const std::filesystem::path& file);

}  // namespace hookswitch::plugins
