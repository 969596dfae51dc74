#pragma once
#include <memory>
#include <optional>
#include <string_view>

#include "core/config/node.h"
#include "core/config/problem.h"

namespace hookswitch::config {

/// Larger files are rejected.
inline constexpr std::size_t kMaxFileBytes = std::size_t{4} << 20;

/// Parses one YAML document; empty if it cannot be read, with the reason in `problems`.
///
/// Stricter than YAML: no duplicate keys, no second document, no tags, no merge keys, keys are plain text, and aliases
/// may add a bounded number of values. The input must be free of a BOM and of CRs (use MakeSourceFile). Never throws.
std::optional<Node> ParseYaml(const std::shared_ptr<const SourceFile>& file, Problems& problems);

/// Prepares a text for ParseYaml: removes a byte order mark, ends lines by '\n'.
std::shared_ptr<const SourceFile> MakeSourceFile(std::string path, std::string_view text);

}  // namespace hookswitch::config
