#pragma once
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/event/message.h"
#include "core/event/outcome.h"
#include "core/plugins/sink.h"

/// Cases of a sink: files that say what goes in and what must come out (plugins/README.md, "Cases").
namespace hookswitch::conformance {

struct CaseVerdict {
  std::string name;       ///< the file's, without folder and extension
  std::string problem;    ///< "" if what came out is what the file says; with `update`, if it is written there
  std::string changed{};  ///< with `update`: what of the file, "" if nothing
};
/// Makes the sink of a case; `config` is the case's own, nullptr if it has none.
using MakeSink = std::function<Result<std::shared_ptr<Sink>>(const json::object* config)>;
/// Runs each *.json of `folder`, in order. With `update` what came out is written into the files instead. Error:
/// kNotFound, there is none.
Result<std::vector<CaseVerdict>> CheckCases(const std::filesystem::path& folder, bool update, const MakeSink& make);
/// The first "config" of a case in `folder`, as JSON: what the sink can be made from where nothing else is given. ""
/// if there is none.
std::string FirstConfigIn(const std::filesystem::path& folder);
/// One file of them.
CaseVerdict CheckCase(const std::filesystem::path& file, bool update, const MakeSink& make);

/// The text of a member: a string, or {"repeat": "text", "times": n}, or {"base64": "…"}, or a list of such to be
/// joined; `otherwise` if there is none or it is null. Throws std::runtime_error if it is something else.
std::string Member(const json::object& object, std::string_view key, std::string_view otherwise = {});
/// Throws std::runtime_error, with the place, if a member is not what it should be.
Message MessageOf(const json::object& object);
json::object ToObject(const Outcome& outcome);

}  // namespace hookswitch::conformance
