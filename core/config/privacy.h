#pragma once
#include "core/base/json.h"
#include "core/config/node.h"

/// Which parts of a config file problems may show. Config files hold secrets, and people misplace them, so everything
/// not known to be harmless is hidden. In a file that could be parsed, values are shown that a schema describes and
/// does not mark as secret; in any other, lines that are certainly not part of a source, a sink or the admin listener.
namespace hookswitch::config {

/// For a file that is not YAML: hides everything outside of sections without secrets, except keys.
void HideUnread(const SourceFile& file);

/// For a parsed file: hides what `schema`, the config's own, marks as secret or does not describe, and values of the
/// wrong kind where secrets may be.
void HidePrivate(const Node& root, const json::object& schema);

/// Hides `value` and everything below it, also anchors, tags and comments; keys that look like keys stay visible.
void Hide(const Node& value);
/// As Hide, but Show does not undo it: for what is, or may be, a secret.
void Seal(const Node& value);
/// Undoes Hide for a scalar or a key that is harmless.
void Show(const Node& scalar);
void Show(const Node::Entry& entry);

/// True for a long word in which letters and digits alternate at least twice ("localhost:8001" changes once): it may be
/// a misplaced secret.
bool LooksLikeSecret(std::string_view word);
/// True for what a person would use as a key, false for what may be a misplaced secret.
bool LooksLikeKey(std::string_view text);

bool IsHidden(const Node& value);
bool IsHidden(const Node::Entry& entry);  ///< its key

}  // namespace hookswitch::config
