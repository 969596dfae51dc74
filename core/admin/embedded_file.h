#pragma once
#include <span>
#include <string_view>

namespace hookswitch {

/// A file that the build put into the program (embed.cmake).
struct EmbeddedFile {
  std::string_view name;  ///< "views/live.js"
  std::string_view etag;  ///< of its bytes, with its quotes
  std::string_view bytes;
};

/// The files below core/admin/page; among them is always "index.html".
std::span<const EmbeddedFile> PageFiles();
/// One: openapi.json.
std::span<const EmbeddedFile> ApiDocuments();

}  // namespace hookswitch
