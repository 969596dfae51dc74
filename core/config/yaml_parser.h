#pragma once
#include <memory>
#include <optional>
#include <string_view>

#include "core/config/node.h"
#include "core/config/problem.h"

namespace hookswitch::config {

/// Files above this are refused.
inline constexpr std::size_t kMaxFileBytes = std::size_t{4} << 20;

/// Reads one YAML document into a Node tree; empty if it cannot be read, with the reason in `problems`.
///
/// Stricter than YAML: no duplicate keys, no second document, no tags, no merge keys, keys are plain text, and aliases
/// may add a bounded number of values. The input's BOM and CRs are expected to be gone (MakeSourceFile does that), so
/// that places count what the file holds. Never throws.
std::optional<Node> ParseYaml(const std::shared_ptr<const SourceFile>& file, Problems& problems);

/// The text as ParseYaml wants it: without a byte order mark, lines ended by '\n'.
std::shared_ptr<const SourceFile> MakeSourceFile(std::string path, std::string_view text);

}  // namespace hookswitch::config
