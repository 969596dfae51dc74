#pragma once
#include <string>

#include "core/admin/explain.h"
#include "core/base/json.h"

/// Which part of a payload gave which field: `hookswitch route --explain-mapping`.
namespace hookswitch::cli {

/// {"fields": [{"field","value","path"}], "absent": ["summary"]}: what the event has, and the names of what it has not.
json::object ExplainMapping(const Explained& explained);

/// The same for people: a line for each field.
std::string MappingText(const Explained& explained);

}  // namespace hookswitch::cli
