#pragma once
#include "core/base/json.h"
#include "core/config/node.h"

/// What of a config file problems may show. Secrets stand in config files, and people make mistakes around them, so
/// what is not known to be harmless is hidden: shown are values that a schema describes and does not call secret, where
/// the file is understood; where it is not, what surely is no part of a source, a sink or the admin listener.
namespace hookswitch::config {

/// Of a file that is no YAML: a line stays visible if it belongs to a section without secrets.
void HideUnread(const SourceFile& file);

/// Of one that is: hides what `schema`, the config's own, calls secret, does not describe, or finds of the wrong kind
/// where secrets may stand.
void HidePrivate(const Node& root, const json::object& schema);

/// Hides `value` and all below it, anchors, tags and comments too; keys that look like keys stay visible.
void Hide(const Node& value);
/// As Hide, and for good: it is, or may be, a secret.
void Seal(const Node& value);
/// A scalar or a key that Hide hid is harmless.
void Show(const Node& scalar);
void Show(const Node::Entry& entry);

/// A long word in which letters and digits take turns ("localhost:8001" has one turn): it may be a secret that has
/// slipped into another place.
bool LooksLikeSecret(std::string_view word);
/// What a person would use as a key, rather than a secret that has slipped into the place of one.
bool LooksLikeKey(std::string_view text);

bool IsHidden(const Node& value);
bool IsHidden(const Node::Entry& entry);  ///< its key

}  // namespace hookswitch::config
