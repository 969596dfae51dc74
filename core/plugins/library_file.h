#pragma once
#include <filesystem>
#include <memory>
#include <string>

#include "core/base/result.h"
#include "core/plugins/descriptor.h"

namespace hookswitch::plugins {

/// A sealed in-memory copy of a plugin file: the bytes hashed are the bytes inspected and loaded, even if the file
/// changes.
struct LibraryFile {
  std::filesystem::path path;
  std::string hash;  ///< SHA-256, hex
  Descriptor image;  ///< close-on-exec

  /// A new path of the copy, valid until the process ends. The dynamic linker identifies libraries by path, so a path
  /// must never be reused. Leaks a descriptor by design. Errors: kUnavailable (out of descriptors).
  Result<std::string> PathForEver() const;
};

/// Checks who may write the file (see TrustedFile) and reads it. Errors: those of TrustedFile, kUnavailable (cannot be
/// read or copied to memory).
Result<LibraryFile> ReadLibrary(const std::filesystem::path& file);

}  // namespace hookswitch::plugins
