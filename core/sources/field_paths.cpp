#include "core/sources/field_paths.h"

#include <algorithm>

#include "core/base/text.h"

namespace hookswitch {

void AppendToPath(std::string& path, std::string_view key) {
  if (!path.empty()) path += '.';
  const bool is_plain = !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return static_cast<unsigned char>(c) > ' ' && std::string_view(".[]*:\"\\").find(c) == std::string_view::npos;
  });
  if (is_plain) {
    path += key;
  } else {
    AppendJsonString(path, key);
  }
}

}  // namespace hookswitch
