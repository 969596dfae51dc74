#pragma once
#include <map>
#include <string>

#include "core/base/text.h"
#include "core/config/environment.h"

namespace hookswitch::config {

/// Files and variables that exist only in a test.
struct MemoryEnvironment {
  std::map<std::string, std::string> files;
  std::map<std::string, std::string> variables;

  Environment Get() const {
    Environment environment;
    environment.read_file = [this](const std::string& path, std::string& error) -> std::optional<std::string> {
      if (const auto it = files.find(path); it != files.end()) return it->second;
      error = "No such file or directory";
      return {};
    };
    environment.list_files = [this](const std::string& glob) {
      std::vector<std::string> paths;
      for (const auto& [path, text] : files) {
        if (GlobMatch(glob, path)) paths.push_back(path);
      }
      return paths;
    };
    environment.variable = [this](const std::string& name) -> std::optional<std::string> {
      const auto it = variables.find(name);
      return it == variables.end() ? std::nullopt : std::optional(it->second);
    };
    return environment;
  }
};

inline std::string AllText(const Problems& problems) {
  std::string text;
  for (const Problem& problem : problems.All()) text += ToText(problem);
  return text;
}

}  // namespace hookswitch::config
