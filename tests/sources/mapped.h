#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/json.h"
#include "core/config/mapping.h"
#include "core/sources/source.h"
#include "core/sources/stored_request.h"

/// Mappings in tests, and the requests and expectations that are kept as files.
namespace hookswitch::test {

std::string ReadFile(const std::filesystem::path& path);

/// The mapping that `map` is as YAML: what stands under `map:` of a source.
std::shared_ptr<const config::Mapping> MappingFrom(const std::string& map);
std::shared_ptr<const Source> SourceFrom(const std::string& map, const std::string& type = "json");

/// One request that is kept as files; see golden_test.cpp.
struct GoldenCase {
  std::string type;              ///< "retell": its folder
  std::string name;              ///< of its files
  std::filesystem::path folder;  ///< where its files are
  std::string body;
  Headers headers;

  std::filesystem::path File(const std::string& extension) const { return folder / (name + extension); }
};
/// Those of all platforms that are a mapping, by type and name.
std::vector<GoldenCase> GoldenCases();
/// The mapping, and the source, that reads the case.
std::shared_ptr<const config::Mapping> MappingOf(const GoldenCase& one);
std::shared_ptr<const Source> SourceOf(const GoldenCase& one);

/// What `source` makes of a request, as an expectation says it, and the kind of that: "event", "aside", "refusal".
std::pair<std::string, json::object> Says(const Source& source, const RawRequest& request);

}  // namespace hookswitch::test
