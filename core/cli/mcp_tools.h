#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"

namespace hookswitch::cli {

/// What an assistant may ask of a router: an operation of the admin API (config/OPERATING.md), with some of its
/// parameters.
struct McpTool {
  struct Parameter {
    enum class Kind { kText, kNumber, kFlag, kObject };
    enum class Place { kPath, kQuery, kBody };

    const char* name;
    const char* about;
    Kind kind = Kind::kText;
    Place place = Place::kQuery;
    bool is_required = false;
  };

  const char* name;
  const char* about;
  const char* method;
  const char* path;  ///< "/api/v1/events/{id}"
  std::vector<Parameter> parameters{};
  bool has_bodies = false;  ///< its answer holds what callers said; ?mask=true withholds it
  bool is_change = false;
  bool is_bulk = false;  ///< a change by filter, which takes `dry_run`
};

/// All tools, in the order of a listing.
std::span<const McpTool> McpTools();
/// nullptr if there is none.
const McpTool* FindMcpTool(std::string_view name);

/// As tools/list shows it: {"name","description","inputSchema","annotations"}.
json::object Describe(const McpTool& tool);

/// The request that a call of a tool stands for.
struct McpRequest {
  std::string target;  ///< "/api/v1/events?status=failed"
  json::object body{};
};
/// `show_bodies`: with what callers said. Error: kInvalid, naming the argument that is missing, unknown or of a wrong
/// kind.
Result<McpRequest> RequestOf(const McpTool& tool, const json::object& arguments, bool show_bodies);

/// The argument of a bulk change that says how many a dry run counted.
inline constexpr std::string_view kConfirm = "confirm";

}  // namespace hookswitch::cli
