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

/// Cases of a sink: files with its input and the expected output (plugins/README.md, "Cases").
namespace hookswitch::conformance {

struct CaseVerdict {
  std::string name;       ///< the file's, without folder and extension
  std::string problem;    ///< "" if the output is as in the file; with `update`, if it has been written there
  std::string changed{};  ///< with `update`: the differences that were written, "" if none
};
/// Creates the sink of a case; `config` is the case's own, nullptr if it has none.
using MakeSink = std::function<Result<std::shared_ptr<Sink>>(const json::object* config)>;
/// Runs each *.json of `folder`, sorted by name. With `update` writes the output into the files instead. Error:
/// kNotFound (there is none, or the folder cannot be read).
Result<std::vector<CaseVerdict>> CheckCases(const std::filesystem::path& folder, bool update, const MakeSink& make);
/// The first "config" of a case in `folder`, as JSON: to create the sink if no other config is given. "" if there is
/// none.
std::string FirstConfigIn(const std::filesystem::path& folder);
/// Runs one case file.
CaseVerdict CheckCase(const std::filesystem::path& file, bool update, const MakeSink& make);

/// The text of a member: a string, or {"repeat": "text", "times": n}, or {"base64": "…"}, or a list of these, joined;
/// `otherwise` if it is absent or null. Throws std::runtime_error if it is something else.
std::string Member(const json::object& object, std::string_view key, std::string_view otherwise = {});
/// Throws std::runtime_error, with the place, if a member is invalid.
Message MessageOf(const json::object& object);
json::object ToObject(const Outcome& outcome);

}  // namespace hookswitch::conformance
