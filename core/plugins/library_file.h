#pragma once
#include <filesystem>
#include <memory>
#include <string>

#include "core/base/result.h"
#include "core/plugins/descriptor.h"

namespace hookswitch::plugins {

/// A plugin's file as it was read, in memory and sealed: the bytes that are hashed are the bytes that are inspected and
/// loaded, whatever becomes of the file.
struct LibraryFile {
  std::filesystem::path path;
  std::string hash;  ///< SHA-256, hex
  Descriptor image;  ///< close-on-exec

  /// A path to open it by in this process, made anew and good for ever: the dynamic linker takes a path that it has
  /// seen for the library that it knows, so this one must never come to mean another. Costs a descriptor. Error:
  /// kUnavailable (there is none left).
  Result<std::string> PathForEver() const;
};

/// Checks who may write the file (see TrustedFile) and reads it whole. Errors: those of TrustedFile, kUnavailable
/// (cannot be read, or kept in memory).
Result<LibraryFile> ReadLibrary(const std::filesystem::path& file);

}  // namespace hookswitch::plugins
