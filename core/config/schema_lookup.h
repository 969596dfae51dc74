#pragma once
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/json.h"
#include "core/config/node.h"

/// Reads JSON Schemas: the config's and those of plugins.
///
/// The keywords of draft-07 that hookswitch reads: type, properties, patternProperties, additionalProperties, required,
/// minProperties, maxProperties, propertyNames, items, minItems, enum, const, pattern (RE2), minLength, maxLength,
/// minimum, maximum, anyOf, $ref to #/definitions/NAME, default, examples (of secrets). Its own: x-secret (never
/// quoted; may be written {env: } or {file: }), x-expected (what a person should write: "a duration such as 90s"),
/// x-hookswitch-ref (the text names a rule, agent, tag, status or schedule) and x-once (pages list its keys in one
/// place only). Anything else is ignored.
namespace hookswitch::config {

/// The config's own schema (SchemaText).
const json::object& ConfigSchema();

/// Follows $ref; an empty object (which allows everything) for a reference that leads nowhere.
const json::object& Resolve(const json::object& root, const json::value& schema);
const json::object* ObjectAt(const json::object& schema, std::string_view key);
bool Flag(const json::object& schema, std::string_view key);
std::optional<std::size_t> CountAt(const json::object& schema, std::string_view key);
std::string_view TextAt(const json::object& schema, std::string_view key);

inline constexpr std::array<std::string_view, 4> kScalarTypes = {"boolean", "integer", "number", "string"};

/// What a text of this schema must name: "status", "rule", …; "" for any text.
std::string_view RefOf(const json::object& schema);
/// True if a branch of `schema`'s anyOf accepts a list: a status group may then stand in place of one text.
bool MayBeList(const json::object& root, const json::object& schema);

/// True if the RE2 `pattern` matches a part of `text`; an invalid pattern matches everything.
bool Matches(std::string_view text, std::string_view pattern);
/// True if `pattern` is valid in RE2.
bool IsPattern(std::string_view pattern);

/// The schema of a map's value under `key`; nullptr if any value will do or the key is not allowed.
const json::value* PropertySchema(const json::object& schema, std::string_view key);

/// True if a value of `schema` may hold a secret: part of it is marked as secret, or not described.
bool MayHoldSecrets(const json::object& root, const json::object& schema);
/// True if `schema` does not describe what is inside its values.
bool IsOpen(const json::object& schema);

/// True if a plain scalar reads as this JSON type ("integer", "boolean", …).
bool ScalarIs(const Node& value, std::string_view type);
bool AllowsType(const json::object& schema, std::string_view type);
/// A scalar as a value of the type that `schema` says; if it says none, an unquoted one has the type that it looks
/// like.
json::value ScalarValue(const Node& value, const json::object& schema);
/// The default of a property; nullptr if it has none. One beside a $ref takes precedence over one in the referenced
/// schema.
const json::value* DefaultOf(const json::object& root, const json::value& property);

/// What a text of this schema looks like, for an error about a value that must not be shown: its `x-expected`, or that
/// it is like its first example. "" if it has neither.
std::string FormOf(const json::object& schema);
/// What is wrong with a text by minLength, maxLength and pattern; "" if nothing.
std::string_view TextFault(std::string_view text, const json::object& schema);

}  // namespace hookswitch::config
