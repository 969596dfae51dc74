#pragma once
#include <string>
#include <string_view>

#include "core/base/json.h"
#include "core/config/node.h"
#include "core/config/problem.h"

namespace hookswitch::config {

/// Checks `value` against a JSON Schema (the subset in plugins/README.md); problems have the place of the offending key
/// or value. `at` names the value in messages: "rules[].when", "sinks.ops.config". A problem never quotes a value whose
/// schema says "x-secret". `where_if_missing`: the place of a missing required key. `schema` must be a JSON object.
void CheckAgainstSchema(const Node& value, std::string_view schema, std::string_view at, Mark where_if_missing,
                        Problems& problems);

/// As CheckAgainstSchema, with a parsed schema.
void Check(const Node& value, const json::object& schema, std::string_view at, const Mark& where_if_missing,
           Problems& problems);

/// True if `value` is valid.
bool Fits(const Node& value, const json::object& root, const json::object& schema);

/// The branch of an anyOf that `value` satisfies, else the first that allows its kind, else nullptr. `depth`: the
/// number of enclosing anyOfs.
const json::object* ChooseBranch(const Node& value, const json::object& root, const json::array& branches,
                                 int depth = 0);

/// `schema`, or what its anyOf, and that branch's, choose for `value`.
const json::object& BranchOf(const Node& value, const json::object& root, const json::object& schema);

/// A type of JSON Schema in the words of messages and pages: "a whole number" for "integer".
std::string_view PlainWords(std::string_view type);

/// The key in `schema` that the unknown `key` probably misspells; "" if there is none.
std::string NearestKey(std::string_view key, const json::object& schema);

}  // namespace hookswitch::config
