#pragma once
#include <filesystem>
#include <string>

#include "core/base/result.h"

namespace hookswitch::plugins {

/// A plugin's file as it was read: the bytes that are hashed are the bytes that are copied.
struct LibraryFile {
  std::filesystem::path path;
  std::string bytes;
  std::string hash;  ///< SHA-256, hex
};

/// Refuses (kInvalid) what another user could replace: the file, the folder it is named in and the folder it really
/// lies in must belong to root or to us, and nobody else may write them. kNotFound if it is not there.
Status CheckTrust(const std::filesystem::path& file);

/// Checks trust and reads the whole file. Errors: those of CheckTrust, kUnavailable (cannot be read).
Result<LibraryFile> ReadLibrary(const std::filesystem::path& file);

/// A copy of `file` in `folder` (made, 0700), named by its hash, 0500. A copy that is there already is used if its
/// bytes are right, else replaced by a rename: overwriting a mapped library would kill the process. Errors:
/// kUnavailable (the folder cannot be made or written), kInvalid (others may write the folder).
Result<std::filesystem::path> PrivateCopy(const LibraryFile& file, const std::filesystem::path& folder);

}  // namespace hookswitch::plugins
